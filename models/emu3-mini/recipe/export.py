"""Write the model folders in the file layout of the original Emu3."""

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

import captions
import clip_captions
import clip_scenes
import world
from checkpoint import CLIP_MODEL, LANGUAGE_MODEL, MODELS, VISION_TOKENIZER
from json_files import write_json
from options import add_vocabulary
from progress import load
from tokenizer import TEXT_TOKENS, special_tokens, vision_tokens

CONTEXT = 2048  # tokens
CLIP_CONTEXT = 4096
TRANSFORMERS = "4.44.0"  # the version whose layout this is
NAMES = {
    "pad_token": "<|endoftext|>",
    "bos_token": "<|extra_203|>",
    "eos_token": "<|extra_204|>",
    "img_token": "<|image token|>",
    "boi_token": "<|image start|>",
    "eoi_token": "<|image end|>",
    "eol_token": "<|extra_200|>",
    "eof_token": "<|extra_201|>",
}
# Pictures are scaled to about 128 x 128, the size of the training.
MIN_PIXELS, MAX_PIXELS = 16128, 16640
EXAMPLES = [
    "a cat on a blue background",
    "an image of a rainbow on green",
    "a heart left of an apple, yellow background",
    "a rocket above a tree",
    "three apples",
    "a panda and a donut on purple",
    "a rabbit, a house and a fish, white background",
]
CLIP_TEMPERATURE = 0.5  # recommended for clips
CLIP_EXAMPLES = [
    "a rocket flies up, blue background",
    "a cat moves left on a yellow background",
    "a fox moves to the right, white background",
    "an apple gets closer on white",
    "a heart appears and goes on white",
    "a car moves right on a gray background",
    "a balloon rises, pink background",
    "a whale sinks",
]


def main():
    """Write the folders of the states that are named."""
    options = parse()
    if options.vq:
        folder = options.out / VISION_TOKENIZER
        folder.mkdir(parents=True, exist_ok=True)
        export_vision_tokenizer(load(options.vq), folder)
        print_size(folder)
    if options.lm:
        folder = options.out / LANGUAGE_MODEL
        folder.mkdir(parents=True, exist_ok=True)
        export_language_model(load(options.lm), folder, options)
        export_vocabulary(options.tiktoken, folder, CONTEXT)
        print_size(folder)
    if options.clips:
        folder = options.out / CLIP_MODEL
        folder.mkdir(parents=True, exist_ok=True)
        export_clip_model(load(options.clips), folder, options)
        export_vocabulary(options.tiktoken, folder, CLIP_CONTEXT)
        print_size(folder)


def parse():
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_vocabulary(parser)
    add = parser.add_argument
    add("--vq", default="work/vq_final.pt", help="training state; empty to leave it out")
    add("--lm", default="work/lm.pt", help="training state; empty to leave it out")
    add("--clips", default="", help="training state of train_clips.py; empty to leave it out")
    add("--out", type=Path, default=MODELS, help="folder for the folders")
    add("--world", choices=world.WORLDS, default=world.PUBLISHED, help="what the model knows")
    add("--guidance", type=float, default=1.25, help="recommended guidance scale")
    add("--clip_guidance", type=float, default=2, help="the same of the model that draws clips")
    add("--top_k", type=int, default=256, help="recommended top_k")
    return parser.parse_args()


