"""Write training states of the published folders, to go on from them."""

import argparse
from pathlib import Path

from checkpoint import (
    CLIP_MODEL,
    LANGUAGE_MODEL,
    MODELS,
    open_language_model,
    open_vision_tokenizer,
)
from language_model import CONFIG
from progress import save


def main():
    """Write vq.pt, lm.pt and, where there is the model that draws clips, clips.pt."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=MODELS, help="folder with the models")
    parser.add_argument("--out", type=Path, default="work", help="folder for the states")
    options = parser.parse_args()
    vision = open_vision_tokenizer(options.models)
    save(options.out / "vq.pt", {"model": vision.state_dict(), "cfg": vision.config})
    for name, file in ((LANGUAGE_MODEL, "lm.pt"), (CLIP_MODEL, "clips.pt")):
        if not (options.models / name).exists():
            continue
        language = open_language_model(options.models, name)
        vocabulary_size = language.config["vocab_size"]
        state = {"model": language.state_dict(), "cfg": CONFIG, "vocab": vocabulary_size}
        save(options.out / file, state)
    print("wrote", options.out)


if __name__ == "__main__":
    main()
