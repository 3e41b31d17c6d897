"""Answers about held-out scenes, without an adapter and with it.

    python card_answers.py http://127.0.0.1:8080 --adapter mine [--pictures 300]

asks about more pictures of the kind of tests/parity/mini, also in other words
("free") and where a thing is, and prints, by kind of question, how many answers
are the expected sentence.
"""

import argparse
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "mini"))

import score_quantized  # noqa: E402
from client import Client  # noqa: E402
from evaluation_set import mean  # noqa: E402

# The recipe is found once evaluation_set is imported.
import world  # noqa: E402
from free_questions import free_questions  # noqa: E402

SEED = 12342


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--pictures", type=int, default=300)
    options = parser.parse_args()
    scenes = score_quantized.pictures(options.pictures, SEED)
    known = world.WORLDS[world.PUBLISHED]
    rng = random.Random(SEED)
    for scene in scenes:
        scene["questions"] += [
            {"kind": kind, "question": question, "answer": answer}
            for kind, question, answer in free_questions(scene, rng, known)
        ]
    kinds = [question["kind"] for scene in scenes for question in scene["questions"]]
    right = []
    for adapter in (None, options.adapter):
        client = Client(options.address, timeout=600, adapter=adapter)
        right.append([ok for row in score_quantized.answer(client, scenes) for ok in row])
    print(f"{'':12} {'n':>5} {'without':>8} {'with':>8}")
    for kind in sorted(set(kinds)):
        shares = [
            100 * mean([ok for ok, of in zip(oks, kinds) if of == kind]) for oks in right
        ]
        print(f"{kind:12} {kinds.count(kind):5} {shares[0]:7.1f}% {shares[1]:7.1f}%")


if __name__ == "__main__":
    main()
