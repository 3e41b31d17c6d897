"""Adapters made by PEFT on the miniature checkpoint, and the logits with them.

    python reference.py make GOLDEN_FOLDER
    python reference.py check GOLDEN_FOLDER ADAPTER_FOLDER LOGITS_FILE

`make` writes adapters/NAME, one folder for each, and adapters/logits.safetensors. `check` opens an
adapter that was made elsewhere and compares its logits, for the same tokens.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).parent.parent / "tuning"))

from reference import MODULES, hashed, open_model  # noqa: E402

TOLERANCE = 1e-4
TOKENS = [(37 * i + 11) % 1700 for i in range(24)]
# Positions whose logits are kept.
KEPT = [0, 11, 23]

CONFIGS = {
    "plain": LoraConfig(r=4, lora_alpha=8, target_modules=MODULES, task_type="CAUSAL_LM"),
    "patterns": LoraConfig(
        r=4,
        lora_alpha=6,
        use_rslora=True,
        target_modules=r".*\.(self_attn\.(q|v)_proj|mlp\.down_proj)",
        rank_pattern={r"layers\.1\..*q_proj": 2, "down_proj": 3},
        alpha_pattern={"layers.0.self_attn.v_proj": 12},
        task_type="CAUSAL_LM",
    ),
    "headed": LoraConfig(
        r=2,
        lora_alpha=4,
        target_modules=["o_proj", "up_proj"],
        layers_to_transform=[1],
        modules_to_save=["lm_head"],
        task_type="CAUSAL_LM",
    ),
}


def fill(model: torch.nn.Module) -> None:
    """Fills all that is trained with hashed numbers."""
    named = sorted((n, p) for n, p in model.named_parameters() if p.requires_grad)
    with torch.no_grad():
        for seed, (_, parameter) in enumerate(named):
            values = hashed(parameter.numel(), seed).reshape(parameter.shape)
            # Half floats are exact in every type.
            parameter.copy_((values * 0.3).half().float())


def logits_of(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.tensor([TOKENS])).logits[0].float()


def make(golden: Path) -> None:
    out = golden / "adapters"
    base = golden / "checkpoints" / "emu3-tiny"
    kept = {"base": logits_of(open_model(base).eval())[KEPT].contiguous()}
    for name, config in CONFIGS.items():
        model = get_peft_model(open_model(base), config).eval()
        fill(model)
        model.save_pretrained(out / name)
        shrink(out / name)
        again = PeftModel.from_pretrained(open_model(base), out / name).eval()
        kept[name] = logits_of(again)[KEPT].contiguous()
        moved = (kept[name] - kept["base"]).abs().max().item()
        print(f"{name}: logits differ from the base's by up to {moved:.3f}")
    save_file(kept, out / "logits.safetensors")


def shrink(folder: Path) -> None:
    """Stores weights in fp16, and settings without a path of this machine."""
    path = folder / "adapter_model.safetensors"
    save_file({k: v.half() for k, v in load_file(path).items()}, path)
    settings = folder / "adapter_config.json"
    fields = json.loads(settings.read_text())
    fields["base_model_name_or_path"] = "emu3-tiny"
    settings.write_text(json.dumps(fields, indent=1, sort_keys=True) + "\n")
    (folder / "README.md").unlink(missing_ok=True)


def check(golden: Path, adapter: Path, logits: Path) -> None:
    base = golden / "checkpoints" / "emu3-tiny"
    model = PeftModel.from_pretrained(open_model(base), adapter).eval()
    expected = logits_of(model)[KEPT]
    worst = (load_file(logits)["logits"] - expected).abs().max().item()
    print(f"{adapter.name}: logits of both differ by up to {worst:.1e}")
    if not worst < TOLERANCE:
        sys.exit(1)


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(1)
    command, *folders = sys.argv[1:]
    {"make": make, "check": check}[command](*map(Path, folders))
