"""Pillow against the decoder: odd pictures, level for level in reference mode.

The pictures are made by tests/support/odd_gifs.ts and its neighbors. Needs no server.
"""

import json
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

import checks

ROOT = Path(__file__).parents[3]


def levels(image):
    """Returns the size and the bytes of an image in RGB."""
    return list(image.size), image.convert("RGB").tobytes()


def differences(folder, entry):
    """Yields the ways in which Pillow sees a picture otherwise."""
    name = entry["name"]
    with Image.open(Path(folder, name)) as image:
        seen = {"reference": levels(image)}
        # A turned picture; others have transparency or frames that Pillow drops.
        upright = ImageOps.exif_transpose(image)
        if upright.size != image.size:
            seen["display"] = levels(upright)
        elif entry["display"] != entry["reference"]:
            yield f"{name}: not turned"
    for mode, (size, pixels) in seen.items():
        ours = Path(folder, f"{name}.{mode}.rgb").read_bytes()
        if size != entry[mode] or pixels != ours:
            yield f"{name}: {mode}"


def every_odd_picture_has_the_levels_of_pillow(_url):
    """every odd picture has Pillow's levels, and is turned as Pillow turns it"""
    with tempfile.TemporaryDirectory() as folder:
        script = "tests/support/write_odd_pictures.ts"
        subprocess.run(["deno", "run", "-q", "-A", script, folder], cwd=ROOT, check=True)
        compared, wrong = 0, []
        for entry in json.loads(Path(folder, "index.json").read_text()):
            try:
                found = list(differences(folder, entry))
            except Exception as error:
                found = [f"{entry['name']}: {error!r}"]
            if "unlikePillow" not in entry:
                compared += 1
                wrong += found
            elif not found:
                wrong.append(f"{entry['name']}: is like Pillow")
        assert not wrong, "\n".join(wrong)
        assert compared > 60, compared


checks.run(every_odd_picture_has_the_levels_of_pillow)
