"""What schemathesis cannot guess: bytes that are pictures or codes, and other media types of answers."""

import base64
import json
import random
import struct
import urllib.parse
import zlib

import schemathesis
from hypothesis import strategies as st


def png(height, width, color):
    rows = (b"\0" + bytes(color) * width) * height

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def npy(dtype, fortran, shape, data):
    axes = "".join(f"{axis}, " for axis in shape)
    header = f"{{'descr': '{dtype}', 'fortran_order': {fortran}, 'shape': ({axes}), }}\n".encode()
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header + data


SIDES = st.integers(1, 40)
PICTURES = st.builds(png, SIDES, SIDES, st.tuples(*[st.integers(0, 255)] * 3))


@st.composite
def arrays(draw):
    size = draw(st.sampled_from([1, 2, 4, 8]))
    dtype = draw(st.sampled_from("<>|")) + draw(st.sampled_from("iuf")) + str(size)
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    count = 1
    for axis in shape:
        count *= axis
    return npy(dtype, draw(st.booleans()), shape, draw(st.binary(min_size=size * count, max_size=size * count)))


def damaged(strategy):
    """Mostly whole, sometimes with a byte that is wrong or an end that is missing."""

    def damage(file, at, byte, cut):
        at = 1 + at % (len(file) - 1)
        return file[:at] if cut else file[:at] + bytes([byte]) + file[at + 1 :]

    broken = st.builds(damage, strategy, st.integers(0, 2**16), st.integers(0, 255), st.booleans())
    return st.one_of(strategy, strategy, broken, st.binary(min_size=1, max_size=64))


for media_type in ["image/png", "image/jpeg", "image/webp", "image/gif"]:
    schemathesis.openapi.media_type(media_type, damaged(PICTURES))
schemathesis.openapi.media_type("application/x-npy", damaged(arrays()))
schemathesis.openapi.media_type("application/octet-stream", st.binary(min_size=1, max_size=64))


# Sides of grids are whole in codes, and codes those of emu3-mini.
PIXELS_PER_CODE = 8
CODEBOOK_SIZE = 2048
PICTURE = "data:image/png;base64," + base64.b64encode(png(16, 24, (200, 40, 40))).decode()
MODELS = ["emu3-mini", "emu3-mini-visiontokenizer"]
FUNCTIONS = ["generate", "caption", "tokenize", "detokenize"]


# The server under test sends no webhooks and has no adapters.
LEFT_OUT = object()


def question(chance):
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PICTURE}}]
    return {"role": "user", "content": parts[: chance.choice([1, 2, 2, 2])]}


def tensor(name, shape, datatype, data):
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def inference(model, chance):
    """Tensors that a model takes."""
    rows = [[chance.randrange(CODEBOOK_SIZE) for _ in range(2)] for _ in range(chance.choice([1, 2, 3]))]
    codes = tensor("codes", [len(rows), 2], "UINT16", rows)
    image = tensor("image", [1], "BYTES", [PICTURE])
    match model:
        case "generate":
            parameters = {"height": 16, "width": 24, "n": chance.choice([1, 2]), "seed": 1}
            return {"inputs": [tensor("prompt", [1], "BYTES", ["a cat"])], "parameters": parameters}
        case "caption":
            return {"inputs": [chance.choice([codes, image])], "parameters": {"max_tokens": 4}}
        case "tokenize":
            return {"inputs": [chance.choice([image, tensor("text", [1], "BYTES", ["a cat"])])]}
        case _:
            return {"inputs": [codes]}


def raw(request):
    """JSON, and its tensors as bytes behind it."""
    behind = b""
    inputs = []
    for one in request["inputs"]:
        if one["datatype"] == "BYTES":
            files = [element_bytes(element) for element in one["data"]]
            data = b"".join(struct.pack("<I", len(file)) + file for file in files)
        else:
            data = b"".join(struct.pack("<H", code) for row in one["data"] for code in row)
        behind += data
        head = {name: one[name] for name in ["name", "shape", "datatype"]}
        inputs.append({**head, "parameters": {"binary_data_size": len(data)}})
    head = json.dumps({**request, "inputs": inputs}).encode()
    return head + behind, len(head)


