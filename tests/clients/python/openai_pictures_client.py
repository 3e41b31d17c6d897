"""OpenAI's own Python client, unchanged, against the server at argv[1]: the
Responses API, questions of text alone, edits and variations of pictures."""

import base64
import struct
import zlib

import openai
from checks import run

QUESTION = "How many objects are there?"


def client_of(url):
    return openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


def drawn(client):
    answer = client.images.generate(
        prompt="three apples", extra_body={"seed": 11}
    )
    return answer.data[0].b64_json


def size_of(png):
    """Width and height, from the header."""
    return struct.unpack(">II", png[16:24])


def mask_of(png):
    """A mask whose lower half is transparent."""
    width, height = size_of(png)

    def chunk(kind, data):
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    rows = b"".join(
        b"\0" + bytes([0, 0, 0, 255 if y < height / 2 else 0]) * width
        for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def asked(client):
    return [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": QUESTION},
                {
                    "type": "input_image",
                    "image_url": f"data:image/png;base64,{drawn(client)}",
                },
            ],
        }
    ]


def a_response(url):
    """a response answers about a picture, whole and as events"""
    client = client_of(url)
    whole = client.responses.create(input=asked(client), store=False)
    assert whole.status == "completed" and whole.output_text
    usage = whole.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    events = list(client.responses.create(input=asked(client), stream=True))
    numbers = [event.sequence_number for event in events]
    assert numbers == list(range(len(events)))
    deltas = [
        event.delta
        for event in events
        if event.type == "response.output_text.delta"
    ]
    assert "".join(deltas) == whole.output_text
    assert events[-1].type == "response.completed"


def a_later_response(url):
    """a later response takes the earlier output as input"""
    client = client_of(url)
    first = client.responses.create(input=asked(client))
    later = client.responses.create(
        input=[
            *asked(client),
            *first.output,
            {"role": "user", "content": QUESTION},
        ]
    )
    assert later.output_text == first.output_text


def text_alone(url):
    """text alone is answered, or refused with what to do, as models tell"""
    client = client_of(url)
    answers = any(
        "text_only" in model.model_extra["capabilities"]
        for model in client.models.list()
    )
    for ask in [
        lambda: client.responses.create(input="Hi", max_output_tokens=16),
        lambda: client.chat.completions.create(
            model=next(
                model.id
                for model in client.models.list()
                if "caption" in model.model_extra["capabilities"]
            ),
            messages=[{"role": "user", "content": "Hi"}],
            max_tokens=16,
        ),
    ]:
        try:
            ask()
            assert answers
        except openai.UnprocessableEntityError as error:
            assert not answers and error.code == "picture-required"
            assert "attach one to the message" in str(error)


def an_edit(url):
    """an edit draws the masked part anew, and keeps the size"""
    client = client_of(url)
    picture = base64.b64decode(drawn(client))
    fields = {
        "image": ("a.png", picture),
        "mask": ("mask.png", mask_of(picture)),
        "prompt": "a cat",
        "extra_body": {"seed": 1},
    }
    edited = client.images.edit(**fields)
    png = base64.b64decode(edited.data[0].b64_json)
    assert size_of(png) == size_of(picture) and png != picture
    assert edited.model_extra["edit"]["kept_codes"] > 0
    events = list(client.images.edit(**fields, stream=True, partial_images=1))
    assert [event.type for event in events] == [
        "image_edit.partial_image",
        "image_edit.completed",
    ]
    assert events[-1].b64_json == edited.data[0].b64_json


def an_edit_without_a_mask(url):
    """an edit without a mask is refused with what to do"""
    client = client_of(url)
    picture = ("a.png", base64.b64decode(drawn(client)))
    try:
        client.images.edit(image=picture, prompt="a cat")
    except openai.UnprocessableEntityError as error:
        assert error.param == "mask" and "variations" in str(error)
    else:
        raise AssertionError("it was not refused")


def variations(url):
    """variations draw what a picture shows"""
    client = client_of(url)
    picture = ("a.png", base64.b64decode(drawn(client)))
    varied = client.images.create_variation(image=picture, n=2)
    first, second = (one.b64_json for one in varied.data)
    assert first != second
    assert varied.model_extra["variation"]["how"] == "described"


run(
    a_response,
    a_later_response,
    text_alone,
    an_edit,
    an_edit_without_a_mask,
    variations,
)
