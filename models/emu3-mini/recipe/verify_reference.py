"""Compare the published weights with transformers' Emu3VQVAE and LlamaForCausalLM.

Needs `pip install transformers==5.23.0` beside requirements.txt.
"""

import argparse
import random
import re
from pathlib import Path

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.models.emu3.configuration_emu3 import Emu3VQVAEConfig
from transformers.models.emu3.modeling_emu3 import Emu3VQVAE

import world
from checkpoint import MODELS, open_language_model, open_vision_tokenizer, to_input
from drawing import render
from scenes import held_scenes

PICTURES = 12
TOKENS = 300
# Names of the original -> names of transformers, in this order.
RENAMED = [
    (r"\.q\.", ".q_proj."),
    (r"\.k\.", ".k_proj."),
    (r"\.v\.", ".v_proj."),
    (r"\.proj_out\.", ".out_proj."),
    (r"mid\.attn_1\.norm\.", "mid.attn_norm."),
    (r"attn\.([0-3])\.norm\.", r"attn_norms.\1."),
    (r"\.down\.", ".down_block.down."),
    (r"\.up\.", ".up_block.up."),
    (r"\.mid\.", ".middle_block."),
]


def main():
    """Print the differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=MODELS, help="folder with both models")
    options = parser.parse_args()
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    compare_vision(open_vision_tokenizer(options.models))
    compare_language(open_language_model(options.models))


def compare_vision(model):
    """Codes and decoded pixels of pictures and of a clip."""
    other = transformers_vision(model)
    equal = total = difference = 0
    known = world.WORLDS[world.PUBLISHED]
    pictures = [render(scene) for scene in held_scenes(random.Random(0), PICTURES, known)]
    for picture in pictures:
        x = to_input(picture)[None]
        codes = model.encode(x)
        expected = other.encode(x, torch.tensor([picture.shape[:2]])).image_tokens[0][None]
        equal, total = equal + int((codes == expected).sum()), total + codes.numel()
        decoded = other.decode(codes).reshape(x.shape)
        difference = max(difference, float((model.decode(codes) - decoded).abs().max()))
    print(f"pictures: {equal}/{total} codes equal, decoded differ by at most {difference:.1e}")
    shifted = [np.roll(pictures[0], 2 * time, 1) for time in range(4)]
    clip = to_input(np.stack(shifted))[None]
    codes = model.encode(clip)
    latents = other.quant_conv(other.encoder(clip).permute(0, 2, 1, 3, 4))
    expected = other.quantize(latents.permute(0, 2, 1, 3, 4))
    equal, difference = int((codes == expected).sum()), model.decode(codes) - other.decode(codes)
    difference = float(difference.abs().max())
    print(f"clip: {equal}/{codes.numel()} codes equal, decoded differ by at most {difference:.1e}")


def transformers_vision(model):
    """The same weights in the port."""
    config = model.config
    other = Emu3VQVAE(
        Emu3VQVAEConfig(
            codebook_size=config["codebook_size"],
            embed_dim=config["embed_dim"],
            latent_channels=config["z_channels"],
            double_latent=False,
            temporal_downsample_factor=config["temporal_downsample_factor"],
            base_channels=config["ch"],
            channel_multiplier=config["ch_mult"],
            num_res_blocks=config["num_res_blocks"],
            attn_resolutions=config["attn_resolutions"],
            hidden_size=config["ch"] * config["ch_mult"][-1],
        )
    ).eval()
    shapes = {key: tensor.shape for key, tensor in other.state_dict().items()}
    renamed = {_renamed(key): tensor for key, tensor in model.state_dict().items()}
    other.load_state_dict({key: tensor.reshape(shapes[key]) for key, tensor in renamed.items()})
    return other


def compare_language(model):
    """Logits of random tokens."""
    config = model.config
    same = (
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "intermediate_size",
        "rms_norm_eps",
        "max_position_embeddings",
    )
    settings = LlamaConfig(**{key: config[key] for key in same}, tie_word_embeddings=False)
    settings.rope_parameters = {"rope_type": "default", "rope_theta": config["rope_theta"]}
    other = LlamaForCausalLM(settings).eval()
    other.load_state_dict(model.state_dict())
    tokens = torch.randint(0, config["vocab_size"], (1, TOKENS))
    logits = model(tokens) @ model.lm_head.weight.t()
    difference = float((logits - other(tokens).logits).abs().max())
    print(f"language model: logits differ by at most {difference:.1e}")


def _renamed(key):
    for pattern, replacement in RENAMED:
        key = re.sub(pattern, replacement, key)
    return key


if __name__ == "__main__":
    main()
