"""Make the models from nothing: every step in order, each of which can be stopped and goes on.

A step whose result is there is not done again; delete the result to do it again.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from checkpoint import MODELS
from options import add_place, add_vocabulary

HERE = Path(__file__).resolve().parent
NICENESS = 19


def main():
    """Run the steps."""
    options = parse()
    for result, script, arguments in steps(options):
        if result and (options.work / result).exists():
            print(f"{result} is there", flush=True)
            continue
        command = [sys.executable, str(HERE / f"{script}.py"), *map(str, arguments)]
        print("==", script, *arguments, flush=True)
        if options.nice:
            command = ["nice", "-n", str(NICENESS), *command]
        subprocess.run(command, check=True)


def parse():
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_place(parser)
    add_vocabulary(parser)
    add = parser.add_argument
    add("--work", type=Path, default="work", help="folder for what lies between")
    add("--models", type=Path, default=MODELS, help="folder for the models")
    add("--world", default="40", help="how many things the language model learns")
    add("--nice", action="store_true", help="let everything else on the machine go first")
    add("--toy", action="store_true", help="a few steps of everything, to see that it works")
    return parser.parse_args()


def steps(options):
    """Triples (what is not done again once it is there, script, arguments)."""
    work, toy = options.work, options.toy
    vq, pool, lm, final = (work / name for name in ("vq.pt", "pool.pt", "lm.pt", "vq_final.pt"))
    clip_pool, clips = work / "clip_pool.pt", work / "clips.pt"
    place = ["--device", options.device, "--threads", options.threads]
    known, models = ["--world", options.world], ["--models", options.models]
    text = ["--tiktoken", options.tiktoken]
    small_batch = ["--bg", 1, "--cg", 2, "--bu", 1, "--cu", 1]
    few = ["--scenes", 8, "--clips", 4, "--prompts", 4, "--pictures", 4]
    few_clips = ["--clips", 1, "--extended", 1, "--given", 1, "--frames", 2]
    return [
        (
            "vq1.pt",
            "train_vq",
            ["--ae", 0.25 if toy else 0.1, "--full", 0.62, "--seed", 1, "--out", work / "vq1.pt"]
            + [*place, "--steps", 28 if toy else 6000, "--batch", 4 if toy else 16],
        ),
        (
            "vq.pt",
            "train_vq",
            ["--init", work / "vq1.pt", "--ae", 0, "--full", 0, "--cons", 5, "--cycle", 1]
            + ["--lr", 5e-4, "--seed", 4, "--steps", 4 if toy else 2000, "--out", vq, *place],
        ),
        (
            "pool.pt",
            "make_pool",
            ["--vq", vq, *known, "--n", 64 if toy else 20000, "--seed", 10, "--out", pool, *place],
        ),
        (
            "lm.pt",
            "train_lm",
            ["--pool", pool, *known, *text, "--out", lm, *place]
            + (["--steps", 4, "--decay", 2, *small_batch] if toy else []),
        ),
        (
            "vq_final.pt",
            "train_decoder",
            ["--vq", vq, "--pool", pool, "--out", final, *place]
            + (["--steps", 6, "--batch", 2, "--sharp", 0.02] if toy else []),
        ),
        (
            "clip_pool.pt",
            "make_clip_pool",
            ["--vq", vq, *known, "--out", clip_pool, *place] + (["--things", 2] if toy else []),
        ),
        (
            "clips.pt",
            "train_clips",
            ["--pool", clip_pool, "--init", lm, *known, *text, "--out", clips, *place]
            + (["--steps", 3, "--decay", 2, "--tokens", 200] if toy else []),
        ),
        (
            None,
            "export",
            ["--vq", final, "--lm", lm, "--clips", clips, *text, *known, "--out", options.models],
        ),
        (
            "eval/answers.json",
            "evaluate",
            [*models, *known, "--out", work / "eval", "--threads", options.threads]
            + (few if toy else []),
        ),
        (
            None,
            "make_card",
            [*models, *known, "--results", work / "eval"],
        ),
        (
            "eval_clips/clips.json",
            "measure_clips",
            [*models, "--out", work / "eval_clips", "--threads", options.threads]
            + (few_clips if toy else []),
        ),
        (
            None,
            "make_clip_card",
            [*models, *known, "--results", work / "eval_clips"],
        ),
    ]


if __name__ == "__main__":
    main()
