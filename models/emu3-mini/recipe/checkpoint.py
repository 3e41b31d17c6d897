"""Reading the published folders, and pixels as the networks want them."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from json_files import read_json
from language_model import LanguageModel
from tokenizer import Tokenizer
from vision_tokenizer import VisionTokenizer

LANGUAGE_MODEL = "emu3-mini"
CLIP_MODEL = "emu3-mini-clips"
VISION_TOKENIZER = "emu3-mini-visiontokenizer"
# The folder that holds all, with this file at emu3-mini/recipe.
MODELS = Path(__file__).resolve().parents[2]


def open_vision_tokenizer(models=MODELS):
    """The published vision tokenizer, ready to run."""
    folder = Path(models) / VISION_TOKENIZER
    model = VisionTokenizer(read_json(folder / "config.json"))
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model.eval()


def open_language_model(models=MODELS, name=LANGUAGE_MODEL):
    """A published language model in float32, ready to run."""
    folder = Path(models) / name
    config = read_json(folder / "config.json")
    model = LanguageModel(config["vocab_size"], config)
    weights = load_file(folder / "model.safetensors")
    model.load_state_dict({key: tensor.float() for key, tensor in weights.items()})
    return model.eval()


def open_tokenizer(models=MODELS, name=LANGUAGE_MODEL):
    """The tokenizer of a published language model."""
    codes = read_json(Path(models) / VISION_TOKENIZER / "config.json")["codebook_size"]
    return Tokenizer(Path(models) / name / "emu3.tiktoken", codes=codes)


def generation_settings(models=MODELS, name=LANGUAGE_MODEL):
    """guidance_scale, top_k, temperature and negative_prompt that the checkpoint recommends."""
    config = read_json(Path(models) / name / "generation_config.json")
    return {
        key: config[key] for key in ("guidance_scale", "top_k", "temperature", "negative_prompt")
    }


def to_input(pixels):
    """Pictures or frames uint8 [..., H, W, 3] -> float -1...1, [..., 3, H, W]."""
    return torch.from_numpy(np.array(pixels)).movedim(-1, -3).float() / 127.5 - 1


def to_pixels(output):
    """Float -1...1 [..., 3, H, W] -> uint8 [..., H, W, 3], truncated as the original does."""
    levels = ((output * 0.5 + 0.5).clamp(0, 1) * 255).to(torch.uint8)
    return levels.movedim(-3, -1).numpy()
