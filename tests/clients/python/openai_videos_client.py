"""OpenAI's own Python client, unchanged, against the server at argv[1]: videos."""

import io

import openai
from checks import run
from PIL import Image

FIELDS = {"prompt": "a rocket flies up, blue background", "extra_body": {"seed": 7}}


def client_of(url):
    return openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


def picture_of(content):
    return Image.open(io.BytesIO(content.read()))


def a_video(url):
    """a video is created, polled, and its content is the clip, a frame, a sheet"""
    client = client_of(url)
    video = client.videos.create_and_poll(seconds="1", poll_interval_ms=200, **FIELDS)
    assert (video.status, video.progress, video.error) == ("completed", 100, None)
    assert video.prompt == FIELDS["prompt"]
    width, height = map(int, video.size.split("x"))
    content = client.videos.download_content(video.id)
    if content.response.headers["content-type"] == "image/apng":
        clip = picture_of(content)
        assert clip.size == (width, height)
        assert clip.n_frames > 1
    frame = client.videos.download_content(video.id, variant="thumbnail")
    assert picture_of(frame).size == (width, height)
    sheet = client.videos.download_content(video.id, variant="spritesheet")
    assert picture_of(sheet).size[0] > width


def a_list(url):
    """a video is listed, and gone once it is deleted"""
    client = client_of(url)
    video = client.videos.create(seconds="1", **FIELDS)
    assert video.id in [listed.id for listed in client.videos.list()]
    client.videos.poll(video.id, poll_interval_ms=200)
    assert client.videos.delete(video.id).deleted
    assert video.id not in [listed.id for listed in client.videos.list()]
    try:
        client.videos.retrieve(video.id)
    except openai.NotFoundError:
        return
    raise AssertionError("a deleted video is retrieved")


def a_refusal(url):
    """a video that is too long is refused with the reason"""
    try:
        client_of(url).videos.create(seconds="4000", **FIELDS)
    except openai.UnprocessableEntityError as error:
        assert "seconds" in str(error)
        return
    raise AssertionError("it is created")


run(a_video, a_list, a_refusal)
