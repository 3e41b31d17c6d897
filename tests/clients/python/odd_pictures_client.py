"""Pillow against the decoder: odd pictures, level for level in reference mode.

The pictures are made by tests/support/odd_gifs.ts and its neighbors. Needs no server.
"""

import json
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

import checks

ROOT = Path(__file__).parents[3]


def every_odd_picture_has_the_levels_of_pillow(_url):
    """every odd picture has Pillow's levels"""
    with tempfile.TemporaryDirectory() as folder:
        script = "tests/support/write_odd_pictures.ts"
        subprocess.run(["deno", "run", "-q", "-A", script, folder], cwd=ROOT, check=True)
        compared, wrong = 0, []
        for entry in json.loads(Path(folder, "index.json").read_text()):
            name = entry["name"]
            if "unlikePillow" in entry:
                continue
            compared += 1
            ours = Path(folder, f"{name}.rgb").read_bytes()
            try:
                with Image.open(Path(folder, name)) as image:
                    same = image.size == (entry["width"], entry["height"])
                    if not same or image.convert("RGB").tobytes() != ours:
                        wrong.append(name)
            except Exception as error:
                wrong.append(f"{name}: {error!r}")
        assert not wrong, wrong
        assert compared > 30, compared


checks.run(every_odd_picture_has_the_levels_of_pillow)
