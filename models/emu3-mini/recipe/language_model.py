"""The Llama decoder of Emu3 with the original weight names, in plain PyTorch.

Shapes: B sequences, T tokens, H heads, K key-value heads, D head size, C hidden size.
"""

import torch
import torch.nn.functional as F
from torch import nn

CONFIG = {
    "hidden_size": 256,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "intermediate_size": 704,
    "rms_norm_eps": 1e-5,
    "rope_theta": 1e6,
}


class RmsNorm(nn.Module):
    """Root-mean-square normalization over the last axis."""

    def __init__(self, size, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        """[..., C] -> [..., C]."""
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.eps)


class Attention(nn.Module):
    """Grouped-query attention with rotary positions."""

    def __init__(self, config):
        super().__init__()
        hidden = config["hidden_size"]
        self.heads = config["num_attention_heads"]
        self.kv_heads = config["num_key_value_heads"]
        self.head_size = hidden // self.heads
        self.q_proj = _linear(hidden, hidden)
        self.k_proj = _linear(hidden, self.kv_heads * self.head_size)
        self.v_proj = _linear(hidden, self.kv_heads * self.head_size)
        self.o_proj = _linear(hidden, hidden)

    def forward(self, x, rotation, mask, cache):
        """[B, T, C] -> [B, T, C].  `cache` holds keys and values so far; it is overwritten."""
        B, T, _ = x.shape
        weights = [self.q_proj.weight, self.k_proj.weight, self.v_proj.weight]
        rows = self.heads + 2 * self.kv_heads
        qkv = F.linear(x, torch.cat(weights)).view(B, T, rows, self.head_size)
        turned = _rotate(qkv[:, :, : self.heads + self.kv_heads], *rotation)
        q = turned[:, :, : self.heads].transpose(1, 2)  # [B, H, T, D]
        k = turned[:, :, self.heads :].transpose(1, 2)  # [B, K, T, D]
        v = qkv[:, :, self.heads + self.kv_heads :].transpose(1, 2)  # [B, K, T, D]
        if cache is not None:
            if cache:
                k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
            cache[:] = [k, v]
        group = self.heads // self.kv_heads
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        causal = mask is None and T > 1
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
        return self.o_proj(out.transpose(1, 2).reshape(B, T, -1))


class Mlp(nn.Module):
    """SwiGLU: down(silu(gate(x)) * up(x))."""

    def __init__(self, config):
        super().__init__()
        hidden, inner = config["hidden_size"], config["intermediate_size"]
        self.gate_proj = _linear(hidden, inner)
        self.up_proj = _linear(hidden, inner)
        self.down_proj = _linear(inner, hidden)

    def forward(self, x):
        """[B, T, C] -> [B, T, C]."""
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """Attention and MLP, each with a norm before and the input added after."""

    def __init__(self, config):
        super().__init__()
        hidden, eps = config["hidden_size"], config["rms_norm_eps"]
        self.self_attn = Attention(config)
        self.mlp = Mlp(config)
        self.input_layernorm = RmsNorm(hidden, eps)
        self.post_attention_layernorm = RmsNorm(hidden, eps)

    def forward(self, x, rotation, mask, cache):
        """[B, T, C] -> [B, T, C]."""
        x = x + self.self_attn(self.input_layernorm(x), rotation, mask, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    """Embedding, layers and the final norm."""

    def __init__(self, vocabulary_size, config):
        super().__init__()
        hidden = config["hidden_size"]
        self.embed_tokens = nn.Embedding(vocabulary_size, hidden)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config["num_hidden_layers"]))
        self.norm = RmsNorm(hidden, config["rms_norm_eps"])


class LanguageModel(nn.Module):
    """Tokens -> final hidden states.  Logits are `x @ lm_head.weight.T` of the rows one needs."""

    def __init__(self, vocabulary_size, config=CONFIG):
        super().__init__()
        self.config = config
        self.model = Decoder(vocabulary_size, config)
        self.lm_head = _linear(config["hidden_size"], vocabulary_size)
        head_size = config["hidden_size"] // config["num_attention_heads"]
        exponents = -torch.arange(0, head_size, 2).float() / head_size
        self.inverse_frequencies = config["rope_theta"] ** exponents
        self._initialize()

    def _initialize(self):
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)
        layers = self.model.layers
        for layer in layers:
            for weight in (layer.self_attn.o_proj.weight, layer.mlp.down_proj.weight):
                nn.init.normal_(weight, std=0.02 / (2 * len(layers)) ** 0.5)

    def forward(self, tokens, positions=None, mask=None, caches=None):
        """Hidden states after the final norm, [B, T, C].

        `tokens` [B, T]; `positions` [B, T], 0... by default; `mask` is added to the scores or, of
        booleans, says what is seen, causal by default; `caches` is a list for each layer, extended
        by the new keys and values.
        """
        if positions is None:
            positions = torch.arange(tokens.shape[1], device=tokens.device)[None]
        angles = positions[..., None].float() * self.inverse_frequencies.to(tokens.device)
        angles = torch.cat([angles, angles], -1)[:, :, None]  # [B, T, 1, D]
        x = self.model.embed_tokens(tokens)
        rotation = angles.cos(), angles.sin()
        for i, layer in enumerate(self.model.layers):
            x = layer(x, rotation, mask, None if caches is None else caches[i])
        return self.model.norm(x)


def _linear(inputs, outputs):
    return nn.Linear(inputs, outputs, bias=False)


def _rotate(x, cos, sin):
    """Rotary positions on [B, T, H, D], halves as pairs."""
    half = x.shape[-1] // 2
    turned = torch.cat([-x[..., half:], x[..., :half]], -1)
    return x * cos + turned * sin
