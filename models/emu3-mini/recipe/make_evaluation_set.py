"""Write the evaluation set: 64 prompts, and 64 pictures with questions.

All show held-out combinations of things and background (but the single things, which cannot be held
out).  The seeds are fixed, so the files come out the same each time.
"""

import argparse
import random
from pathlib import Path

from PIL import Image

import world
from captions import caption_of, nouns_of, prompt_for
from drawing import render
from json_files import write_json_lines
from questions import questions_about
from scenes import held_scenes

COUNT = 64
SEED = 777
LONGEST_PROMPT = 90  # characters
DEFAULT_OUT = Path(__file__).resolve().parents[3] / "tests" / "parity" / "mini"


def prompts(count=COUNT, seed=SEED, known=world.WORLDS[world.PUBLISHED]):
    """What is to be drawn, and what the picture must show."""
    rng = random.Random(seed + 1)
    out = []
    for scene in held_scenes(random.Random(seed + 2), count, known):
        text, names_background = prompt_for(scene, rng)
        while len(text) >= LONGEST_PROMPT:
            text, names_background = prompt_for(scene, rng)
        out.append(
            {
                "prompt": text,
                "ratio": scene["ratio"],
                "objects": nouns_of(scene),
                "background": scene["bg"] if names_background else None,
                "relation": scene["relation"],
                "boxes": [[thing["y"], thing["x"], thing["size"]] for thing in scene["objects"]],
            }
        )
    return out


def pictures(count=COUNT, seed=SEED, known=world.WORLDS[world.PUBLISHED]):
    """Scenes with their file name, canonical caption and questions."""
    rng = random.Random(seed + 5)
    out = []
    for i, scene in enumerate(held_scenes(random.Random(seed + 4), count, known)):
        asked = [
            {"kind": kind, "question": question, "answer": answer}
            for kind, question, answer in questions_about(scene, rng, known)
        ]
        file = f"scene_{i:02d}.png"
        out.append({"file": file, **scene, "caption": caption_of(scene), "questions": asked})
    return out


def main():
    """Write prompts.jsonl, scenes/scenes.jsonl and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="folder to write to")
    options = parser.parse_args()
    folder = options.out / "scenes"
    folder.mkdir(parents=True, exist_ok=True)
    write_json_lines(options.out / "prompts.jsonl", prompts())
    scenes = pictures()
    write_json_lines(folder / "scenes.jsonl", scenes)
    for scene in scenes:
        Image.fromarray(render(scene)).save(folder / scene["file"])
    print("wrote", options.out)


if __name__ == "__main__":
    main()
