"""Pictures that the model draws of what it knows, so that tuning does not forget it.

    python own_pictures.py http://127.0.0.1:8080 OUT [--pictures 400] [--seed 77]

writes OUT/own/*.png and adds a record of each to OUT/train.jsonl (generative
replay: Shin et al. 2017, arXiv 1705.08690).
"""

import argparse
import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT / "models" / "emu3-mini" / "recipe"))
sys.path.insert(0, str(ROOT / "tests" / "parity" / "mini"))

from PIL import Image  # noqa: E402

import captions  # noqa: E402
import scenes  # noqa: E402
import world  # noqa: E402
from client import Client  # noqa: E402

FIRST_SEED = 1000
CONCURRENCY = 4


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("out", type=Path)
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--seed", type=int, default=77)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    known = world.WORLDS[world.PUBLISHED]
    client = Client(options.address, timeout=600)
    folder = options.out / "own"
    folder.mkdir(exist_ok=True)

    def draw(number: int, prompt: str, ratio: str) -> str:
        name = f"own{number:03}"
        pixels = client.generate(prompt, ratio, FIRST_SEED + number)
        Image.fromarray(pixels).save(folder / f"{name}.png")
        return json.dumps({"name": name, "image": f"own/{name}.png", "text": prompt})

    requests = []
    for number in range(options.pictures):
        scene = scenes.sample_scene(rng, known)
        prompt, _ = captions.prompt_for(scene, rng)
        requests.append((number, prompt, scene["ratio"]))
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        lines = list(pool.map(lambda request: draw(*request), requests))
    with (options.out / "train.jsonl").open("a") as records:
        records.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
