"""Measure the published folders on held-out combinations; make_card.py writes the results down.

Nothing of the checker uses the networks.  The seeds are fixed.
"""

import argparse
from pathlib import Path

import torch

import world
from checkpoint import MODELS
from json_files import write_json
from measure_answers import measure_answers
from measure_drawing import measure_drawing
from measure_vision import measure_vision
from options import add_threads

SEED = 777
MEASURES = {"vision": measure_vision, "drawing": measure_drawing, "answers": measure_answers}


def main():
    """Run the measurements that are asked for."""
    options = parse()
    torch.set_grad_enabled(False)
    options.out.mkdir(parents=True, exist_ok=True)
    known = world.WORLDS[options.world]
    for what in options.what.split(","):
        result = MEASURES[what](options, known, SEED)
        write_json(options.out / f"{what}.json", result)
        brief = {key: value for key, value in result.items() if key != "wrong"}
        print(what, brief, flush=True)


def parse():
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_threads(parser)
    add = parser.add_argument
    add("--models", type=Path, default=MODELS, help="folder with both models")
    add("--world", choices=world.WORLDS, default=world.PUBLISHED, help="how many things to show")
    add("--out", type=Path, default="work/eval", help="folder for results and sheets")
    add("--what", default="vision,drawing,answers", help="measurements, with commas between")
    add("--scenes", type=int, default=300, help="pictures for the vision tokenizer")
    add("--clips", type=int, default=100, help="clips for the vision tokenizer")
    add("--prompts", type=int, default=300, help="captions to draw")
    add("--pictures", type=int, default=300, help="pictures to ask about")
    add(
        "--settings",
        default="",
        help="guidance:top_k:temperature, several with commas between; else the checkpoint's own",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