def element_bytes(text):
    return base64.b64decode(text.split(",")[1]) if text.startswith("data:") else text.encode()


def fit(name, value, chance):
    """A valid value that gets further: what no schema says, said here."""
    match name, value:
        case "model", str():
            return chance.choice(MODELS)
        case "image", str():
            return PICTURE
        case "images" | "frames", list():
            return [PICTURE for _ in value[:8]]
        case "ratio", str():
            return chance.choice(["1:1", "16:9", "1:4"])
        case "image_area", int() | float():
            return 64 + int(value) % 4096
        case "height" | "width", int() | float():
            return PIXELS_PER_CODE * (1 + int(value) % 6)
        case "webhook" | "adapter", _:
            return LEFT_OUT
        case "messages", list():
            return [*value[:2], question(chance)]
        case "size", str():
            return chance.choice(["auto", "64x64", "1024x768"])
        case "max_tokens", int() | float():
            return 1 + int(value) % 16
        case "grid" | "prefix", {"codes": rows}:
            return {"codes": fit_rows(rows)}
        case "grids", list():
            return [{"codes": fit_rows(grid["codes"])} for grid in value[:2]]
        case "clip", {"codes": frames}:
            return {"codes": [fit_rows(frames[0]) for _ in frames[:4]]}
        case "prompt", dict():
            return fit_fields(value, chance)
        case _:
            return value


def fit_fields(fields, chance):
    fitted = {name: fit(name, value, chance) for name, value in fields.items()}
    return {name: value for name, value in fitted.items() if value is not LEFT_OUT}


def fit_rows(rows):
    width = min(len(row) for row in rows)
    return [[int(code) % CODEBOOK_SIZE for code in row[:width]] for row in rows]


def chance_of(case):
    """The same for the same case, so that a seed says what is sent."""
    return random.Random(f"{case.operation.label} {case.body!r} {case.query!r}")


def fit_inference(case, chance):
    """Tensors of the model that the path names, as JSON or raw."""
    model = (case.path_parameters or {}).get("model")
    request = inference(model if model in FUNCTIONS else chance.choice(FUNCTIONS), chance)
    if chance.random() < 0.5:
        request.setdefault("parameters", {})["binary_data_output"] = True
    headers = {name: value for name, value in (case.headers or {}).items() if name != LENGTH}
    if isinstance(case.body, bytes):
        case.body, length = raw(request)
        headers[LENGTH] = str(length)
    elif isinstance(case.body, dict):
        case.body = {**case.body, **request}
    case.headers = headers


LENGTH = "Inference-Header-Content-Length"


def is_positive(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


@schemathesis.hook
def map_case(context, case):
    """Four of five valid bodies are made to fit the model."""
    chance = chance_of(case)
    fitting = is_positive(case) and chance.random() < 0.8
    if fitting and case.operation.path.endswith("/infer"):
        fit_inference(case, chance)
    elif fitting and isinstance(case.body, dict):
        case.body = fit_fields(case.body, chance)
    return case


@schemathesis.hook
def filter_case(context, case):
    """A longer address never reaches the application: the HTTP server refuses it."""
    query = urllib.parse.urlencode(case.query or {}, doseq=True, errors="surrogatepass")
    return len(query) + len(case.formatted_path) < 60_000


@schemathesis.hook
def before_call(context, case, kwargs):
    """Asks for any of the types that the document has, not only for the first; links need JSON."""
    if "Accept" in (case.headers or {}):
        return
    if case.operation.path == "/mcp":
        case.headers = {**(case.headers or {}), "Accept": "application/json, text/event-stream"}
        return
    responses = case.operation.definition.raw.get("responses", {})
    types = sorted(responses.get("200", {}).get("content", {}))
    if case.meta is not None and case.meta.phase.name == "stateful":
        types = ["application/json"]
    accept = chance_of(case).choice([*types, "*/*"])
    case.headers = {**(case.headers or {}), "Accept": accept}
