"""Answers about the pictures of emu3-mini's card, without an adapter and with it.

    python card_answers.py http://127.0.0.1:8080 --adapter mine [--pictures 300]

renders held-out scenes as the card does (measure_answers.py of the recipe) and
prints, by kind of question, how many answers are the expected sentence.
"""

import argparse
import io
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "mini"))
sys.path.insert(0, str(HERE.parents[3] / "models" / "emu3-mini" / "recipe"))

import drawing  # noqa: E402
import questions  # noqa: E402
import scenes  # noqa: E402
import world  # noqa: E402
from client import Client  # noqa: E402
from evaluation_set import asked, is_right, mean  # noqa: E402

SEED = 12345
AT_A_TIME = 4  # requests


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--pictures", type=int, default=300)
    options = parser.parse_args()
    known = world.WORLDS[world.PUBLISHED]
    rng = random.Random(SEED)
    cases = [
        (png, {"kind": kind, "question": question, "answer": answer})
        for scene in scenes.held_scenes(random.Random(SEED + 1), options.pictures, known)
        for png in [png_of(scene)]
        for kind, question, answer in questions.questions_about(scene, rng, known)
    ]
    right = {}
    for adapter in (None, options.adapter):
        client = Client(options.address, timeout=600, adapter=adapter)

        def judge(case, client=client):
            png, question = case
            return is_right(question, client.caption(png, asked(question)))

        with ThreadPoolExecutor(AT_A_TIME) as pool:
            right[adapter] = list(pool.map(judge, cases))
    print(f"{'':12} {'n':>5} {'without':>8} {'with':>8}")
    for kind in sorted({question["kind"] for _, question in cases}):
        shares = [
            100 * mean([ok for ok, (_, of) in zip(oks, cases) if of["kind"] == kind])
            for oks in right.values()
        ]
        count = sum(question["kind"] == kind for _, question in cases)
        print(f"{kind:12} {count:5} {shares[0]:7.1f}% {shares[1]:7.1f}%")


def png_of(scene) -> bytes:
    file = io.BytesIO()
    Image.fromarray(drawing.render(scene)).save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    main()
