"""README's examples in Python, against a server: each runs as it stands."""

import re
from pathlib import Path

import checks

README = Path(__file__).parents[3] / "README.md"
ADDRESS = "127.0.0.1:8080"


def example(number, code):
    """A check that runs one example."""

    def check(url):
        exec(compile(code.replace(ADDRESS, url.split("//")[1]), f"README {number}", "exec"), {})

    lines = code.strip().splitlines()
    check.__doc__ = next(line for line in lines if not line.startswith(("#", "import", "from")))
    return check


found = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
assert len(found) >= 4, "README has examples in Python"
checks.run(*(example(number, code) for number, code in enumerate(found, 1)))
