"""KServe's and Triton's official HTTP client against the server."""

import base64
import io
import json
import urllib.request
from pathlib import Path

import numpy as np
from checks import run
from PIL import Image
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

PROMPT = "a rocket above a tree"
SEED = 11  # of the rocket in README


def client(url):
    return InferenceServerClient(url.removeprefix("http://"), network_timeout=300.0)


def native(url, path, body, accept="application/json"):
    """What the native endpoint answers."""
    headers = {"Content-Type": "application/json", "Accept": accept}
    request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
    return urllib.request.urlopen(request).read()


def bytes_input(name, value, binary=True):
    tensor = InferInput(name, [1], "BYTES")
    return tensor.set_data_from_numpy(np.array([value], dtype=np.object_), binary_data=binary)


def codes_input(codes, binary=True):
    tensor = InferInput("codes", list(codes.shape), "UINT16")
    return tensor.set_data_from_numpy(codes, binary_data=binary)


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def rocket(url):
    """The picture of the native endpoint: file, and codes."""
    body = {"prompt": PROMPT, "seed": SEED}
    image = json.loads(native(url, "/v1/generate", body))["images"][0]
    return base64.b64decode(image["b64_json"]), np.array(image["grid"]["codes"], np.uint16)


def refusal(call):
    """The message that the client shows."""
    try:
        call()
    except InferenceServerException as error:
        return error.status(), error.message()
    raise AssertionError("it was not refused")


def check_health(url):
    """health and readiness of server and models"""
    triton = client(url)
    assert triton.is_server_live()
    assert triton.is_server_ready()
    for name in ["generate", "caption", "tokenize", "detokenize"]:
        assert triton.is_model_ready(name)
        assert triton.is_model_ready(name, "1")
    assert not triton.is_model_ready("paint")
    assert not triton.is_model_ready("generate", "2")


def check_metadata(url):
    """metadata of server and models"""
    triton = client(url)
    assert "binary_tensor_data" in triton.get_server_metadata()["extensions"]
    metadata = triton.get_model_metadata("generate")
    assert metadata["inputs"] == [{"name": "prompt", "datatype": "BYTES", "shape": [1]}]
    assert [output["name"] for output in metadata["outputs"]] == ["image", "codes"]
    assert triton.get_model_metadata("generate", "1") == metadata


def check_generate(url):
    """generate in raw tensors: the codes and the file of the native endpoint"""
    file, codes = rocket(url)
    result = client(url).infer(
        "generate", [bytes_input("prompt", PROMPT)], request_id="mine", parameters={"seed": SEED}
    )
    assert result.get_response()["id"] == "mine"
    assert result.get_response()["parameters"]["seed"] == SEED
    assert np.array_equal(result.as_numpy("codes"), codes)
    assert result.as_numpy("codes").dtype == np.uint16
    assert result.as_numpy("image")[0] == file


def check_generate_json(url):
    """generate in JSON, only what is asked for, several pictures"""
    result = client(url).infer(
        "generate",
        [bytes_input("prompt", PROMPT, binary=False)],
        outputs=[InferRequestedOutput("codes", binary_data=False)],
        parameters={"seed": SEED, "n": 2, "ratio": "2:1"},
    )
    codes = result.as_numpy("codes")
    assert codes.ndim == 3 and codes.shape[0] == 2 and codes.shape[2] > codes.shape[1]
    assert result.as_numpy("image") is None


def check_detokenize(url):
    """detokenize: codes in, the very pixels of the native endpoint out"""
    file, codes = rocket(url)
    body = {"grid": {"codes": codes.tolist()}}
    expected = native(url, "/v1/detokenize", body, "image/png")
    for binary in [True, False]:
        result = client(url).infer("detokenize", [codes_input(codes, binary)])
        png = result.as_numpy("image")[0]
        assert png == expected
        assert np.array_equal(pixels(png), pixels(file))


def check_tokenize(url):
    """tokenize: the codes of a file, raw and in base64, and the tokens of text"""
    file, _ = rocket(url)
    body = {"image": base64.b64encode(file).decode()}
    grid = json.loads(native(url, "/v1/tokenize", body))["grid"]
    triton = client(url)
    for image in [bytes_input("image", file), bytes_input("image", body["image"], binary=False)]:
        asked = [InferRequestedOutput("codes")]
        codes = triton.infer("tokenize", [image], outputs=asked).as_numpy("codes")
        assert codes.tolist() == grid["codes"]
    tokens = json.loads(native(url, "/v1/tokenize", {"text": PROMPT}))["tokens"]
    result = triton.infer("tokenize", [bytes_input("text", PROMPT)])
    assert result.as_numpy("tokens").tolist() == tokens


