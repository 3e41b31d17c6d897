"""The language model of a checkpoint, in PyTorch."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import Emu3TextConfig
from transformers.models.emu3.modeling_emu3 import Emu3ForCausalLM


def text_state(folder: Path) -> dict[str, torch.Tensor]:
    """Reads the tensors of the language model, by the names of the original layout."""
    state: dict[str, torch.Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        state.update(load_file(file))
    if any(key.startswith("text_model.") for key in state):
        prefix = "text_model."
        state = {
            key[len(prefix) :]: value
            for key, value in state.items()
            if key.startswith(prefix)
        }
    return {key: value.float() for key, value in state.items()}


def open_model(folder: Path) -> Emu3ForCausalLM:
    """Opens the language model of a folder, in either layout of its keys."""
    config = json.loads((folder / "config.json").read_text())
    fields = config.get("text_config", config)
    names = [
        "vocab_size",
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "rms_norm_eps",
        "max_position_embeddings",
    ]
    text = Emu3TextConfig(
        **{name: fields[name] for name in names},
        rope_theta=fields["rope_theta"],
        attention_dropout=0.0,
        tie_word_embeddings=False,
        pad_token_id=fields["pad_token_id"],
    )
    model = Emu3ForCausalLM(text)
    state = text_state(folder)
    model.load_state_dict(state, strict=True)
    return model.float()
