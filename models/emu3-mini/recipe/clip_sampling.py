"""Drawing clips with the language model, as `frames` clips are generated, many at once.

Shapes: N clips of T frames of h x w codes; with guidance the batch holds N conditional and then N
unconditional sequences.
"""

import torch
import torch.nn.functional as F

from sampling import Batch, guide, sample


def draw_clips(model, tokenizer, prompts, size, settings, generator, given=None):
    """Codes [N, T, h, w] of one clip for each prompt.

    `size` is (frames, height, width); `settings` has guidance_scale, top_k, temperature and
    negative_prompt; `given` [N, k, h, w] are the codes of the first frames.  Only codes are drawn
    and EOF is put after each frame.
    """
    frames, height, width = size
    guidance = settings["guidance_scale"]
    given = (
        torch.zeros(len(prompts), 0, height, width, dtype=torch.long) if given is None else given
    )
    shown = [tokenizer.clip_frames(codes.tolist()) for codes in given]
    texts = [(prompt, tokens) for prompt, tokens in zip(prompts, shown)]
    if guidance != 1:
        texts += [(settings["negative_prompt"], tokens) for tokens in shown]
    run = LongBatch(
        model,
        [tokenizer.clip_prompt(text, *size) + tokens for text, tokens in texts],
        tokenizer.pad,
        (frames - given.shape[1]) * (height * width + 1),
    )
    head = model.lm_head.weight[tokenizer.first_code :]
    out = list(given.flatten(2).unbind(1))
    for frame in range(given.shape[1], frames):
        drawn = []
        for _ in range(height * width):
            codes = sample(guide(run.hidden @ head.t(), guidance), settings, generator)
            drawn.append(codes)
            run.step((codes + tokenizer.first_code).repeat(len(texts) // len(prompts)))
        out.append(torch.stack(drawn, 1))
        if frame < frames - 1:
            run.step(torch.full((len(texts),), tokenizer.eof))
    return torch.stack(out, 1).view(len(prompts), frames, height, width)


class LongBatch(Batch):
    """The same with room for `steps` more tokens, which are not copied at each step."""

    def __init__(self, model, sequences, pad, steps):
        super().__init__(model, sequences, pad)
        self._length = self._real.shape[1]
        self._mask = torch.zeros(len(sequences), 1, 1, self._length + steps)
        self._mask[..., : self._length].masked_fill_(~self._real[:, None, None], float("-inf"))
        room = (0, 0, 0, steps)
        self._caches = [[F.pad(part, room) for part in cache] for cache in self._caches]

    def step(self, tokens):
        """Append one token, [B], to each sequence."""
        model, length = self._model, self._length
        angles = self._next[:, None].float() * model.inverse_frequencies
        angles = torch.cat([angles, angles], -1)[:, None]  # [B, 1, D]
        cos, sin = angles.cos(), angles.sin()
        mask = self._mask[..., : length + 1]
        x = model.model.embed_tokens(tokens)
        for layer, (keys, values) in zip(model.model.layers, self._caches):
            attention, normed = layer.self_attn, layer.input_layernorm(x)
            heads, kv_heads, D = attention.heads, attention.kv_heads, attention.head_size
            q = _rotated(attention.q_proj(normed).view(-1, heads, D), cos, sin)
            keys[:, :, length] = _rotated(attention.k_proj(normed).view(-1, kv_heads, D), cos, sin)
            values[:, :, length] = attention.v_proj(normed).view(-1, kv_heads, D)
            q = q.view(-1, kv_heads, heads // kv_heads, D)
            scores = q @ keys[:, :, : length + 1].transpose(2, 3) * D**-0.5 + mask
            mixed = scores.softmax(-1) @ values[:, :, : length + 1]
            x = x + attention.o_proj(mixed.flatten(1))
            x = x + layer.mlp(layer.post_attention_layernorm(x))
        self.hidden = model.model.norm(x)
        self._length, self._next = length + 1, self._next + 1


def _rotated(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin
