"""OpenAI's own Python client, unchanged, against the server at argv[1].

The server may have any models that draw and answer; the embedded ones will do.
"""

import asyncio
import base64
import struct
import sys

import openai

URL = sys.argv[1].rstrip("/")
PROMPT = "three apples"
QUESTION = "How many objects are there?"
client = openai.OpenAI(base_url=f"{URL}/v1", api_key="none", max_retries=0)
passed = 0


def check(test):
    global passed
    test()
    passed += 1
    print(f"ok {test.__name__}", flush=True)


def model_named(capability):
    return next(
        model
        for model in client.models.list()
        if capability in model.model_extra["capabilities"]
    )


def failure(call):
    try:
        call()
    except openai.APIError as error:
        return error
    raise AssertionError("it did not fail")


def png_size(picture):
    """Width and height, from the header."""
    data = base64.b64decode(picture)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", data[16:24])


DRAWER = model_named("generate").id
ANSWERER = model_named("caption").id


def draw(**fields):
    extra = {"seed": 11, **fields.pop("extra_body", {})}
    return client.images.generate(
        model=DRAWER, prompt=PROMPT, extra_body=extra, **fields
    )


PICTURE = draw().data[0].b64_json
MESSAGES = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": QUESTION},
            {
                "type": "image_url",
                "image_url": {"url": f"data:image/png;base64,{PICTURE}"},
            },
        ],
    }
]


def ask(**fields):
    fields = {"model": ANSWERER, "messages": MESSAGES, **fields}
    return client.chat.completions.create(**fields)


def models_are_listed_and_retrieved():
    assert client.models.retrieve(DRAWER).object == "model"
    assert DRAWER in [model.id for model in client.models.list().data]


def a_picture_has_the_ratio_that_is_asked_for():
    drawn = draw(size="1536x1024")
    width, height = png_size(drawn.data[0].b64_json)
    assert drawn.size == f"{width}x{height}"
    assert 1.3 < width / height < 1.7
    assert drawn.output_format == "png" and drawn.background == "opaque"
    assert drawn.model_extra["seed"] == 11


def a_seed_repeats_a_picture():
    assert draw().data[0].b64_json == PICTURE
    assert draw(extra_body={"seed": 12}).data[0].b64_json != PICTURE


def usage_adds_up():
    usage = draw().usage
    assert usage.input_tokens > 0 and usage.output_tokens > 0
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert usage.input_tokens_details.text_tokens == usage.input_tokens


def several_pictures_are_drawn():
    data = draw(n=2, size="auto").data
    assert len(data) == 2 and data[0].b64_json != data[1].b64_json


def a_jpeg_is_made():
    drawn = draw(output_format="jpeg", output_compression=60)
    assert drawn.output_format == "jpeg"
    assert base64.b64decode(drawn.data[0].b64_json)[:2] == b"\xff\xd8"


def partial_pictures_are_streamed():
    *partial, last = list(draw(stream=True, partial_images=2))
    assert [event.type for event in partial] == [
        "image_generation.partial_image"
    ] * 2
    assert [event.partial_image_index for event in partial] == [0, 1]
    heights = [png_size(event.b64_json)[1] for event in [*partial, last]]
    assert heights == sorted(set(heights))
    assert last.type == "image_generation.completed"
    assert last.b64_json == PICTURE
    assert last.usage.total_tokens > 0 and last.output_format == "png"


def a_question_is_answered():
    answer = ask()
    choice = answer.choices[0]
    assert answer.object == "chat.completion" and answer.model == ANSWERER
    assert choice.message.role == "assistant" and choice.message.content
    assert choice.finish_reason == "stop"
    usage = answer.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def an_answer_is_streamed():
    whole = ask()
    stream = ask(stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert deltas[0].role == "assistant"
    text = "".join(delta.content or "" for delta in deltas)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert chunks[-2].choices[0].finish_reason == "stop"


def an_answer_is_bounded_and_stopped():
    assert ask(max_tokens=1).choices[0].finish_reason == "length"
    assert ask(max_completion_tokens=1).usage.completion_tokens == 1
    whole = ask().choices[0].message.content
    stopped = ask(stop=[whole[1:3]]).choices[0]
    assert stopped.message.content == whole[:1]
    assert stopped.finish_reason == "stop"


def a_conversation_is_about_its_last_question_and_picture():
    again = [
        {"role": "user", "content": [MESSAGES[0]["content"][1]]},
        {"role": "assistant", "content": "Something."},
        {"role": "user", "content": QUESTION},
    ]
    assert ask(messages=again).choices[0].message == ask().choices[0].message


def errors_show_our_message():
    unknown = failure(
        lambda: client.images.generate(model="gpt-image-2", prompt=PROMPT)
    )
    assert isinstance(unknown, openai.NotFoundError)
    assert unknown.status_code == 404 and unknown.code == "unknown-model"
    assert 'Cannot find model "gpt-image-2"' in str(unknown)
    for name, call in {
        "n": lambda: draw(n=9),
        "response_format": lambda: draw(response_format="file"),
        "output_format": lambda: draw(output_format="gif"),
        "tools": lambda: ask(
            tools=[{"type": "function", "function": {"name": "look"}}]
        ),
        "messages": lambda: ask(messages=[{"role": "user", "content": " "}]),
    }.items():
        error = failure(call)
        assert isinstance(error, openai.UnprocessableEntityError), error
        assert error.param == name and error.code == "invalid-fields"
        assert f"Cannot use request: /{name}: " in str(error)


def the_asynchronous_client_does_the_same():
    async def run():
        async with openai.AsyncOpenAI(
            base_url=f"{URL}/v1", api_key="none", max_retries=0
        ) as asynchronous:
            stream = await asynchronous.chat.completions.create(
                model=ANSWERER, messages=MESSAGES, stream=True
            )
            parts = [
                choice.delta.content or ""
                async for chunk in stream
                for choice in chunk.choices
            ]
        return "".join(parts)

    assert asyncio.run(run()) == ask().choices[0].message.content


for test in [
    models_are_listed_and_retrieved,
    a_picture_has_the_ratio_that_is_asked_for,
    a_seed_repeats_a_picture,
    usage_adds_up,
    several_pictures_are_drawn,
    a_jpeg_is_made,
    partial_pictures_are_streamed,
    a_question_is_answered,
    an_answer_is_streamed,
    an_answer_is_bounded_and_stopped,
    a_conversation_is_about_its_last_question_and_picture,
    errors_show_our_message,
    the_asynchronous_client_does_the_same,
]:
    check(test)
print(f"{passed} passed")
