"""Write training states of the published folders, to go on from them."""

import argparse
from pathlib import Path

from checkpoint import MODELS, open_language_model, open_vision_tokenizer
from language_model import CONFIG
from progress import save


def main():
    """Write vq.pt and lm.pt."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=MODELS, help="folder with both models")
    parser.add_argument("--out", type=Path, default="work", help="folder for vq.pt and lm.pt")
    options = parser.parse_args()
    vision = open_vision_tokenizer(options.models)
    save(options.out / "vq.pt", {"model": vision.state_dict(), "cfg": vision.config})
    language = open_language_model(options.models)
    vocabulary_size = language.config["vocab_size"]
    state = {"model": language.state_dict(), "cfg": CONFIG, "vocab": vocabulary_size}
    save(options.out / "lm.pt", state)
    print("wrote", options.out)


if __name__ == "__main__":
    main()
