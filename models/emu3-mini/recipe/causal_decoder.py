"""language_model.py over packed causal sequences, in float32.

For clips, whose hints look into the layers.  The interface of fast_decoder.py, but every token sees
all before it in its sequence: there are no branches.
"""

import torch
import torch.nn.functional as F


def packed_hidden(model, tokens, positions, starts, _prefixes, _branches, watch=None):
    """Final normalized hidden states, [N, C]; see fast_decoder.py for the arguments.

    `watch` is called after each layer: its number, hidden states, rotated queries and keys.
    """
    angles = positions[:, None].float() * model.inverse_frequencies
    rotation = angles.cos()[:, None], angles.sin()[:, None]  # [N, 1, D/2]
    eps = model.config["rms_norm_eps"]
    lengths = (starts[1:] - starts[:-1]).tolist()
    x = model.model.embed_tokens(tokens)
    for number, layer in enumerate(model.model.layers):
        attention, mlp = layer.self_attn, layer.mlp
        projections = [attention.q_proj, attention.k_proj, attention.v_proj]
        normed = _normalized(x, layer.input_layernorm, eps)
        rows = F.linear(normed, _joined(projections)).view(len(x), -1, attention.head_size)
        turned = _rotated(rows[:, : attention.heads + attention.kv_heads], *rotation)
        values = rows[:, attention.heads + attention.kv_heads :]
        queries, keys = turned.split([attention.heads, attention.kv_heads], 1)
        mixed = _attend(queries, keys, values, lengths)
        x = x + F.linear(mixed, attention.o_proj.weight)
        normed = _normalized(x, layer.post_attention_layernorm, eps)
        gate, up = F.linear(normed, _joined([mlp.gate_proj, mlp.up_proj])).chunk(2, -1)
        x = x + F.linear(F.silu(gate) * up, mlp.down_proj.weight)
        if watch:
            watch(number, x, queries, keys)
    return _normalized(x, model.model.norm, eps)


def weighted_loss(hidden, head, targets, weights):
    """Weighted sum of the cross entropies, and each of them [N], detached; `head` [V, C]."""
    losses = F.cross_entropy(F.linear(hidden, head), targets, reduction="none")
    return (losses * weights).sum(), losses.detach()


def _attend(queries, keys, values, lengths):
    """[N, H, D], twice [N, K, D] -> [N, H D], each sequence alone."""
    group = queries.shape[1] // keys.shape[1]
    out = []
    for q, k, v in zip(*(part.split(lengths) for part in (queries, keys, values))):
        q, k, v = (tensor.transpose(0, 1)[None] for tensor in (q, k, v))
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        out.append(mixed[0].transpose(0, 1).flatten(1))
    return torch.cat(out)


def _rotated(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def _normalized(x, norm, eps):
    return F.rms_norm(x, (x.shape[-1],), norm.weight, eps)


def _joined(layers):
    return torch.cat([layer.weight for layer in layers])
