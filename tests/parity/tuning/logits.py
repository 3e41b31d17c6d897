"""Logits of a tiny checkpoint with an adapter, by PEFT.

    python logits.py CHECKPOINT ADAPTER TOKENS

prints the mean loss of the tokens, and the logits of the last one, as JSON.
"""

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel

from reference import open_model


def main() -> None:
    folder, adapter, tokens = sys.argv[1:]
    model = PeftModel.from_pretrained(open_model(Path(folder)), adapter)
    ids = torch.tensor([json.loads(tokens)])
    with torch.no_grad():
        logits = model(ids).logits[0].float()
    loss = torch.nn.functional.cross_entropy(logits[:-1], ids[0, 1:])
    print(json.dumps({"loss": loss.item(), "last": logits[-1].tolist()}))


if __name__ == "__main__":
    main()
