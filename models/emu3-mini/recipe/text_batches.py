"""Training sequences of the language model: drawing and answering, packed without padding.

Everything comes from one `random.Random`; the order of the draws belongs to what a seed gives.
"""

from dataclasses import dataclass, field

import numpy as np
import torch

import world
from captions import prompt_for
from free_questions import free_questions
from questions import more_questions, questions_about
from scenes import some_alike
from tokenizer import ASSISTANT

NEGATIVE = (
    "lowres, bad anatomy, bad hands, text, error, missing fingers, extra digit, fewer digits, "
    "cropped, worst quality, low quality, normal quality, jpeg artifacts, signature, watermark, "
    "username, blurry."
)
POSITIVE = " masterpiece, film grained, best quality."
# Words of an answer that must be looked up in the picture, and their weight; 1 is said by rote.
DECISIVE = "Yes No no is are one two three four left right top bottom middle"
DECISION = 4
MARGIN = 2  # most tokens around the things of a close-up
TOGETHER = 0.7  # share of close-ups of rows and columns that show them whole
FIRST_ROWS = 2  # of an object, in which the caption decides what it becomes
NO_TARGET = -1


@dataclass
class Packed:
    """Lists of one number for each token, but `starts`; see kernels/decoder.cpp for the middle."""

    tokens: list = field(default_factory=list)
    positions: list = field(default_factory=list)
    starts: list = field(default_factory=lambda: [0])
    prefixes: list = field(default_factory=list)
    branches: list = field(default_factory=list)
    targets: list = field(default_factory=list)  # the next token, or NO_TARGET
    answers: list = field(default_factory=list)  # 1 in a sequence of answers, 0 in a drawing
    weights: list = field(default_factory=list)

    def end_sequence(self):
        """What follows is another sequence."""
        self.starts.append(len(self.tokens))

    def tensors(self):
        """The same as tensors."""
        int32 = torch.int32
        return (
            torch.tensor(self.tokens),
            torch.tensor(self.positions),
            torch.tensor(self.starts, dtype=int32),
            torch.tensor(self.prefixes, dtype=int32),
            torch.tensor(self.branches, dtype=int32),
            torch.tensor(self.targets),
            torch.tensor(self.answers),
            torch.tensor(self.weights, dtype=torch.float32),
        )


