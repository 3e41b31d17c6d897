"""How well a server draws and names the thing of make_set.py.

    python judge.py http://127.0.0.1:8080 SET [--adapter mine] [--tests 100] [--save FOLDER]

prints, over the prompts and pictures of SET/test.jsonl: how often the thing is
drawn, the whole scene is right, the thing is named in the description, and the
whole description is right. Exits 1 if the thing is drawn or named less often
than --least.
"""

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "mini"))
sys.path.insert(0, str(HERE.parents[3] / "models" / "emu3-mini" / "recipe"))

import check_scene  # noqa: E402
from client import Client  # noqa: E402

AT_A_TIME = 4  # requests
SHOWN = 6  # pictures of a sheet
GAP = 4

QUESTION = "Please describe the image"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("set", type=Path)
    parser.add_argument("--adapter")
    parser.add_argument("--thing", default="octopus")
    parser.add_argument("--tests", type=int, default=100)
    parser.add_argument("--least", type=float, default=0.85)
    parser.add_argument("--save", type=Path)
    parser.add_argument("--sheet", type=Path, help="picture of the first square drawings")
    options = parser.parse_args()
    client = Client(options.address, timeout=600, adapter=options.adapter)
    lines = (options.set / "test.jsonl").read_text().splitlines()[: options.tests]
    tests = [json.loads(line) for line in lines]

    def draw(seed):
        return client.generate(tests[seed]["prompt"], tests[seed]["ratio"], seed)

    def describe(test):
        return client.caption((options.set / test["image"]).read_bytes(), QUESTION)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        drawn = list(pool.map(draw, range(len(tests))))
        answers = list(pool.map(describe, tests))
    if options.save is not None:
        options.save.mkdir(parents=True, exist_ok=True)
        for seed, pixels in enumerate(drawn):
            Image.fromarray(pixels).save(options.save / f"{seed:03}.png")
    totals = dict.fromkeys(["drawn", "scene", "named", "described"], 0)
    for test, pixels, answer in zip(tests, drawn, answers):
        seen = check_scene.score(pixels, test["objects"], test["background"])
        found = [thing["noun"] for thing in seen["objects"]]
        totals["drawn"] += found.count(options.thing) == test["objects"].count(options.thing)
        totals["scene"] += seen["scene_ok"]
        totals["named"] += options.thing in answer
        totals["described"] += answer.lower().rstrip(".") == test["caption"].lower().rstrip(".")
    if options.sheet is not None:
        contact_sheet([Image.fromarray(pixels) for pixels in drawn]).save(options.sheet)
    shares = {name: total / len(tests) for name, total in totals.items()}
    print(json.dumps({"tests": len(tests), **shares}))
    return int(min(shares["drawn"], shares["named"]) < options.least)


def contact_sheet(pictures):
    """The first square pictures in one row."""
    square = [picture for picture in pictures if picture.width == picture.height][:SHOWN]
    side = square[0].width + GAP
    sheet = Image.new("RGB", (side * len(square) + GAP, side + GAP), "white")
    for i, picture in enumerate(square):
        sheet.paste(picture, (GAP + i * side, GAP))
    return sheet


if __name__ == "__main__":
    sys.exit(main())
