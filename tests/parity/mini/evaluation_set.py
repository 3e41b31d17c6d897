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
    """What share of each metric a picture reaches, by metric; background only where it is named."""
    seen = check_scene.score(pixels, prompt["objects"], prompt["background"])
    values = {
        "objects": seen["hits"] / len(prompt["objects"]),
        "scene": float(seen["scene_ok"]),
        "scene_in_order": float(seen["scene_ok"] and seen["order_ok"]),
    }
    if prompt["background"] is not None:
        values["background"] = float(seen["background_ok"])
    return values


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