def check_caption(url):
    """caption: the answer of the native endpoint, about a file and about codes"""
    file, codes = rocket(url)
    question = "How many objects are there?"
    body = {"image": base64.b64encode(file).decode(), "question": question}
    expected = native(url, "/v1/caption", body, "text/plain").decode().removesuffix("\n")
    asked = bytes_input("question", question)
    triton = client(url)
    text = triton.infer("caption", [bytes_input("image", file), asked]).as_numpy("text")[0]
    assert text.decode() == expected
    body = {"grid": {"codes": codes.tolist()}, "question": question}
    expected = native(url, "/v1/caption", body, "text/plain").decode().removesuffix("\n")
    text = triton.infer("caption", [codes_input(codes), asked]).as_numpy("text")[0]
    assert text.decode() == expected


def check_compression(url):
    """compressed requests and answers"""
    _, codes = rocket(url)
    triton = client(url)
    plain = triton.infer("detokenize", [codes_input(codes)]).as_numpy("image")[0]
    for name in ["gzip", "deflate"]:
        for binary in [True, False]:
            result = triton.infer(
                "detokenize",
                [codes_input(codes, binary)],
                outputs=[InferRequestedOutput("image", binary_data=binary)],
                request_compression_algorithm=name,
                response_compression_algorithm=name,
            )
            image = result.as_numpy("image")[0]
            assert (image if binary else base64.b64decode(image)) == plain


def check_async(url):
    """several at once"""
    with InferenceServerClient(url.removeprefix("http://"), concurrency=4) as triton:
        calls = [
            triton.async_infer(
                "generate",
                [bytes_input("prompt", PROMPT)],
                outputs=[InferRequestedOutput("codes")],
                parameters={"seed": seed, "strategy": "autoregressive"},
            )
            for seed in [SEED, SEED, SEED + 1]
        ]
        first, second, third = [call.get_result().as_numpy("codes") for call in calls]
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)


def check_readme(url):
    """the example of the clients page draws the picture of the native endpoint"""
    readme = (Path(__file__).parents[3] / "functions/docs/clients.md").read_text()
    [code] = [
        block.split("```")[0]
        for block in readme.split("```python\n")[1:]
        if "tritonclient" in block.split("```")[0]
    ]
    names = {}
    exec(code.replace("127.0.0.1:8080", url.removeprefix("http://")), names)
    file, codes = rocket(url)
    assert names["png"] == file
    assert np.array_equal(names["codes"], codes)


def check_errors(url):
    """errors: the client shows our message and status"""
    triton = client(url)
    prompt = bytes_input("prompt", PROMPT)
    status, message = refusal(lambda: triton.infer("generate", [prompt], parameters={"seed": -1}))
    assert (status, message) == ("422", "Cannot use request: /seed: expected 0 or more"), message
    status, message = refusal(lambda: triton.infer("paint", [prompt]))
    assert status == "404" and message.startswith('Cannot find model "paint"'), message
    status, message = refusal(lambda: triton.get_model_metadata("paint"))
    assert status == "404" and message.startswith('Cannot find model "paint"'), message
    status, message = refusal(lambda: triton.infer("tokenize", [bytes_input("image", b"no")]))
    assert status == "415" and message.startswith("Cannot read image"), message
    beyond = np.full([2, 2], 65535, np.uint16)
    status, message = refusal(lambda: triton.infer("detokenize", [codes_input(beyond)]))
    assert status == "422" and "65535" in message, message
    wanted = [InferRequestedOutput("pixels")]
    status, message = refusal(lambda: triton.infer("generate", [prompt], outputs=wanted))
    assert status == "422" and "expected image, codes" in message, message
    shared = InferInput("image", [1], "BYTES")
    shared.set_shared_memory("region", 8)
    status, message = refusal(lambda: triton.infer("tokenize", [shared]))
    assert status == "422" and "shared memory is not supported" in message, message


if __name__ == "__main__":
    run(
        check_health,
        check_metadata,
        check_generate,
        check_generate_json,
        check_detokenize,
        check_tokenize,
        check_caption,
        check_compression,
        check_async,
        check_readme,
        check_errors,
    )
