"""Training sequences of the model that draws clips: clips and some pictures, packed.

Everything comes from one `random.Random`; the order of the draws belongs to what a seed gives.
"""

import numpy as np

from captions import prompt_for
from clip_captions import clip_prompt_for
from clip_hints import Hints
from clip_scenes import SIZES, sample_clip
from make_clip_pool import RING, compose
from text_batches import FIRST_ROWS, NEGATIVE, NO_TARGET, POSITIVE, Packed
from world import SMALL


class ClipBatches:
    """Batches of clips that are composed of the codes of a pool."""

    def __init__(self, pool, known, tokenizer, rng, options):
        """`options` is that of train_clips.py."""
        self._pool, self._known, self._tokenizer = pool, known, tokenizer
        self._rng, self._options = rng, options
        # What wrong codes are drawn from.
        parts = [codes.ravel() for codes in pool["things"].values()]
        parts += [codes.ravel() for codes in pool["empty"].values()]
        self._any_codes = np.concatenate(parts).tolist()
        self._here = {noun for noun, _, _ in pool["things"]}

    def batch(self):
        """A step's clips and pictures, about options.tokens tokens, and their hints."""
        packed, hints = Packed(), Hints()
        while len(packed.tokens) < self._options.tokens:
            if self._rng.random() < self._options.stills:
                self._add_still(packed)
                hints.skip(len(packed.tokens) - len(hints.same))
            else:
                self._add_clip(packed, hints)
        return packed.tensors(), hints.tensors()

    def _sample(self, **wanted):
        """A clip of a thing that is in the pool: all of them, but in tests."""
        while True:
            clip = sample_clip(self._rng, self._known, **wanted)
            if clip["noun"] in self._here:
                return clip

    def _add_clip(self, packed, hints):
        grows = self._rng.random() < self._options.growing
        clip = self._sample(motion="nearer", frames=len(SIZES)) if grows else self._sample()
        count = len(clip["boxes"])
        shown = self._shown(clip)
        codes = compose(self._pool, clip)[:shown]
        caption = self._caption(clip_prompt_for, clip)
        prompt = self._tokenizer.clip_prompt(caption, count, clip["h"], clip["w"])
        end = self._tokenizer.clip_end() if shown == count else []
        seen = self._tokenizer.clip_frames(self._corrupted(codes))
        body = self._tokenizer.clip_frames(codes)
        weights = [
            weight
            for frame in self._weights(clip)[:shown].tolist()
            for weight in [*sum(frame, []), self._options.outside]
        ]
        # The token before a code is the one that knows of it.
        hints.skip(len(prompt) - 1)
        hints.add_clip(clip, shown, len(packed.tokens) + len(prompt))
        hints.skip(1 + len(end))
        _add(packed, prompt, seen + end, body + end, weights + [self._options.outside] * len(end))

    def _shown(self, clip):
        """How many frames of a clip are learned from: of most only the first few.

        There the caption decides what the thing is, where it starts and where it goes; the rest
        goes on in the same way, and costs most of the tokens.
        """
        count, rng = len(clip["boxes"]), self._rng
        if clip["motion"] == "nearer" and count == len(SIZES):
            return count  # every frame has codes of its own
        if clip["motion"] in ("nearer", "appears"):
            first = next(i for i, box in enumerate(clip["boxes"]) if box)
            whole = rng.random() < 2 * self._options.whole
            return count if whole else min(count, first + rng.randint(1, 4))
        if rng.random() < self._options.single:
            return 1
        return count if rng.random() < self._options.whole else rng.randint(2, count)

    def _add_still(self, packed):
        """A picture in the form of pictures, as it is drawn where a clip has one frame."""
        if self._rng.random() < 0.5:
            clip = self._sample(frames=1, motion="stays")
            y, x, _ = clip["boxes"][0]
            thing = {"noun": clip["noun"], "y": y, "x": x, "size": SMALL}
            scene = {"bg": clip["bg"], "relation": "single", "objects": [thing]}
            caption = self._caption(prompt_for, scene)
        else:
            clip = self._sample(frames=1)
            caption = self._caption(clip_prompt_for, clip)
        codes = compose(self._pool, clip)
        prompt = self._tokenizer.image_prompt(caption, clip["h"], clip["w"])
        end = self._tokenizer.image_end()
        seen = self._tokenizer.rows(self._corrupted(codes)[0])
        body = self._tokenizer.rows(codes[0])
        weights = [
            weight
            for row in self._weights(clip)[0].tolist()
            for weight in [*row, self._options.outside]
        ]
        _add(packed, prompt, seen + end, body + end, weights + [self._options.outside] * len(end))

    def _caption(self, prompt_of, subject):
        """Mostly a caption; now and then nothing or Emu3's negative prompt, for guidance."""
        r = self._rng.random()
        if r < 0.06:
            return ""
        if r < 0.08:
            return NEGATIVE
        caption = prompt_of(subject, self._rng)[0]
        return caption + POSITIVE if self._rng.random() < 0.03 else caption

    def _corrupted(self, codes):
        """The codes with some wrong ones, in some of the clips; of each frame another share.

        So the caption counts, and what was drawn wrongly is not copied from frame to frame.
        """
        rng = self._rng
        if rng.random() >= self._options.noisy:
            return codes
        out = codes.copy()
        for number, frame in enumerate(out):
            share = rng.uniform(0, self._options.plater if number else self._options.pmax)
            wrong = np.random.default_rng(rng.getrandbits(32)).random(frame.shape) < share
            frame[wrong] = rng.choices(self._any_codes, k=int(wrong.sum()))
        return out

    def _weights(self, clip):
        """Weights of the codes [T, h, w]: things, and where they just were, count more."""
        options, height, width = self._options, clip["h"], clip["w"]
        out = np.full((len(clip["boxes"]), height, width), options.outside)
        out[0] = options.early
        before = None
        for frame, box in zip(out, clip["boxes"]):
            for y, x, edge in [b for b in (before, box) if b]:
                top, left = max(0, y - RING), max(0, x - RING)
                frame[top : y + edge + RING, left : x + edge + RING] = 1
            if box and (before is None or box[2] != before[2]):
                y, x, edge = box
                weight, ring = (options.opening, 0) if before is None else (options.grown, RING)
                frame[y : y + edge, x : x + edge] = weight
                # Here the caption decides where it appears, and that it grows.
                frame[max(0, y - ring) : y + FIRST_ROWS, x : x + edge] = options.first
            before = box
        return out


def _add(packed, prompt, seen, body, weights):
    length = len(prompt) + len(body)
    packed.tokens += prompt + seen
    packed.positions += range(length)
    packed.prefixes += [0] * length
    packed.branches += [0] * length
    packed.targets += [NO_TARGET] * (len(prompt) - 1) + body + [NO_TARGET]
    packed.answers += [0] * length
    packed.weights += [0] * (len(prompt) - 1) + weights + [0]
    packed.end_sequence()
