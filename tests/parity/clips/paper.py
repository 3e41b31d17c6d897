"""Clips in the form of arXiv 2409.18869 §2.1, drawn greedily with PyTorch.

python paper.py > clips.json

A frame of codes represents four frames of pixels:
BOS text BOI meta IMG, for each frame its rows with EOL after each, EOF; EOI EOS.
"""

from tokenizers import Tokenizer

from greedy import CHECKPOINTS, FIRST_CODE, IDS, VISUAL, Drawing, case, models, print_cases

FRAMES_PER_CODE = 4
SIZED = {"meta": "{frames}*{height}*{width}", "fps": 24}
TIMED = {"meta": "{width}x{height} pixels, {fps} fps, {seconds} s", "fps": 24}
SLOW = {**TIMED, "fps": 7.5}

CASES = [
    case("p0", "a fox runs", (2, 3, 4), **SIZED),
    case("p1", "a fox runs", (3, 2, 3), **SIZED, guidance=3),
    case("p2", "", (1, 4, 2), **SIZED, guidance=2),
    case("p3", "Ein Frosch – hüpft.", (2, 2, 5), **TIMED),
    case("p4", "rain\non a roof", (3, 1, 1), **SLOW, guidance=1.5),
    case("e0", "a fox runs", (2, 3, 4), **SIZED, of="p0", given=1),
    case("e1", "a fox runs", (3, 2, 3), **SIZED, guidance=3, of="p1", given=2),
    case("e2", "two cats", (3, 2, 3), **SLOW, guidance=2, given=1),
]


def number(value):
    """A number as a template writes it: whole ones without a point."""
    return str(int(value)) if value == int(value) else str(value)


def meta_text(case):
    """The text between BOI and IMG."""
    seconds = case["frames"] * FRAMES_PER_CODE / case["fps"]
    names = ("frames", "height", "width", "fps")
    values = {**{name: case[name] for name in names}, "seconds": seconds}
    return case["meta"].format(**{name: number(value) for name, value in values.items()})


def layout_of(case):
    """The kind of each token after IMG: "code", or the name of a forced one."""
    frame = (["code"] * case["width"] + ["eol"]) * case["height"] + ["eof"]
    return frame * case["frames"] + ["eoi", "eos"]


def draw(model, encode, case, texts, given):
    """Returns the prompts, and the drawing from the first token that is not given."""
    opening = [IDS["boi"], *encode(meta_text(case)), IDS["img"]]
    kinds = layout_of(case)
    context = []
    codes = iter(given)
    while given and context.count(IDS["eof"]) < len(given) // (case["height"] * case["width"]):
        kind = kinds[len(context)]
        context.append(FIRST_CODE + next(codes) if kind == "code" else IDS[kind])
    prompts = [[IDS["bos"], *encode(text), *opening, *context] for text in texts]
    drawing = Drawing(model, prompts, case["guidance"])
    for kind in kinds[len(context) :]:
        drawing.choose(VISUAL if kind == "code" else [IDS[kind]])
    return prompts, drawing


def main():
    """Prints all cases."""
    tokenizer = Tokenizer.from_file(str(CHECKPOINTS / "emu3-tiny-hf/tokenizer.json"))
    opened = models()

    def encode(text):
        return tokenizer.encode(text, add_special_tokens=False).ids

    print_cases(CASES, lambda layout, *rest: draw(opened[layout], encode, *rest))


if __name__ == "__main__":
    main()
