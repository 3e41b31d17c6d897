"""Ask a running server the evaluation set and compare it with the PyTorch reference, paired.

    python score_server.py http://127.0.0.1:8080
    python score_server.py http://127.0.0.1:8080 --prompts 8 --seeds 2 --scenes 8

Pictures cannot be equal one by one, as the random streams differ; what is compared is how often
they show what the prompt names.  Answers are greedy and nearly always equal word for word.

Exits 1 if the server may be worse than the reference by more than the margin: if the lower end of
the 95 % interval of a gating row lies below -margin.  Exits 2 if the server fails.
"""

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from client import Client, ServerError
from evaluation_set import FOLDER, METRICS, asked, digits, is_right, judge, mean, share
from paired import compare

# isort: split
# The recipe is found once evaluation_set is imported.
from contact_sheet import contact_sheet
from json_files import read_json, read_json_lines, write_json

AT_A_TIME = 2  # requests
# A whole scene is right or not, which is too rough to tell 3 points apart with 8 pictures a prompt:
# those rows inform, these decide (and the answers to all questions).
GATING = ("objects", "background")


def main(arguments=None):
    """Run the comparison; the exit status."""
    options = parse(arguments)
    prompts = read_json_lines(FOLDER / "prompts.jsonl")[: options.prompts]
    scenes = read_json_lines(FOLDER / "scenes" / "scenes.jsonl")[: options.scenes]
    reference = read_json(options.reference)
    key = os.environ.get("API_KEY")
    client = Client(options.address, options.timeout, key, adapter=options.adapter)
    try:
        pictures = draw(client, prompts, options.seeds)
        answers = answer(client, scenes)
    except ServerError as error:
        print(f"Cannot score the server: {error}", file=sys.stderr)
        return 2
    scores = [
        digits([judge(pixels, prompt) for pixels in row]) for prompt, row in zip(prompts, pictures)
    ]
    rows = compare_pictures(prompts, scores, reference["pictures"]) + compare_answers(
        scenes, answers, reference["answers"]
    )
    failures = [row for row in rows if row["gates"] and 100 * row["low"] < -options.margin]
    print_table(rows, options.margin)
    print_agreement(answers, reference["answers"])
    if options.json:
        write_json(
            options.json, {"rows": rows, "pictures": scores, "answers": answers}, indent=None
        )
    if options.save:
        save_pictures(options.save, prompts, pictures)
    return 1 if failures else 0


def parse(arguments):
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="The key of a server that asks: API_KEY."
    )
    add = parser.add_argument
    add("address", help="such as http://127.0.0.1:8080")
    add("--prompts", type=int, default=64, help="only the first so many prompts")
    add("--seeds", type=int, default=8, help="pictures for each prompt, seeds 0, 1, ...")
    add("--scenes", type=int, default=64, help="only the first so many pictures to ask about")
    add("--margin", type=float, default=3.0, help="how much worse is still as good, in points")
    add("--adapter", help="adapter of the server to draw and answer with")
    add("--timeout", type=float, default=600.0, help="seconds for one request")
    add("--reference", type=Path, default=FOLDER / "reference.json", help="scores to compare with")
    add("--json", type=Path, help="file for every score and answer")
    add("--save", type=Path, help="folder for the pictures and a contact sheet")
    return parser.parse_args(arguments)


def draw(client, prompts, seeds):
    """Pictures by prompt and seed."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        waiting = [
            [pool.submit(client.generate, p["prompt"], p["ratio"], seed) for seed in range(seeds)]
            for p in prompts
        ]
        return collect(pool, waiting, "pictures")


def answer(client, scenes):
    """Answers by scene and question."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        waiting = []
        for scene in scenes:
            png = (FOLDER / "scenes" / scene["file"]).read_bytes()
            waiting.append([pool.submit(client.caption, png, asked(q)) for q in scene["questions"]])
        return collect(pool, waiting, "answers")


def collect(pool, waiting, what):
    """The results of rows of requests; what still waits is dropped when one fails."""
    out = []
    try:
        for i, row in enumerate(waiting):
            out.append([request.result() for request in row])
            if sys.stderr.isatty():
                print(f"\r{what} of {i + 1} of {len(waiting)}", end="", file=sys.stderr)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return out


def compare_pictures(prompts, scores, reference):
    """A row for each metric, paired by prompt."""
    rows = []
    for metric, words in METRICS.items():
        triples = [t for t in zip(prompts, scores, reference) if metric in t[1]]
        if triples:
            ours = [share(prompt, metric, mine[metric]) for prompt, mine, _ in triples]
            theirs = [share(prompt, metric, expected[metric]) for prompt, _, expected in triples]
            rows.append(row_of(words, ours, theirs, gates=metric in GATING))
    return rows


def compare_answers(scenes, answers, reference):
    """A row for each kind of question and one for all, paired by picture."""
    kinds = {}
    for i, scene in enumerate(scenes):
        for question, ours, theirs in zip(scene["questions"], answers[i], reference[i]):
            pair = is_right(question, ours), is_right(question, theirs)
            for kind in (question["kind"], "all"):
                kinds.setdefault(kind, {}).setdefault(i, []).append(pair)
    rows = []
    for kind in [*sorted(kinds.keys() - {"all"}), "all"]:
        by_scene = kinds[kind].values()
        ours = [mean([mine for mine, _ in pairs]) for pairs in by_scene]
        theirs = [mean([expected for _, expected in pairs]) for pairs in by_scene]
        rows.append(row_of(f"answers: {kind}", ours, theirs, gates=kind == "all"))
    return rows


def row_of(name, ours, theirs, gates):
    """One line of the table."""
    return {"name": name, "gates": gates, **vars(compare(ours, theirs))}


def print_table(rows, margin):
    """Print what was measured, in percent and points."""
    print(f"{'':42} {'n':>4} {'ours':>7} {'ref.':>7} {'diff.':>7}   95 % interval")
    for row in rows:
        ours, theirs, difference, low, high = (
            100 * row[key] for key in ("ours", "reference", "difference", "low", "high")
        )
        verdict = ""
        if row["gates"]:
            verdict = "  as good" if low >= -margin else f"  MAY BE WORSE by over {margin:g}"
        print(
            f"{row['name']:42} {row['count']:4} {ours:7.1f} {theirs:7.1f} {difference:+7.1f}"
            f"   {low:+6.1f} to {high:+6.1f}{verdict}"
        )


def print_agreement(answers, reference):
    """Print how many answers are the reference's, word for word."""
    pairs = [pair for row, expected in zip(answers, reference) for pair in zip(row, expected)]
    equal = sum(ours == theirs for ours, theirs in pairs)
    print(f"{equal} of {len(pairs)} answers are the reference's, word for word")


def save_pictures(folder, prompts, pictures):
    """Write each picture and `sheet.png`, a row for each prompt."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, row in enumerate(pictures):
        for seed, pixels in enumerate(row):
            Image.fromarray(pixels).save(folder / f"prompt_{i:02d}_seed_{seed}.png")
    labels = [[prompt["prompt"]] + [""] * (len(row) - 1) for prompt, row in zip(prompts, pictures)]
    contact_sheet(pictures, labels).save(folder / "sheet.png")


if __name__ == "__main__":
    sys.exit(main())
