"""Pictures and questions that teach emu3-mini a thing that it does not know.

    python make_set.py OUT [--thing octopus] [--pictures 200] [--seed 0]

writes OUT/train/*.png, OUT/train.jsonl (a record a caption or a question, for
`task prepare-data`) and OUT/test.jsonl (prompts, and pictures with questions).
Each picture shows the thing, alone or with what the model knows.
"""

import argparse
import json
import random
import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
# The recipe is scripts beside each other, not a package.
sys.path.insert(0, str(ROOT / "models" / "emu3-mini" / "recipe"))

import captions  # noqa: E402
import drawing  # noqa: E402
import questions  # noqa: E402
import scenes  # noqa: E402
import world  # noqa: E402
from free_questions import place_questions  # noqa: E402
from PIL import Image  # noqa: E402

CAPTIONS = 2  # drawings of each picture, with different words
QUESTION_SHARE = 1 / 2  # of pictures, that have a question beside their description


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--thing", default="octopus")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--tests", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    old = world.WORLDS[world.PUBLISHED]
    thing = world.SINGULAR.index(options.thing)
    if thing in old.nouns:
        parser.error(f"emu3-mini knows {options.thing}")
    known = replace(old, nouns=[*old.nouns, thing])
    rng = random.Random(options.seed)
    write_training(options, known, rng)
    write_test(options, known, random.Random(options.seed + 1))


def write_training(options, known, rng) -> None:
    folder = options.out / "train"
    folder.mkdir(parents=True, exist_ok=True)
    records = []
    for number in range(options.pictures):
        scene = scene_with(options.thing, known, rng)
        path = folder / f"{number:03}.png"
        Image.fromarray(drawing.render(scene)).save(path)
        image = f"train/{path.name}"
        for _ in range(CAPTIONS):
            prompt, _ = captions.prompt_for(scene, rng)
            records.append({"image": image, "text": prompt})
        records += [
            {"image": image, "text": "", "question": question, "answer": answer}
            for question, answer in asked(scene, known, rng)
        ]
    lines = [json.dumps({"name": f"{i:05}", **record}) for i, record in enumerate(records)]
    (options.out / "train.jsonl").write_text("\n".join(lines) + "\n")


def write_test(options, known, rng) -> None:
    folder = options.out / "test"
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number in range(options.tests):
        scene = scene_with(options.thing, known, rng)
        prompt, names_background = captions.prompt_for(scene, rng)
        path = folder / f"{number:03}.png"
        Image.fromarray(drawing.render(scene)).save(path)
        lines.append(
            json.dumps(
                {
                    "image": f"test/{path.name}",
                    "prompt": prompt,
                    "ratio": scene["ratio"],
                    "h": scene["h"],
                    "w": scene["w"],
                    "objects": [o["noun"] for o in scene["objects"]],
                    "background": scene["bg"] if names_background else None,
                    "caption": captions.caption_of(scene),
                }
            )
        )
    (options.out / "test.jsonl").write_text("\n".join(lines) + "\n")


def scene_with(thing, known, rng):
    """A random scene that shows the thing at least once."""
    scene = scenes.sample_scene(rng, known, count=rng.choices([1, 2, 3], [4, 4, 1])[0])
    if thing not in [o["noun"] for o in scene["objects"]]:
        # Few scenes show it by chance: one of the others becomes it.
        rng.choice(scene["objects"])["noun"] = thing
    return scene


def asked(scene, known, rng):
    """Pairs (question, answer): a description, a question of any kind and one of a place."""
    every = questions.questions_about(scene, rng, known) + questions.more_questions(
        scene, rng, known
    )
    described = [(q, a) for kind, q, a in every if kind == "describe"]
    others = [(q, a) for kind, q, a in every if kind != "describe"]
    return [
        *described,
        *([rng.choice(others)] if rng.random() < QUESTION_SHARE else []),
        *place_questions(scene, rng, known)[:1],
    ]


if __name__ == "__main__":
    main()
