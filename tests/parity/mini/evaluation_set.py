"""The evaluation set and the recipe's checker, for the two scripts of this folder."""

import statistics
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
MODELS = FOLDER.parents[2] / "models"
# The recipe is scripts beside each other, not a package.
sys.path.insert(0, str(MODELS / "emu3-mini" / "recipe"))

import check_scene  # noqa: E402

METRICS = {
    "objects": "objects that are named are there",
    "scene": "whole scene right",
    "scene_in_order": "whole scene right and in order",
    "background": "named background right",
}
DESCRIBE = "Please describe the image"


def judge(pixels, prompt):
    """Counts by metric: objects that are there, and 1 or 0 for the others.

    The background is judged only where the prompt names it.
    """
    seen = check_scene.score(pixels, prompt["objects"], prompt["background"])
    counts = {
        "objects": seen["hits"],
        "scene": int(seen["scene_ok"]),
        "scene_in_order": int(seen["scene_ok"] and seen["order_ok"]),
    }
    if prompt["background"] is not None:
        counts["background"] = int(seen["background_ok"])
    return counts


def digits(judged):
    """The counts of a prompt's pictures as one digit each, by metric: {"objects": "2122"}."""
    return {metric: "".join(str(counts[metric]) for counts in judged) for metric in judged[0]}


def share(prompt, metric, counts):
    """Mean share of 1 that the digits of a prompt's pictures stand for."""
    whole = len(prompt["objects"]) if metric == "objects" else 1
    return mean([int(count) / whole for count in counts])


def asked(question):
    """The words of a question that are put to the model: a bare "describe" becomes a sentence."""
    return DESCRIBE if question["question"] == "describe" else question["question"]


def is_right(question, answer):
    """Whether the answer is the expected sentence, but for case and the full stop."""
    return _plain(answer) == _plain(question["answer"])


def mean(values):
    """Mean of a list that may be empty (then 0)."""
    return statistics.fmean(values) if values else 0.0


def _plain(text):
    return text.strip().rstrip(".").lower()
