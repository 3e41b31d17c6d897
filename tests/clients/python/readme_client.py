"""Examples of the READMEs in Python, against a server: each runs as it stands."""

import os
import re
import tempfile
from pathlib import Path

import checks

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "functions/README.md", *sorted((ROOT / "functions/docs").glob("*.md"))]
ADDRESS = "127.0.0.1:8080"


def example(number, code):
    """A check that runs one example."""

    def check(url):
        exec(compile(code.replace(ADDRESS, url.split("//")[1]), f"example {number}", "exec"), {})

    lines = code.strip().splitlines()
    check.__doc__ = next(line for line in lines if not line.startswith(("#", "import", "from")))
    return check


found = [
    code
    for page in PAGES
    for code in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
]
assert len(found) >= 5, "the READMEs have examples in Python"
# Examples write files into the folder that they are called in.
os.chdir(tempfile.mkdtemp())
checks.run(*(example(number, code) for number, code in enumerate(found, 1)))
