"""Drawing and answering with the language model, as Emu3's generate does it.

Shapes: N pictures, h x w codes each; with guidance the batch holds N conditional and then N
unconditional sequences, each left-padded with positions from 0.
"""

import torch


def draw(model, tokenizer, prompts, size, settings, generator, negative_prompt=""):
    """Codes [N, h, w] of one picture for each prompt.

    `size` is (height, width) in codes; `settings` has guidance_scale, top_k and temperature.
    Only codes are drawn and EOL is put after each row, which is what Emu3's constraint allows.
    """
    height, width = size
    guidance = settings["guidance_scale"]
    sequences = [tokenizer.image_prompt(prompt, height, width) for prompt in prompts]
    if guidance != 1:
        negative = tokenizer.image_prompt(negative_prompt, height, width)
        sequences += [negative] * len(prompts)
    run = Batch(model, sequences, tokenizer.pad)
    head = model.lm_head.weight[tokenizer.first_code :]
    out = []
    for y in range(height):
        for x in range(width):
            scores = run.hidden @ head.t()  # [2 N or N, codes]
            codes = sample(guide(scores, guidance), settings, generator)
            out.append(codes)
            if y == height - 1 and x == width - 1:
                break
            run.step((codes + tokenizer.first_code).repeat(len(sequences) // len(prompts)))
            if x == width - 1:
                run.step(torch.full((len(sequences),), tokenizer.eol))
    return torch.stack(out, 1).view(len(prompts), height, width)


def guide(scores, guidance):
    """Classifier-free guidance: [2 N, codes] -> [N, codes]; scale 1 has no unconditional half."""
    if guidance == 1:
        return scores
    conditional, unconditional = scores.chunk(2)
    return unconditional + guidance * (conditional - unconditional)


def sample(scores, settings, generator):
    """One code a row: temperature, then top-k, then a draw."""
    scores = scores / settings["temperature"]
    if settings["top_k"] < scores.shape[1]:
        least = scores.topk(settings["top_k"], 1).values[:, -1:]
        scores = scores.masked_fill(scores < least, float("-inf"))
    return torch.multinomial(scores.softmax(1), 1, generator=generator)[:, 0]


def answer(model, tokenizer, sequences, max_tokens=64, prefix=()):
    """Greedy texts, trimmed, that go on after each token sequence; a common `prefix` runs once."""
    run = Batch(model, sequences, tokenizer.pad, prefix)
    out = [[] for _ in sequences]
    finished = [False] * len(sequences)
    for _ in range(max_tokens):
        tokens = (run.hidden @ model.lm_head.weight.t()).argmax(1)
        for i, token in enumerate(tokens.tolist()):
            finished[i] = finished[i] or token == tokenizer.eos
            if not finished[i]:
                out[i].append(token)
        if all(finished):
            break
        run.step(tokens)
    return [tokenizer.decode(tokens).strip() for tokens in out]


class Batch:
    """Sequences that are stepped together; `hidden` [B, C] belongs to the last token of each."""

    def __init__(self, model, sequences, pad, prefix=()):
        self._model = model
        self._caches = [[] for _ in model.model.layers]
        count, length, before = len(sequences), max(map(len, sequences)), len(prefix)
        if before:
            model(torch.tensor([list(prefix)]), caches=self._caches)
            for cache in self._caches:
                cache[:] = [part.expand(count, -1, -1, -1) for part in cache]
        tokens = torch.full((count, length), pad)
        self._real = torch.ones(count, before + length, dtype=torch.bool)
        for i, sequence in enumerate(sequences):
            start = length - len(sequence)
            tokens[i, start:] = torch.tensor(sequence)
            self._real[i, before : before + start] = False
        positions = (self._real.long().cumsum(1) - 1).clamp(min=0)[:, before:]
        square = torch.ones(before + length, before + length, dtype=torch.bool)
        # A pad sees itself, so that no row of the softmax is empty.
        seen = self._real[:, None] & square.tril() | torch.eye(len(square), dtype=torch.bool)
        self.hidden = self._forward(tokens, positions, seen[:, before:])
        self._next = positions[:, -1] + 1

    def step(self, tokens):
        """Append one token, [B], to each sequence."""
        one = torch.ones(len(tokens), 1, dtype=torch.bool)
        self._real = torch.cat([self._real, one], 1)
        self.hidden = self._forward(tokens[:, None], self._next[:, None], self._real[:, None])
        self._next = self._next + 1

    def _forward(self, tokens, positions, seen):
        """`seen` [B, T, keys] says which keys a token attends to."""
        mask = torch.zeros(seen.shape).masked_fill_(~seen, float("-inf"))[:, None]
        return self._model(tokens, positions, mask, self._caches)[:, -1]
