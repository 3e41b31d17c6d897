"""RunPod's own Python client, through a queue to this server as its worker."""

import json
import os
import urllib.request

import runpod
from checks import run

PROMPT = "a rocket above a tree"
SEED = 6

runpod.api_key = os.environ["RUNPOD_CLIENT_KEY"]
endpoint = runpod.Endpoint("emu3")


def native(url):
    """The picture of the native endpoint."""
    body = json.dumps({"prompt": PROMPT, "seed": SEED}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url + "/v1/generate", body, headers)
    return json.load(urllib.request.urlopen(request))["images"]


def check_run_sync(url):
    """run_sync: the picture of the native endpoint"""
    output = endpoint.run_sync({"prompt": PROMPT, "seed": SEED}, timeout=120)
    assert output["images"] == native(url)


def check_run(url):
    """run, status and output, with a whole body"""
    job = endpoint.run({"input": {"prompt": PROMPT, "seed": SEED, "accept": "image/png"}})
    output = job.output(timeout=120)
    assert job.status() == "COMPLETED"
    assert output["mime_type"] == "image/png"
    assert output["b64_json"] == native(url)[0]["b64_json"]


def check_stream(url):
    """stream: rows, then the picture"""
    job = endpoint.run({"prompt": PROMPT, "seed": SEED, "stream": True})
    events = list(job.stream())
    rows = [event["data"]["codes"] for event in events if event["event"] == "row"]
    assert rows == native(url)[0]["grid"]["codes"]
    assert events[-1]["event"] == "image"


def check_openai(url):
    """a chat in OpenAI's words, streamed as their worker for vLLM does"""
    picture = native(url)[0]["b64_json"]
    content = [
        {"type": "text", "text": "Please describe the image"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}},
    ]
    chat = {"model": "emu3-mini", "messages": [{"role": "user", "content": content}], "stream": True}
    job = endpoint.run({"openai_route": "/v1/chat/completions", "openai_input": chat})
    text = "".join(job.stream())
    assert text.endswith("data: [DONE]\n\n"), text[-40:]
    words = [json.loads(line[6:]) for line in text.split("\n\n")[:-2]]
    assert "".join(word["choices"][0]["delta"].get("content") or "" for word in words if word["choices"])


def check_error(url):
    """an input that is refused: FAILED"""
    job = endpoint.run({"prompt": 7})
    assert job.output(timeout=120) is None
    assert job.status() == "FAILED"


def check_cancel(url):
    """cancel: the job ends, and the next is answered"""
    job = endpoint.run({"prompt": PROMPT, "n": 8, "strategy": "autoregressive"})
    assert job.cancel()["status"] == "CANCELLED"
    assert endpoint.run_sync({"prompt": PROMPT, "seed": SEED}, timeout=120)


def check_health(url):
    """health: what was done, and a worker that is idle"""
    health = endpoint.health()
    assert health["jobs"]["completed"] >= 4 and health["jobs"]["retried"] == 0
    assert sum(health["workers"][name] for name in ["idle", "running"]) == 1


run(
    check_run_sync,
    check_run,
    check_stream,
    check_openai,
    check_error,
    check_cancel,
    check_health,
)