class TextBatches:
    """Batches from pools of scenes and codes."""

    def __init__(self, pools, known, tokenizer, rng, options):
        """`options` has mix, alike, noisy, pmin, pmax, first and outside; see train_lm.py."""
        self._known, self._tokenizer, self._rng, self._options = known, tokenizer, rng, options
        self._scenes, self._codes = [], []
        for pool in pools:
            for scene, codes in zip(pool["scenes"], pool["codes"]):
                if _shows_only(scene, known):
                    self._scenes.append(scene)
                    self._codes.append(codes)
        # The first token decides: the rest of a word follows by rote.
        self._decisive = {tokenizer.encode(" " + word)[0] for word in DECISIVE.split()}
        self._queues = {}  # shuffled numbers of scenes of each kind
        # What wrong codes are drawn from.
        self._any_codes = np.concatenate([codes.ravel() for codes in self._codes[::5]]).tolist()

    def __len__(self):
        return len(self._scenes)

    def batch(self):
        """A step's drawings, and pictures with all their questions around them."""
        packed, options = Packed(), self._options
        for _ in range(options.bu):
            self._add_answers(packed, *self._next())
        for _ in range(options.cu):
            self._add_answers(packed, *self._next_close_up())
        for _ in range(options.bg):
            self._add_drawing(packed, *self._next())
        for _ in range(options.cg):
            self._add_drawing(packed, *self._next_close_up())
        return packed.tensors()

    def state(self):
        """What `restore` goes on from; the random numbers are the caller's."""
        return self._queues

    def restore(self, state):
        """Go on where a run was."""
        self._queues = state

    def _next(self):
        """A scene and its codes; options.mix and options.alike say how often which."""
        count = self._rng.choices([1, 2, 3, 4], self._options.mix)[0]
        kind = (count, count > 2 and self._rng.random() < self._options.alike)
        if not self._queues.get(kind):
            self._queues[kind] = [
                i for i, scene in enumerate(self._scenes) if _kind_of(scene) == kind
            ]
            self._rng.shuffle(self._queues[kind])
        number = self._queues[kind].pop()
        return self._scenes[number], self._codes[number]

    def _next_close_up(self):
        return close_up(*self._next(), self._rng)

    def _add_drawing(self, packed, scene, codes):
        caption = self._caption(scene)
        prompt = self._tokenizer.image_prompt(caption, scene["h"], scene["w"])
        end = self._tokenizer.image_end()
        body = self._tokenizer.rows(codes) + end
        seen = self._corrupted(body)
        weights = self._weights(scene) + [self._options.outside] * len(end)
        length = len(prompt) + len(body)
        packed.tokens += prompt + seen
        packed.positions += range(length)
        packed.prefixes += [0] * length
        packed.branches += [0] * length
        packed.targets += [NO_TARGET] * (len(prompt) - 1) + body + [NO_TARGET]
        packed.answers += [0] * length
        packed.weights += [0] * (len(prompt) - 1) + weights + [0]
        packed.end_sequence()

    def _caption(self, scene):
        """Mostly a caption; now and then nothing or Emu3's negative prompt, for guidance."""
        r = self._rng.random()
        if r < 0.06:
            return ""
        if r < 0.10:
            return NEGATIVE
        caption = prompt_for(scene, self._rng)[0]
        return caption + POSITIVE if self._rng.random() < 0.05 else caption

    def _corrupted(self, body):
        """The body with some wrong codes, in some of the drawings.

        With clean codes before it the next code is nearly always predictable without the caption,
        which then gets almost no gradient; wrong ones make the caption count.
        """
        rng, first = self._rng, self._tokenizer.first_code
        if rng.random() >= self._options.noisy:
            return body
        share = rng.uniform(self._options.pmin, self._options.pmax)
        return [
            rng.choice(self._any_codes) + first
            if token >= first and rng.random() < share
            else token
            for token in body
        ]

    def _weights(self, scene):
        """Weights of the tokens of the rows: objects count more than plain background."""
        weights = np.full((scene["h"], scene["w"] + 1), self._options.outside)
        for thing in scene["objects"]:
            y, x, edge = thing["y"], thing["x"], thing["size"]
            weights[y : y + edge, x : x + edge] = 1
            weights[y : y + FIRST_ROWS, x : x + edge] = self._options.first
        return weights.ravel().tolist()

    def _add_answers(self, packed, scene, codes):
        """A picture once, and then branches of question and answer, each of which sees only it."""
        prefix = self._tokenizer.chat_prefix(codes)
        length = end = len(prefix)
        packed.tokens += prefix
        packed.positions += range(length)
        packed.prefixes += [0] * length
        packed.branches += [0] * length
        packed.targets += [NO_TARGET] * length
        packed.weights += [0] * length
        asked_about = scene, self._rng, self._known
        asking = questions_about(*asked_about) + more_questions(*asked_about)
        for kind, question, answer in asking + free_questions(*asked_about):
            suffix = ASSISTANT if self._rng.random() < 0.85 else " ASSISTANT:"
            asked = self._tokenizer.chat_question(question, suffix)
            said = self._tokenizer.chat_answer(answer)
            count = len(asked) + len(said)
            packed.tokens += asked + said
            packed.positions += range(length, length + count)
            packed.prefixes += [length] * count
            packed.branches += [end] * count
            packed.targets += [NO_TARGET] * (len(asked) - 1) + said + [NO_TARGET]
            packed.weights += [0] * (len(asked) - 1) + self._answer_weights(kind, said) + [0]
            end += count
        packed.answers += [1] * end
        packed.end_sequence()

    def _answer_weights(self, kind, said):
        """Weights of the tokens of an answer: of a description every noun is looked up."""
        if kind == "describe":
            return [1] * len(said)
        return [DECISION if token in self._decisive else 1 for token in said]


def close_up(scene, codes, rng):
    """A part of a scene as a scene of its own, and its codes: a short sequence to learn from.

    Things in a row or a column stay together or one is taken; of others one is taken.
    """
    things, relation = scene["objects"], scene["relation"]
    together = relation in ("row", "column") and rng.random() < TOGETHER
    shown = things if together else [rng.choice(things)]
    top, bottom = _cut(scene, shown, "y", rng)
    left, right = _cut(scene, shown, "x", rng)
    part = {
        "ratio": scene["ratio"],
        "h": bottom - top,
        "w": right - left,
        "bg": scene["bg"],
        "relation": relation if together else "single",
        "objects": [{**thing, "y": thing["y"] - top, "x": thing["x"] - left} for thing in shown],
    }
    return part, codes[top:bottom, left:right]


def _cut(scene, shown, start, rng):
    """Where a part begins and ends: `shown` and some background, but no other thing."""
    edge = shown[0]["size"]
    first, last = shown[0][start], shown[-1][start] + edge
    length = scene["h"] if start == "y" else scene["w"]
    before, after = first, length - last
    for other in scene["objects"]:
        if other[start] + edge <= first:
            before = min(before, first - other[start] - edge)
        if other[start] >= last:
            after = min(after, other[start] - last)
    return first - rng.randint(0, min(MARGIN, before)), last + rng.randint(0, min(MARGIN, after))


def _kind_of(scene):
    """Number of things, and whether some of three or four are alike."""
    return len(scene["objects"]), some_alike(scene)


def _shows_only(scene, known):
    """Whether a scene belongs to the `known` world."""
    nouns = {world.SINGULAR[i] for i in known.nouns}
    inside = scene["ratio"] in known.ratios and scene["bg"] in known.colors
    return inside and all(thing["noun"] in nouns for thing in scene["objects"])
