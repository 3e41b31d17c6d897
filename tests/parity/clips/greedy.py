"""Greedy drawing with PyTorch, token by token, and the records of its cases."""

import json
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[3]
CHECKPOINTS = ROOT / "tests/golden/checkpoints"
LAYOUTS = ("emu3-tiny", "emu3-tiny-hf")

# Ids of the miniature checkpoint.
IDS = {"eol": 1227, "eof": 1228, "bos": 1230, "eos": 1231, "img": 1232, "boi": 1233, "eoi": 1234}
FIRST_CODE, CODES = 1235, 512
VISUAL = range(FIRST_CODE, FIRST_CODE + CODES)

sys.path.insert(0, str(ROOT / "tests/parity/tuning"))

from text_model import open_model  # noqa: E402

# Other kernels move logits by up to 1e-4; a smaller lead of the greedy token would prove nothing.
LEAST_MARGIN = 1e-3


def models():
    """Both layouts of the miniature checkpoint, opened."""
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    return [open_model(CHECKPOINTS / name).eval() for name in LAYOUTS]


class Drawing:
    """A sequence that grows by its most probable tokens.

    With two prompts the second is the unconditional branch.
    """

    def __init__(self, model, prompts, guidance):
        self.model = model
        self.guidance = guidance
        self.prompt = list(prompts[0])
        self.tokens = []
        self.margins = []
        self.rows = [self._run(prompt, None) for prompt in prompts]

    def _run(self, tokens, cache):
        out = self.model(torch.tensor([tokens]), past_key_values=cache, use_cache=True)
        return out.logits[0, -1].double(), out.past_key_values

    def append(self, tokens):
        """Appends given tokens to every row."""
        self.tokens += tokens
        self.rows = [self._run(tokens, cache) for _, cache in self.rows]

    def choose(self, allowed):
        """Appends the most probable of the allowed tokens."""
        allowed = list(allowed)
        logits = self.rows[0][0][allowed]
        if len(self.rows) > 1:
            free = self.rows[1][0][allowed]
            logits = free + self.guidance * (logits - free)
        if len(allowed) > 1:
            first, second = logits.topk(2).values
            self.margins.append((first - second).item())
        self.append([allowed[logits.argmax()]])


def case(name, prompt, size, **more):
    """A clip to draw.

    `size` counts frames of codes, given ones included, rows and columns. `given` counts frames:
    the first of the clip `of`, else of codes that no model drew.
    """
    frames, height, width = size
    sizes = {"frames": frames, "height": height, "width": width}
    return {"name": name, "prompt": prompt, **sizes, "guidance": 1, "given": 0, **more}


def print_cases(cases, draw):
    """Draws all cases with both layouts and prints them, a line each.

    `draw(layout, case, texts, given)` returns the prompts of the texts and their drawing.
    """
    done = {}
    for case in cases:
        count = case.pop("given") * case["height"] * case["width"]
        other = [(151 * i + 37) % CODES for i in range(count)]
        source = done[case.pop("of")]["codes"] if "of" in case else other
        given = source[:count]
        negative = None if case["guidance"] == 1 else "lowres, blurry"
        texts = [text for text in (case["prompt"], negative) if text is not None]
        drawn = [draw(layout, case, texts, given) for layout in range(len(LAYOUTS))]
        (prompts, drawing), (other_prompts, other_drawing) = drawn
        assert prompts == other_prompts, "the layouts have other prompts"
        assert drawing.tokens == other_drawing.tokens, "the layouts differ"
        least = min(drawing.margins)
        assert least > LEAST_MARGIN, f"{case['name']}: a token leads by {least:.1e} only"
        done[case["name"]] = {
            **case,
            "negative": negative,
            "given": given or None,
            "prompt_ids": prompts[0],
            "negative_ids": prompts[1] if negative is not None else None,
            "new_ids": drawing.tokens,
            "codes": given + [t - FIRST_CODE for t in drawing.tokens if t in VISUAL],
        }
    lines = ",\n".join(json.dumps(one) for one in done.values())
    print(f'{{"cases":[\n{lines}\n]}}')