def export_vision_tokenizer(state, folder):
    """Write weights and configuration of the vision tokenizer."""
    tensors = {key: tensor.contiguous().clone() for key, tensor in state["model"].items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = state["cfg"]
    write_json(
        folder / "config.json",
        {
            "architectures": ["Emu3VisionVQModel"],
            "attn_resolutions": config["attn_resolutions"],
            "ch": config["ch"],
            "ch_mult": config["ch_mult"],
            "codebook_size": config["codebook_size"],
            "double_z": False,
            "dropout": 0.0,
            "embed_dim": 4,
            "in_channels": 3,
            "model_type": "Emu3VisionVQ",
            "num_res_blocks": config["num_res_blocks"],
            "out_channels": 3,
            "temporal_downsample_factor": 4,
            "torch_dtype": "float32",
            "transformers_version": TRANSFORMERS,
            "z_channels": 4,
        },
    )
    write_json(
        folder / "preprocessor_config.json",
        {
            "do_convert_rgb": True,
            "do_normalize": True,
            "do_rescale": True,
            "do_resize": True,
            "image_mean": [0.5, 0.5, 0.5],
            "image_processor_type": "Emu3VisionVQImageProcessor",
            "image_std": [0.5, 0.5, 0.5],
            "max_pixels": MAX_PIXELS,
            "min_pixels": MIN_PIXELS,
            "resample": 3,
            "rescale_factor": 0.00392156862745098,
            "spatial_factor": world.PATCH,
        },
    )


def export_language_model(state, folder, options):
    """Write weights in bfloat16, configuration and recommended settings."""
    known = world.WORLDS[options.world]
    write_decoder(state, folder, world.IMAGE_AREA, CONTEXT)
    write_json(
        folder / "generation_config.json",
        {
            **settings(options.guidance, options.top_k, CONTEXT),
            "template": "chat",
            "examples": EXAMPLES,
            "max_images": 1,
            "text_only": False,
            "subjects": [world.SINGULAR[noun] for noun in known.nouns],
            "known_words": captions.known_words(known),
        },
    )


def export_clip_model(state, folder, options):
    """The same of the model that draws clips; it answers no questions."""
    known = world.WORLDS[options.world]
    write_decoder(state, folder, clip_scenes.CLIP_AREA, CLIP_CONTEXT)
    write_json(
        folder / "generation_config.json",
        {
            **settings(options.clip_guidance, options.top_k, CLIP_CONTEXT, CLIP_TEMPERATURE),
            "text_only": False,
            "video_format": "frames",
            "video_mode": "whole",
            "video_frames": clip_scenes.FRAMES,
            "video_max_frames": clip_scenes.MAX_FRAMES,
            "video_fps": 4,
            "examples": CLIP_EXAMPLES,
            "subjects": [world.SINGULAR[noun] for noun in known.nouns],
            "known_words": clip_captions.known_words(known),
        },
    )


def settings(guidance, top_k, context, temperature=0.8):
    """How to draw, in the keys of transformers."""
    special = special_tokens()
    return {
        "do_sample": True,
        "top_k": top_k,
        "temperature": temperature,
        "guidance_scale": guidance,
        "negative_prompt": "",
        "max_new_tokens": context,
        **{f"{name}_id": special[NAMES[name]] for name in ("bos_token", "eos_token", "pad_token")},
        "transformers_version": TRANSFORMERS,
    }


def write_decoder(state, folder, image_area, context):
    """Write the weights in bfloat16 and config.json."""
    tensors = {key: t.to(torch.bfloat16).contiguous() for key, t in state["model"].items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    special = special_tokens()
    ids = {f"{name}_id": special[token] for name, token in sorted(NAMES.items())}
    config = state["cfg"]
    write_json(
        folder / "config.json",
        {
            "architectures": ["Emu3ForCausalLM"],
            "attention_dropout": 0.1,
            **dict(sorted(ids.items())),
            "hidden_act": "silu",
            "hidden_size": config["hidden_size"],
            "image_area": image_area,
            "initializer_range": 0.02,
            "intermediate_size": config["intermediate_size"],
            "max_position_embeddings": context,
            "model_type": "Emu3",
            "num_attention_heads": config["num_attention_heads"],
            "num_hidden_layers": config["num_hidden_layers"],
            "num_key_value_heads": config["num_key_value_heads"],
            "pretraining_tp": 1,
            "rms_norm_eps": config["rms_norm_eps"],
            "rope_scaling": None,
            "rope_theta": config["rope_theta"],
            "tie_word_embeddings": False,
            "torch_dtype": "bfloat16",
            "transformers_version": TRANSFORMERS,
            "use_cache": True,
            "vocab_size": state["vocab"],
        },
    )


def export_vocabulary(tiktoken, folder, context):
    """Write the first ranks of Emu3's vocabulary, the vision tokens and the special tokens."""
    lines = tiktoken.read_bytes().splitlines()[:TEXT_TOKENS]
    if [int(line.split()[1]) for line in lines] != list(range(TEXT_TOKENS)):
        raise SystemExit(f"Cannot use {tiktoken}: its first {TEXT_TOKENS} lines are not in order")
    (folder / "emu3.tiktoken").write_bytes(b"\n".join(lines) + b"\n")
    (folder / "emu3_vision_tokens.txt").write_text("\n".join(vision_tokens()) + "\n")
    write_json(
        folder / "tokenizer_config.json",
        {
            **NAMES,
            "clean_up_tokenization_spaces": True,
            "errors": "replace",
            "model_max_length": context,
            "padding_side": "left",
            "tokenizer_class": "Emu3Tokenizer",
        },
    )
    plain = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    mapped = ("pad_token", "bos_token", "eos_token")
    write_json(
        folder / "special_tokens_map.json",
        {name: {"content": NAMES[name], **plain} for name in mapped},
    )


def print_size(folder):
    """Print how large a folder is."""
    size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    print(f"{folder}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
