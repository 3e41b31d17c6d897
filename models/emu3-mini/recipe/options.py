"""Options that several programs share."""

from pathlib import Path

# The first ranks are all that is read of Emu3's vocabulary, and the model brings them.
VOCABULARY = Path(__file__).resolve().parents[1] / "emu3.tiktoken"


def add_threads(parser):
    """How much of the CPU a program takes."""
    parser.add_argument(
        "--threads", type=int, default=0, help="of the CPU; 0: as many as nobody else uses"
    )


def add_place(parser):
    """Where networks run."""
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    add_threads(parser)


def add_run(parser, out, steps, seed):
    """How long a training runs, where, and where it goes on; with what it has without a word."""
    add = parser.add_argument
    add("--out", default=out, help="file for the result; a run goes on from FILE.run")
    add("--steps", type=int, default=steps, help="steps in all")
    add("--save_minutes", type=float, default=3, help="time between copies to go on from")
    add("--seed", type=int, default=seed)
    add_place(parser)


def add_vocabulary(parser):
    """Where the text tokenizer comes from."""
    parser.add_argument("--tiktoken", type=Path, default=VOCABULARY, help="vocabulary of Emu3")
