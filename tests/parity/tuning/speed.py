"""Tokens for each second of processor time, by PyTorch and PEFT.

    python speed.py CHECKPOINT lora|full LENGTH PROMPT

The counterpart of tests/bench/tuning_speed.ts, which runs it.
"""

import sys
import time
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model

from reference import MODULES, NO_LABEL, open_model

BATCH = 4
STEPS = 3


def main() -> None:
    folder, method, length, prompt = sys.argv[1:]
    length, prompt = int(length), int(prompt)
    torch.set_num_threads(1)
    model = open_model(Path(folder))
    vocabulary = model.config.vocab_size
    if method == "lora":
        config = LoraConfig(r=16, lora_alpha=32, target_modules=MODULES)
        model = get_peft_model(model, config)
    tokens = [i * 7919 % vocabulary for i in range(length)]
    labels = [NO_LABEL if i < prompt else token for i, token in enumerate(tokens)]
    ids, targets = torch.tensor([tokens] * BATCH), torch.tensor([labels] * BATCH)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, betas=(0.9, 0.95))
    for _ in range(STEPS):
        before = time.process_time()
        logits = model(ids).logits.float()
        loss = torch.nn.functional.cross_entropy(
            logits[:, :-1].reshape(-1, vocabulary),
            targets[:, 1:].reshape(-1),
            ignore_index=NO_LABEL,
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 5.0)
        optimizer.step()
        optimizer.zero_grad()
        seconds = time.process_time() - before
    print(round(BATCH * length / seconds))


if __name__ == "__main__":
    main()
