"""Clips in the form of baaivision/UniVLA: its processor and its constraint, greedily, with PyTorch.

UNIVLA=FOLDER_OF_THE_REPOSITORY python univla.py > clips.json

Its `Emu3Processor.video_process` writes the prompts, its `Emu3PrefixConstrainedVideoLogitsHelper`
allows the tokens of a whole clip, its `add_prefix_template` opens the later frames of an
interleaved one (models/inference/inference_vision.py). transformers' decoder draws.
"""

import os
import sys
from types import SimpleNamespace

import torch
from tokenizers import Tokenizer

from greedy import CHECKPOINTS, CODES, IDS, VISUAL, Drawing, case, models, print_cases

sys.path.insert(0, os.path.join(os.environ["UNIVLA"], "reference/Emu3"))

from emu3.mllm import processing_emu3, tokenization_emu3  # noqa: E402

CASES = [
    case("w0", "a fox runs", (2, 3, 4), mode="whole"),
    case("w1", "put the red cup in", (3, 2, 3), mode="whole", guidance=3),
    case("w2", "", (1, 4, 2), mode="whole", guidance=2),
    case("w3", "Ein Frosch – hüpft.", (4, 1, 5), mode="whole"),
    case("w4", "rain\non a roof", (5, 1, 1), mode="whole"),
    case("e0", "a fox runs", (2, 3, 4), mode="whole", of="w0", given=1),
    case("e1", "put the red cup in", (3, 2, 3), mode="whole", guidance=3, of="w1", given=2),
    case("e2", "two cats", (4, 2, 2), mode="whole", guidance=2, given=2),
    case("e3", "two cats", (3, 3, 2), mode="whole", given=1),
    case("i0", "a fox runs", (3, 3, 4), mode="interleaved"),
    case("i1", "put the red cup in", (4, 2, 3), mode="interleaved", given=1),
    case("i2", "two cats", (5, 2, 2), mode="interleaved", guidance=2, given=2),
    case("i3", "a fox runs", (3, 3, 4), mode="interleaved", of="i0", given=2),
]


class HuggingFaceTokenizer:
    """The tokenizer of transformers' layout, with what the processor reads of its own."""

    def __init__(self, file, original):
        self.encoder = Tokenizer.from_file(str(file))
        for part in ("bos", "eos", "pad", "img", "boi", "eoi", "eol", "eof"):
            name = f"{part}_token"
            setattr(self, name, getattr(original, name))

    def __call__(self, texts, **_):
        """The ids of a text, or of a list of them."""
        encode = self.encoder.encode
        if isinstance(texts, str):
            return {"input_ids": encode(texts, add_special_tokens=False).ids}
        return {"input_ids": [encode(text, add_special_tokens=False).ids for text in texts]}

    def encode(self, names):
        """The ids of special tokens."""
        return [self.encoder.token_to_id(name) for name in names]


def processors():
    """The processor with the tokenizer of either layout."""
    # The original has the published number of ranks in its code; the miniature has fewer.
    tokenization_emu3.SPECIAL_START_ID = 1024
    folder = CHECKPOINTS / "emu3-tiny"
    original = tokenization_emu3.Emu3Tokenizer(
        str(folder / "emu3.tiktoken"), str(folder / "emu3_vision_tokens.txt")
    )
    # transformers 5 encodes a list as a batch; the constraint wants the id of each name.
    original.encode = original.convert_tokens_to_ids

    def keep(self, image_processor, tokenizer, chat_template):
        self.image_processor, self.tokenizer = image_processor, tokenizer
        self.chat_template = chat_template

    # Without the checks for transformers' own classes.
    processing_emu3.ProcessorMixin.__init__ = keep
    config = SimpleNamespace(ch_mult=[1, 1, 2, 2], codebook_size=CODES)
    other = HuggingFaceTokenizer(CHECKPOINTS / "emu3-tiny-hf/tokenizer.json", original)
    return [
        processing_emu3.Emu3Processor(None, SimpleNamespace(config=config), tokenizer)
        for tokenizer in (original, other)
    ]


def prompt_ids(theirs, case, text, mode, given):
    """The prompt of a text, by the processor."""
    height, width, total = case["height"], case["width"], case["frames"]
    known = len(given) // (height * width)
    codes = torch.tensor(given, dtype=torch.long)
    # The size in a prompt with context is read from the shape of what it is given, of which only
    # the context is written: all frames of a whole clip, the context of an interleaved one. A
    # prompt without context reads height and width from it.
    if mode != "INTERLEAVE":
        codes = torch.cat([codes, torch.zeros((total - known) * height * width, dtype=torch.long)])
    inputs = theirs.video_process(
        text=text,
        video_tokens=[codes.reshape(-1, height, width)],
        frames=total - known if mode == "INTERLEAVE" else total,
        mode=mode,
        context_frames=known,
    )
    return inputs["input_ids"][0]


def draw_whole(theirs, model, case, texts, given):
    """A whole clip: what may follow is what the constraint allows."""
    prompts = [prompt_ids(theirs, case, t, "IG" if given else "G", given) for t in texts]
    if given:
        # The context ends with EOF EOI there. The constraint counts tokens from IMG without that
        # EOI, so after it every EOF would come a code too soon, and EOI twice: the layout of a
        # whole clip is kept if drawing goes on directly after the context's EOF.
        assert all(prompt[-2:] == [IDS["eof"], IDS["eoi"]] for prompt in prompts)
        prompts = [prompt[:-1] for prompt in prompts]
    helper = theirs.build_prefix_constrained_fn_video(
        *(torch.tensor([case[name]]) for name in ("height", "width", "frames"))
    )
    pad = theirs.tokenizer.encode([theirs.tokenizer.pad_token])
    drawing = Drawing(model, prompts, case["guidance"])
    while (allowed := list(helper(0, torch.tensor(drawing.prompt + drawing.tokens)))) != pad:
        drawing.choose(allowed)
    return prompts, drawing


def draw_interleaved(theirs, model, case, texts, given):
    """An interleaved clip: each new frame is opened, then its codes are drawn."""
    # Its prompts of this mode always have a context; without, the opening is that of a whole clip.
    mode = "INTERLEAVE" if given else "G"
    prompts = [prompt_ids(theirs, case, t, mode, given) for t in texts]
    drawing = Drawing(model, prompts, case["guidance"])
    area = case["height"] * case["width"]
    for frame in range(case["frames"] - len(given) // area):
        if frame > 0:
            drawing.append(theirs.add_prefix_template(1, case["height"], case["width"]))
        for _ in range(area):
            drawing.choose(VISUAL)
    return prompts, drawing


def main():
    """Prints all cases."""
    pairs = list(zip(processors(), models()))
    by_mode = {"whole": draw_whole, "interleaved": draw_interleaved}
    print_cases(
        CASES, lambda layout, case, *rest: by_mode[case["mode"]](*pairs[layout], case, *rest)
    )


if __name__ == "__main__":
    main()
