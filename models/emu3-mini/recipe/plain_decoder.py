"""language_model.py over packed sequences on any device, in plain PyTorch, bfloat16 products.

The same interface as fast_decoder.py, which is for CPUs; see there for the arguments.
"""

import torch
import torch.nn.functional as F

STEP = 64  # lengths are rounded up to a multiple, so that there are few of them to compile for


def packed_hidden(model, tokens, positions, starts, prefixes, branches):
    """Final normalized hidden states, [N, C]."""
    lengths = (starts[1:] - starts[:-1]).long()
    longest = -(-int(lengths.max()) // STEP) * STEP
    places = torch.arange(longest, device=tokens.device)
    inside = places < lengths[:, None]  # [S, T]
    prefixes, branches = _padded(prefixes, inside), _padded(branches, inside)
    keys, queries = places[None, None], places[None, :, None]
    of_prefix = keys < prefixes[:, :, None]
    of_branch = (keys >= branches[:, :, None]) & (keys <= queries)
    mask = (of_prefix | of_branch)[:, None]  # [S, 1, T, T]
    with torch.autocast(tokens.device.type, torch.bfloat16):
        hidden = model(_padded(tokens, inside), _padded(positions, inside), mask)
    return hidden[inside]


def weighted_loss(hidden, head, targets, weights):
    """Weighted sum of the cross entropies, and each of them [N], detached; `head` [V, C]."""
    with torch.autocast(hidden.device.type, torch.bfloat16):
        logits = F.linear(hidden, head)
    losses = F.cross_entropy(logits.float(), targets, reduction="none")
    return (losses * weights).sum(), losses.detach()


def _padded(values, inside):
    """Packed [N] -> [S, T], zero behind the end of a sequence."""
    out = torch.zeros(inside.shape, dtype=values.dtype, device=values.device)
    out[inside] = values
    return out
