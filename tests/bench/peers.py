"""Times what a user would run instead: transformers' Emu3 on the same machine.

    pip install torch==2.13.0 transformers safetensors
    python tests/bench/peers.py language CHECKPOINT --rows 6 --columns 12
    python tests/bench/peers.py vision --side 256

`language` draws a grid with guidance as Emu3's README does; `vision` encodes
and decodes one picture with random weights of the published shapes (the time
does not depend on them). The last line is one JSON object.
"""

import argparse
import json
import time

import torch


def language(arguments):
    """Tokens a second of a guided drawing, by transformers' generate()."""
    from safetensors.torch import load_file
    from transformers import Emu3TextConfig
    from transformers.generation import (
        LogitsProcessorList,
        PrefixConstrainedLogitsProcessor,
        UnbatchedClassifierFreeGuidanceLogitsProcessor,
    )
    from transformers.models.emu3.modeling_emu3 import Emu3ForCausalLM

    with open(f"{arguments.checkpoint}/config.json") as file:
        config = Emu3TextConfig(**json.load(file))
    with torch.device("meta"):
        model = Emu3ForCausalLM(config)
    state = load_file(f"{arguments.checkpoint}/model.safetensors")
    model.load_state_dict(state, assign=True)
    model.model.rotary_emb = type(model.model.rotary_emb)(config)
    model.eval()
    rows, columns = arguments.rows, arguments.columns
    prompt = torch.randint(100, 2000, (1, 23))
    negative = torch.randint(100, 2000, (1, 52))
    visual = list(range(config.vocab_size - 32768, config.vocab_size))
    end_of_row = visual[0] - 1

    def allowed(_, ids):
        offset = len(ids) - prompt.shape[1] + 1
        return [end_of_row] if offset % (columns + 1) == 0 else visual

    processors = LogitsProcessorList([
        UnbatchedClassifierFreeGuidanceLogitsProcessor(3.0, model, unconditional_ids=negative),
        PrefixConstrainedLogitsProcessor(allowed, num_beams=1),
    ])
    tokens = rows * (columns + 1)
    settings = dict(do_sample=True, top_k=2048, eos_token_id=-1, pad_token_id=0)
    model.generate(prompt, max_new_tokens=2, do_sample=False, pad_token_id=0)
    start = time.perf_counter()
    model.generate(prompt, logits_processor=processors, max_new_tokens=tokens, **settings)
    return {"tokens": tokens, "seconds_per_token": (time.perf_counter() - start) / tokens}


def vision(arguments):
    """Seconds to encode and to decode one picture."""
    from transformers import Emu3VQVAEConfig
    from transformers.models.emu3.modeling_emu3 import Emu3VQVAE

    torch.manual_seed(0)
    model = Emu3VQVAE(Emu3VQVAEConfig()).eval()
    side = arguments.side
    start = time.perf_counter()
    model.encode(torch.rand(1, 3, side, side) * 2 - 1, torch.tensor([[side, side]]))
    middle = time.perf_counter()
    model.decode(torch.randint(0, 32768, (1, side // 8, side // 8)))
    end = time.perf_counter()
    return {"side": side, "encode_seconds": middle - start, "decode_seconds": end - middle}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    modes = parser.add_subparsers(required=True)
    mode = modes.add_parser("language")
    mode.add_argument("checkpoint")
    mode.add_argument("--rows", type=int, default=6)
    mode.add_argument("--columns", type=int, default=12)
    mode.set_defaults(run=language)
    mode = modes.add_parser("vision")
    mode.add_argument("--side", type=int, default=256)
    mode.set_defaults(run=vision)
    for mode in modes.choices.values():
        mode.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with torch.no_grad():
        print(json.dumps(arguments.run(arguments)))
