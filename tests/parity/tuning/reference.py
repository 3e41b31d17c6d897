"""Gradients and losses of the miniature checkpoints in PyTorch and PEFT.

    python reference.py GOLDEN_FOLDER OUT_FOLDER

writes gradients.json (norms and projections, for the quick tests) and one
safetensors file of all gradients for each case.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from text_model import open_model

PROJECTIONS = 4
NO_LABEL = -100
# Layers that have an adapter, and whether the sequences are replayed.
ADAPTED = {
    "lora": (None, False),
    "replay": (None, True),
    "upper": ([1], True),
    "lower": ([0], False),
}
MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def hashed(count: int, seed: int) -> torch.Tensor:
    """Numbers in [-0.5, 0.5) that any language computes to the bit."""
    i = torch.arange(count, dtype=torch.int64)
    x = (i * 2654435761 + seed * 40503) % 2**32
    x = (x ^ (x >> 15)) * 2246822519 % 2**32
    x = x ^ (x >> 13)
    return (x.double() / 2**32 - 0.5).float()


def sequences(vocabulary: int, first: int) -> list[tuple[list[int], list[int]]]:
    """Two sequences: text without labels, then labeled codes with gaps."""
    made = []
    for number, length in enumerate([37, 150]):
        values = hashed(length, 1000 + number).double() + 0.5
        tokens = []
        labels = []
        for i, value in enumerate(values.tolist()):
            code = i >= 9
            token = first + int(value * (vocabulary - first)) if code else int(value * first)
            tokens.append(token)
            labels.append(token if code and i % 7 != 3 else NO_LABEL)
        made.append((tokens, labels))
    return made


def set_adapters(model: torch.nn.Module) -> None:
    """Fills A and B, in the order of layers and modules, with hashed numbers."""
    named = dict(model.named_parameters())
    with torch.no_grad():
        for seed, name in enumerate(ordered_adapters(named)):
            parameter = named[name]
            values = hashed(parameter.numel(), seed).reshape(parameter.shape)
            parameter.copy_(values * 0.2)


def ordered_adapters(named: dict[str, torch.nn.Parameter]) -> list[str]:
    def order(name: str) -> tuple[int, int, int]:
        parts = name.split(".")
        layer = int(parts[parts.index("layers") + 1])
        module = next(i for i, m in enumerate(MODULES) if m in parts)
        return layer, module, int("lora_B" in parts)

    return sorted((n for n in named if "lora_" in n), key=order)


def short_name(name: str) -> str:
    name = name.replace("base_model.model.", "").replace(".default", "")
    return name.replace(".base_layer", "")


def backward(model: torch.nn.Module, made: list, replayed: bool) -> float:
    """The mean loss over all labels of the sequences, and its gradients.

    Of replayed ones the probabilities without the adapter are the targets.
    """
    count = sum(sum(l != NO_LABEL for l in labels[1:]) for _, labels in made)
    total = 0.0
    for tokens, labels in made:
        logits = model(torch.tensor([tokens])).logits[0].float()[:-1]
        targets = torch.tensor(labels[1:])
        if replayed:
            with torch.no_grad(), model.disable_adapter():
                base = model(torch.tensor([tokens])).logits[0].float()[:-1]
            labeled = targets != NO_LABEL
            targets, logits = base[labeled].softmax(-1), logits[labeled]
        loss = torch.nn.functional.cross_entropy(
            logits,
            targets,
            ignore_index=NO_LABEL,
            reduction="sum",
        )
        (loss / count).backward()
        total += loss.item()
    return total / count


def summary(gradient: torch.Tensor, seed: int) -> dict:
    flat = gradient.double().flatten()
    signs = [
        torch.where(hashed(flat.numel(), 7000 + seed * PROJECTIONS + k) < 0, -1.0, 1.0)
        for k in range(PROJECTIONS)
    ]
    return {
        "norm": flat.norm().item(),
        "projections": [(flat * s.double()).sum().item() for s in signs],
    }


def steps(model: torch.nn.Module, made: list, replayed: bool, rate: float) -> list[float]:
    """Losses of 50 steps of AdamW on both sequences, clipped, with warm-up."""
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in trained if p.dim() > 1], "weight_decay": 0.1},
            {"params": [p for p in trained if p.dim() == 1], "weight_decay": 0.0},
        ],
        lr=rate,
        betas=(0.9, 0.95),
        eps=1e-6,
    )
    losses = []
    for step in range(50):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 10)
        optimizer.zero_grad()
        losses.append(backward(model, made, replayed))
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
    return losses


def main() -> None:
    golden, out = Path(sys.argv[1]), Path(sys.argv[2])
    torch.manual_seed(0)
    torch.set_num_threads(1)
    cases = {}
    for folder in ["emu3-tiny", "emu3-tiny-hf"]:
        for method in ["full", *ADAPTED]:
            model = open_model(golden / "checkpoints" / folder)
            layers, replayed = ADAPTED.get(method, (None, False))
            if method != "full":
                config = LoraConfig(
                    r=4, lora_alpha=8, target_modules=MODULES, layers_to_transform=layers
                )
                model = get_peft_model(model, config)
                set_adapters(model)
            made = sequences(1747, 1235)
            loss = backward(model, made, replayed)
            gradients = {
                short_name(name): parameter.grad.clone()
                for name, parameter in model.named_parameters()
                if parameter.requires_grad
            }
            save_file(gradients, out / f"{folder}-{method}.safetensors")
            cases[f"{folder} {method}"] = {
                "loss": loss,
                "gradients": {
                    name: summary(gradient, seed)
                    for seed, (name, gradient) in enumerate(sorted(gradients.items()))
                },
                "steps": steps(model, made, replayed, 1e-3 if method == "full" else 1e-2),
            }
    text = json.dumps(cases, indent=1)
    (golden / "tuning" / "gradients.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
