"""Auxiliary losses of train_clips.py; nothing of them is in the published weights.

A frame has no EOL, and the codes of a frame are those of the frame before, moved.  Neither how far
a frame is nor where to look one frame back is found soon from the loss of the codes.  So two linear
layers read the row and the column of the next code from a hidden state in the middle, and four
attention heads are told where to look (attention supervision, as by Liu et al., arXiv 1609.04186).

Shapes: N tokens of packed sequences, H heads, D head size, C hidden size.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import nn

from make_clip_pool import RING

NOWHERE = -1
PLACE_LAYER = 3  # whose output tells the place
SAME_LAYER, MOVED_LAYER = 4, 5  # whose heads look one frame back
HEADS = (0, 4)  # one of each group of keys and values
ROW_SHARE = 0.25  # of the tokens that are looked at for the same place


@dataclass
class Hints:
    """Lists of one number for each token, NOWHERE where there is none."""

    same: list = field(default_factory=list)  # token of the next code's place one frame before
    moved: list = field(default_factory=list)  # token that the next code of the thing comes from
    rows: list = field(default_factory=list)  # row of the next code, or their number at EOF
    columns: list = field(default_factory=list)

    def skip(self, count):
        """Tokens without hints."""
        for part in (self.same, self.moved, self.rows, self.columns):
            part += [NOWHERE] * count

    def add_clip(self, clip, frames, start):
        """Hints of a clip of which `frames` follow a prompt; its first code is token `start`."""
        height, width = clip["h"], clip["w"]
        length = height * width + 1
        for t in range(frames):
            box, before = clip["boxes"][t], clip["boxes"][t - 1] if t else None
            sized_alike = box and before and box[2] == before[2]
            for place in range(length):
                y, x = divmod(place, width)
                token = start + t * length + place
                self.rows.append(y)
                self.columns.append(x)
                self.same.append(token - length if t else NOWHERE)
                moved = NOWHERE
                if sized_alike and _inside(box, y, x):
                    from_y, from_x = y - box[0] + before[0], x - box[1] + before[1]
                    if 0 <= from_y < height and 0 <= from_x < width:
                        moved = start + (t - 1) * length + from_y * width + from_x
                self.moved.append(moved)

    def tensors(self):
        """The same as tensors: same, moved, rows, columns."""
        parts = (self.same, self.moved, self.rows, self.columns)
        return tuple(torch.tensor(part) for part in parts)


class HintLosses(nn.Module):
    """The layers that read places, and the losses."""

    def __init__(self, hidden, height, width):
        super().__init__()
        self.row = nn.Linear(hidden, height + 1)
        self.column = nn.Linear(hidden, width)
        self.begin(None, None)

    def begin(self, hints, starts):
        """Take the hints of the next forward."""
        self._hints, self._starts = hints, starts
        self.losses = {}

    def __call__(self, layer, hidden, queries, keys):
        """Look at a layer: hidden states [N, C], queries [N, H, D] and keys, both rotated."""
        same, moved, rows, columns = self._hints
        if layer == PLACE_LAYER:
            told = rows != NOWHERE
            normed = F.rms_norm(hidden[told], hidden.shape[-1:])
            self.losses["row"] = F.cross_entropy(self.row(normed), rows[told])
            self.losses["column"] = F.cross_entropy(self.column(normed), columns[told])
        elif layer == SAME_LAYER:
            kept = torch.where(torch.rand(len(same), device=same.device) < ROW_SHARE, same, NOWHERE)
            self.losses["same"] = self._attention_loss(kept, queries, keys)
        elif layer == MOVED_LAYER:
            self.losses["moved"] = self._attention_loss(moved, queries, keys)

    def total(self):
        """Sum of the losses of the last forward."""
        return sum(self.losses.values())

    def _attention_loss(self, wanted, queries, keys):
        """Mean negative log share of attention that falls on the wanted tokens."""
        group = queries.shape[1] // keys.shape[1]
        losses = []
        starts = self._starts.tolist()
        for first, end in zip(starts, starts[1:]):
            rows = (wanted[first:end] != NOWHERE).nonzero()[:, 0]
            if not len(rows):
                continue
            targets = wanted[first:end][rows] - first
            seen = torch.arange(end - first, device=rows.device) <= rows[:, None]
            for head in HEADS:
                q, k = queries[first:end, head][rows], keys[first:end, head // group]
                scores = (q @ k.t() * q.shape[-1] ** -0.5).masked_fill(~seen, float("-inf"))
                losses.append(F.cross_entropy(scores, targets, reduction="none"))
        return torch.cat(losses).mean() if losses else queries.sum() * 0


def _inside(box, y, x):
    """Whether a code is of the thing, or of the ring that moves with it."""
    top, left, edge = box
    return top - RING <= y < top + edge + RING and left - RING <= x < left + edge + RING
