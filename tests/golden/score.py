"""Log-likelihoods of the golden pictures and answers by transformers, each token given.

Usage: python score.py > score.json
"""

import json
import sys
from pathlib import Path

import torch
import transformers

HERE = Path(__file__).parent
pictures = json.loads((HERE / "generate.json").read_text())
chats = json.loads((HERE / "chat.json").read_text())
FIRST_CODE, EOL, EOS = (pictures["ids"][name] for name in ("vis", "eol", "eos"))
CODES = 512
model = transformers.Emu3ForConditionalGeneration.from_pretrained(
    HERE / "checkpoints/emu3-tiny-hf", dtype=torch.float32
).eval()


def logits(prompt, given):
    """What is said of each given token, [S, V]."""
    with torch.no_grad():
        states = model.model.text_model(input_ids=torch.tensor([prompt + given]))[0]
        return model.lm_head(states)[0, len(prompt) - 1 : -1].double()


def rows(case, guidance):
    """Of each row of codes, the sum over its codes."""
    given = [t for row in case["codes"] for t in [*(FIRST_CODE + c for c in row), EOL]]
    judged = logits(case["prompt_ids"], given)
    if guidance != 1:
        free = logits(case["negative_ids"], given)
        judged = free + guidance * (judged - free)
    judged = torch.log_softmax(judged[:, FIRST_CODE : FIRST_CODE + CODES], -1)
    width = len(case["codes"][0]) + 1
    return [
        sum(judged[y * width + x, code].item() for x, code in enumerate(row))
        for y, row in enumerate(case["codes"])
    ]


def answer(case):
    """Of each token of the answer, and of EOS."""
    given = [t for t in case["answer_ids"] if t != EOS] + [EOS]
    judged = torch.log_softmax(logits(case["prompt_ids"], given), -1)
    return [judged[i, token].item() for i, token in enumerate(given)]


json.dump(
    {
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "pictures": [
            {"name": c["name"], "guided": rows(c, c["guidance"]), "unguided": rows(c, 1)}
            for c in pictures["cases"]
        ],
        "answers": [{"name": c["name"], "logprobs": answer(c)} for c in chats["cases"]],
    },
    sys.stdout,
    indent=1,
)
