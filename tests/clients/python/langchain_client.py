"""LangChain's chat model for OpenAI, unchanged, by chat completions and by responses."""

import base64
import json
import urllib.request

import checks
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from openai import UnprocessableEntityError

QUESTION = "How many objects are there?"


def post(url, path, body, accept):
    request = urllib.request.Request(
        url + path,
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Accept": accept},
    )
    return urllib.request.urlopen(request).read()


def picture(url):
    body = {"prompt": "three apples", "seed": 11}
    return base64.b64encode(post(url, "/v1/generate", body, "image/png")).decode()


def models(url):
    """Both ways that LangChain asks: responses is its default for newer models."""
    return [
        ChatOpenAI(
            model="emu3-mini",
            base_url=f"{url}/v1",
            api_key="none",
            max_retries=0,
            use_responses_api=responses,
            stream_usage=True,
        )
        for responses in (False, True)
    ]


def parts(image):
    """The same picture, in every form that LangChain has or had for one."""
    data_url = f"data:image/png;base64,{image}"
    return [
        {"type": "image_url", "image_url": {"url": data_url}},
        {"type": "image", "base64": image, "mime_type": "image/png"},
        {"type": "image", "source_type": "base64", "mime_type": "image/png", "data": image},
    ]


def question(part):
    return HumanMessage(content=[{"type": "text", "text": QUESTION}, part])


def every_form_of_picture_is_answered(url):
    """pictures of every form are answered as caption answers"""
    image = picture(url)
    body = {"image": image, "question": QUESTION}
    expected = json.loads(post(url, "/v1/caption", body, "application/json"))["text"]
    for model in models(url):
        for part in parts(image):
            assert model.invoke([question(part)]).text == expected, part["type"]


def an_answer_is_streamed(url):
    """an answer is streamed, with its usage"""
    image = picture(url)
    for model in models(url):
        messages = [question(parts(image)[0])]
        chunks = list(model.stream(messages))
        whole = model.invoke(messages)
        assert "".join(chunk.text for chunk in chunks) == whole.text
        tokens = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
        assert tokens[-1]["output_tokens"] == whole.usage_metadata["output_tokens"]


def a_conversation_goes_on(url):
    """a later question is about the picture that was shown before"""
    image = picture(url)
    for model in models(url):
        first = question(parts(image)[0])
        answer = model.invoke([first])
        history = [SystemMessage("You are a helpful assistant."), first, AIMessage(answer.text)]
        again = model.invoke([*history, HumanMessage(QUESTION)])
        assert again.text == answer.text


def text_alone_is_refused_in_words(url):
    """text alone is refused in words that a chat can show"""
    for model in models(url):
        try:
            model.invoke("Hello")
        except UnprocessableEntityError as error:
            assert "attach one to the message" in str(error)
        else:
            raise AssertionError("it did not fail")


checks.run(
    every_form_of_picture_is_answered,
    an_answer_is_streamed,
    a_conversation_goes_on,
    text_alone_is_refused_in_words,
)
