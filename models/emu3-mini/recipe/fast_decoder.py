"""language_model.py over packed sequences, with kernels/decoder.cpp.  Same maths, faster.

N packed tokens of several sequences without padding; see the kernel for what a token attends to.
"""

import torch
import torch.nn.functional as F

from kernels import kernel

LOGIT_ROWS = 512  # whose logits fit the cache


class FusedRmsNorm(torch.autograd.Function):
    """Float [N, C] -> bfloat16 [N, C]."""

    @staticmethod
    def forward(ctx, x, weight, eps):
        """Normalize, with `weight` [C]."""
        out, inverse_rms = kernel("decoder").rms_norm(x, weight, eps)
        ctx.save_for_backward(x, weight, inverse_rms)
        return out

    @staticmethod
    def backward(ctx, gradient):
        """Gradients of x and weight."""
        kept = ctx.saved_tensors
        dx, dweight = kernel("decoder").rms_norm_backward(*kept, gradient.contiguous())
        return dx, dweight, None


class FusedSwiglu(torch.autograd.Function):
    """[N, 2 F], gate before up -> [N, F]."""

    @staticmethod
    def forward(ctx, x):
        """Give silu(gate) * up."""
        ctx.save_for_backward(x)
        return kernel("decoder").swiglu(x)

    @staticmethod
    def backward(ctx, gradient):
        """Gradient of x."""
        return kernel("decoder").swiglu_backward(ctx.saved_tensors[0], gradient.contiguous())


class FusedAttention(torch.autograd.Function):
    """[N, (H + 2 K) D] -> [N, H D]."""

    @staticmethod
    def forward(ctx, qkv, cos, sin, starts, prefixes, branches, heads, kv_heads):
        """Attend, each sequence alone."""
        ctx.save_for_backward(qkv, cos, sin, starts, prefixes, branches)
        ctx.heads = heads, kv_heads
        return kernel("decoder").attention(
            qkv, cos, sin, starts, prefixes, branches, heads, kv_heads
        )

    @staticmethod
    def backward(ctx, gradient):
        """Gradient of qkv."""
        qkv, *others = ctx.saved_tensors
        dqkv = kernel("decoder").attention_backward(qkv, gradient.contiguous(), *others, *ctx.heads)
        return (dqkv, *[None] * 7)


class FusedLoss(torch.autograd.Function):
    """Weighted cross entropy through the output matrix, a few rows of logits at a time."""

    @staticmethod
    def forward(ctx, hidden, head, targets, weights):
        """Give the weighted sum and each loss [N]; `hidden` [N, C] bfloat16, `head` [V, C]."""
        head_halves = head.bfloat16()
        dhidden = torch.empty(hidden.shape, dtype=torch.bfloat16)
        dhead = torch.zeros_like(head)
        losses = torch.empty(len(targets))
        for start in range(0, len(targets), LOGIT_ROWS):
            rows = slice(start, start + LOGIT_ROWS)
            logits = hidden[rows] @ head_halves.t()
            losses[rows] = kernel("decoder").cross_entropy(logits, targets[rows], weights[rows])
            # The kernel has put the gradient into the logits.
            dhidden[rows] = logits @ head_halves
            dhead += logits.t() @ hidden[rows]
        ctx.save_for_backward(dhidden, dhead)
        return (losses * weights).sum(), losses

    @staticmethod
    def backward(ctx, gradient, _):
        """Gradients of hidden and head."""
        dhidden, dhead = ctx.saved_tensors
        return dhidden * gradient, dhead * gradient, None, None


def prepare():
    """Compile the kernel if need be."""
    kernel("decoder")


def weighted_loss(hidden, head, targets, weights):
    """Weighted sum of the cross entropies, and each of them [N], detached; `head` [V, C]."""
    loss, losses = FusedLoss.apply(hidden, head, targets, weights)
    return loss, losses.detach()


def packed_hidden(model, tokens, positions, starts, prefixes, branches):
    """Final normalized hidden states, bfloat16 [N, C].

    `tokens` and `positions` [N]; `starts` int32 [sequences + 1]; `prefixes`, `branches` int32 [N].
    """
    angles = positions[:, None].float() * model.inverse_frequencies
    cos, sin = angles.cos().contiguous(), angles.sin().contiguous()
    eps = model.config["rms_norm_eps"]
    x = model.model.embed_tokens(tokens)
    for layer in model.model.layers:
        attention, mlp = layer.self_attn, layer.mlp
        projections = [attention.q_proj, attention.k_proj, attention.v_proj]
        normed = FusedRmsNorm.apply(x, layer.input_layernorm.weight, eps)
        mixed = FusedAttention.apply(
            F.linear(normed, _joined(projections)),
            cos,
            sin,
            starts,
            prefixes,
            branches,
            attention.heads,
            attention.kv_heads,
        )
        x = x + F.linear(mixed, attention.o_proj.weight.bfloat16())
        normed = FusedRmsNorm.apply(x, layer.post_attention_layernorm.weight, eps)
        inner = FusedSwiglu.apply(F.linear(normed, _joined([mlp.gate_proj, mlp.up_proj])))
        x = x + F.linear(inner, mlp.down_proj.weight.bfloat16())
    return FusedRmsNorm.apply(x, model.model.norm.weight, eps)


def _joined(layers):
    return torch.cat([layer.weight for layer in layers]).bfloat16()
