"""Times what a user would run instead, on the same machine.

    pip install torch==2.13.0 transformers safetensors gguf numpy
    echo | python tests/bench/peers.py language CHECKPOINT --rows 6 --columns 12
    echo | python tests/bench/peers.py vision --side 256
    python tests/bench/peers.py gguf CHECKPOINT FILE

`language` draws a grid with guidance as Emu3's README does; `vision` encodes
and decodes one picture with random weights of the published shapes (the time
does not depend on them). Both measure once for every line of their input and
answer with one JSON object a line. `gguf` writes the decoder of a checkpoint's
shape for llama.cpp, in Q4_0.
"""

import argparse
import json
import sys
import time


def language(arguments):
    """Seconds a token of guided drawings, by transformers' generate()."""
    import torch
    from safetensors.torch import load_file
    from transformers import Emu3TextConfig
    from transformers.generation import (
        LogitsProcessorList,
        PrefixConstrainedLogitsProcessor,
        UnbatchedClassifierFreeGuidanceLogitsProcessor,
    )
    from transformers.models.emu3.modeling_emu3 import Emu3ForCausalLM

    torch.set_num_threads(arguments.threads)
    with open(f"{arguments.checkpoint}/config.json") as file:
        config = Emu3TextConfig(**json.load(file))
    with torch.device("meta"):
        model = Emu3ForCausalLM(config)
    stored = load_file(f"{arguments.checkpoint}/model.safetensors")
    model.load_state_dict({key: value.float() for key, value in stored.items()}, assign=True)
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

    tokens = rows * (columns + 1)
    settings = dict(do_sample=True, top_k=2048, eos_token_id=-1, pad_token_id=0)
    with torch.no_grad():
        model.generate(prompt, max_new_tokens=2, do_sample=False, pad_token_id=0)

    def measure():
        guidance = UnbatchedClassifierFreeGuidanceLogitsProcessor(3.0, model, unconditional_ids=negative)
        layout = PrefixConstrainedLogitsProcessor(allowed, num_beams=1)
        processors = LogitsProcessorList([guidance, layout])
        start = time.perf_counter()
        with torch.no_grad():
            model.generate(prompt, logits_processor=processors, max_new_tokens=tokens, **settings)
        return {"tokens": tokens, "seconds_per_token": (time.perf_counter() - start) / tokens}

    return measure


def vision(arguments):
    """Seconds to encode and to decode one picture."""
    import torch
    from transformers import Emu3VQVAEConfig
    from transformers.models.emu3.modeling_emu3 import Emu3VQVAE

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    model = Emu3VQVAE(Emu3VQVAEConfig()).eval()
    side = arguments.side
    picture = torch.rand(1, 3, side, side) * 2 - 1
    codes = torch.randint(0, 32768, (1, side // 8, side // 8))

    def measure():
        start = time.perf_counter()
        with torch.no_grad():
            model.encode(picture, torch.tensor([[side, side]]))
            middle = time.perf_counter()
            model.decode(codes)
        end = time.perf_counter()
        return {"side": side, "encode_seconds": middle - start, "decode_seconds": end - middle}

    return measure


def gguf(arguments):
    """Writes noise of a checkpoint's shape; llama.cpp's time does not depend on it."""
    import numpy as np
    from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, TokenType
    from gguf.quants import quantize

    with open(f"{arguments.checkpoint}/config.json") as file:
        config = json.load(file)
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    heads, shared = config["num_attention_heads"], config["num_key_value_heads"]
    layers, vocabulary = config["num_hidden_layers"], config["vocab_size"]
    size = hidden // heads
    writer = GGUFWriter(arguments.file, "llama")
    writer.add_block_count(layers)
    writer.add_context_length(2048)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(shared)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_rope_dimension_count(size)
    writer.add_vocab_size(vocabulary)
    writer.add_file_type(LlamaFileType.MOSTLY_Q4_0)
    # Tokens are fed and read as numbers; their texts only have to be there.
    texts = [b"<unk>", b"<s>", b"</s>", *(f"<0x{byte:02X}>".encode() for byte in range(256))]
    kinds = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL, *[TokenType.BYTE] * 256]
    rest = vocabulary - len(texts)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(texts + [f"t{i}".encode() for i in range(rest)])
    writer.add_token_types(kinds + [TokenType.NORMAL] * rest)
    writer.add_token_scores([0.0] * vocabulary)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    random = np.random.default_rng(0)

    def matrix(name, *shape):
        noise = random.standard_normal(shape, dtype=np.float32) * np.float32(0.03)
        kind = GGMLQuantizationType.Q4_0
        writer.add_tensor(f"{name}.weight", quantize(noise, kind), raw_dtype=kind)

    def norm(name):
        writer.add_tensor(f"{name}.weight", np.ones(hidden, np.float32))

    matrix("token_embd", vocabulary, hidden)
    matrix("output", vocabulary, hidden)
    norm("output_norm")
    for layer in range(layers):
        block = f"blk.{layer}"
        norm(f"{block}.attn_norm")
        norm(f"{block}.ffn_norm")
        matrix(f"{block}.attn_q", hidden, hidden)
        matrix(f"{block}.attn_k", shared * size, hidden)
        matrix(f"{block}.attn_v", shared * size, hidden)
        matrix(f"{block}.attn_output", hidden, hidden)
        matrix(f"{block}.ffn_gate", inner, hidden)
        matrix(f"{block}.ffn_up", inner, hidden)
        matrix(f"{block}.ffn_down", hidden, inner)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def arguments_given():
    """What the command line asks for."""
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
    mode = modes.add_parser("gguf")
    mode.add_argument("checkpoint")
    mode.add_argument("file")
    mode.set_defaults(run=gguf)
    for mode in modes.choices.values():
        mode.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    arguments = arguments_given()
    measure = arguments.run(arguments)
    if measure is not None:
        for _ in sys.stdin:
            print(json.dumps(measure()), flush=True)
