"""Compare servers of a quantized model with a server of the model itself, trial by trial.

    python score_quantized.py collect http://127.0.0.1:8080 fp32.json
    python score_quantized.py collect http://127.0.0.1:8081 int8.json
    python score_quantized.py compare fp32.json int8.json --margin 1

Both draw the same prompts from the same seeds and answer the same questions, so each trial is a
pair.  Pictures of one prompt are alike, and so are questions about one picture: the interval is
taken over prompts and over pictures, not over trials.

`compare` exits 1 if a gating row loses more than the margin, 3 if its interval is too wide to tell.
"""

import argparse
import io
import os
import sys
from pathlib import Path

from PIL import Image

import score_server
from client import Client, ServerError
from evaluation_set import FOLDER, METRICS, asked, is_right, judge, mean
from paired import compare

# isort: split
# The recipe is found once evaluation_set is imported.
from json_files import read_json, read_json_lines, write_json
from make_evaluation_set import SEED, pictures
from drawing import render

AT_A_TIME = 8  # requests
GATING = ("objects", "background")
WORSE, UNCLEAR = 1, 3


def main(arguments=None):
    """Collect from a server or compare two collections; the exit status."""
    options = parse(arguments)
    if options.command == "compare":
        return report(read_json(options.reference), read_json(options.other), options.margin)
    prompts = read_json_lines(FOLDER / "prompts.jsonl")[: options.prompts]
    scenes = pictures(options.scenes, SEED)
    # The same random numbers at every position, whatever the precision.
    key = os.environ.get("API_KEY")
    client = Client(options.address, options.timeout, key, "autoregressive")
    score_server.AT_A_TIME = AT_A_TIME
    try:
        drawn = score_server.draw(client, prompts, options.seeds)
        answers = answer(client, scenes)
    except ServerError as error:
        print(f"Cannot score the server: {error}", file=sys.stderr)
        return 2
    scored = [[shares(pixels, prompt) for pixels in row] for prompt, row in zip(prompts, drawn)]
    write_json(options.out, {"pictures": scored, "answers": answers}, indent=None)
    return 0


def parse(arguments):
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    collect = commands.add_parser("collect", help="ask a server everything and judge it")
    collect.add_argument("address", help="such as http://127.0.0.1:8080")
    collect.add_argument("out", type=Path, help="file to write")
    collect.add_argument("--prompts", type=int, default=64, help="only the first so many")
    collect.add_argument("--seeds", type=int, default=8, help="pictures for each prompt")
    collect.add_argument("--scenes", type=int, default=128, help="pictures to ask about")
    collect.add_argument("--timeout", type=float, default=600.0, help="seconds for one request")
    both = commands.add_parser("compare", help="compare two collections, paired")
    both.add_argument("reference", type=Path)
    both.add_argument("other", type=Path)
    both.add_argument("--margin", type=float, required=True, help="points that may be lost")
    return parser.parse_args(arguments)


def answer(client, scenes):
    """1 or 0 for each question, by scene."""
    with score_server.ThreadPoolExecutor(AT_A_TIME) as pool:
        waiting = []
        for scene in scenes:
            png = io.BytesIO()
            Image.fromarray(render(scene)).save(png, "png")
            row = [
                pool.submit(client.caption, png.getvalue(), asked(question))
                for question in scene["questions"]
            ]
            waiting.append(row)
        answers = score_server.collect(pool, waiting, "answers")
    return [
        [int(is_right(question, said)) for question, said in zip(scene["questions"], row)]
        for scene, row in zip(scenes, answers)
    ]


def shares(pixels, prompt):
    """What a picture shows of its prompt, by metric, as shares of 1."""
    counts = judge(pixels, prompt)
    counts["objects"] /= len(prompt["objects"])
    return counts


def report(reference, other, margin):
    """Print a row for each metric; the exit status."""
    rows = []
    for metric, words in METRICS.items():
        ours, theirs = (
            [[one[metric] for one in row] for row in side["pictures"] if metric in row[0]]
            for side in (other, reference)
        )
        rows.append((words, ours, theirs, metric in GATING))
    rows.append(("answers", other["answers"], reference["answers"], True))
    print(f"{'':34} {'trials':>6} {'groups':>6} {'ours':>6} {'ref.':>6} {'diff.':>6}   95 % interval")
    status = 0
    for name, ours, theirs, gates in rows:
        found = compare([mean(row) for row in ours], [mean(row) for row in theirs])
        mine, expected, difference, low, high = (
            100 * value
            for value in (found.ours, found.reference, found.difference, found.low, found.high)
        )
        verdict = ""
        if gates:
            verdict = "  as good"
            if difference < -margin:
                verdict, status = f"  WORSE by over {margin:g}", WORSE
            elif low < -margin:
                verdict, status = "  too few trials to tell", status or UNCLEAR
        trials = sum(len(row) for row in ours)
        print(
            f"{name:34} {trials:6} {found.count:6} {mine:6.1f} {expected:6.1f} {difference:+6.1f}"
            f"   {low:+5.1f} to {high:+5.1f}{verdict}"
        )
    return status


if __name__ == "__main__":
    sys.exit(main())
