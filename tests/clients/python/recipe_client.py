"""Recipes of workflows in Python: each runs as it stands on its page."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from checks import run

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "deploy/docs/workflow_recipes.md").read_text()
RECIPES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, re.DOTALL))
ADDRESS = "http://127.0.0.1:8080"
SECRET = "whsec_YSBzZWNyZXQgb2YgdGhlIHRlc3Rz"


def start(name, changes, **env):
    """Starts a recipe with changes of its text."""
    code = RECIPES[name]
    for old, new in changes.items():
        assert old in code, old
        code = code.replace(old, new)
    command = [sys.executable, "-c", code]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **env})


def printed(name, changes):
    """All that a recipe prints."""
    process = start(name, changes)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, name
    return out


def jobs(url):
    """Ids of the latest jobs: a page of them."""
    answer = json.load(urllib.request.urlopen(f"{url}/v1/jobs"))
    return {job["id"] for job in answer["data"]}


def plain_http(url):
    """a program that is started again gets the same drawing"""
    before = jobs(url)
    first, second = (printed("draw_and_ask.py", {ADDRESS: url}) for _ in range(2))
    assert first == second == "Three apples on a blue background.\n", (first, second)
    assert len(jobs(url) - before) == 1


def langchain(url):
    """the chain ends with the first picture that the judge accepts"""
    out = printed("judge.py", {ADDRESS: url})
    assert out == "4 Three apples on a blue background. Yes, there is an apple.\n", out


def webhooks(_url):
    """the receiver takes signed notifications, and refuses others"""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    at = f"http://127.0.0.1:{port}/"
    receiver = start("receive.py", {"8000": str(port)}, WEBHOOK_SECRET=SECRET)
    command = ["deno", "run", "-q", "-A", ROOT / "tests/support/webhook_server.ts", at]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().strip()
        assert refusal(at) == 401
        body = {"prompt": "a fox", "webhook": {"url": "https://example.org"}}
        headers = {
            "Accept": "application/octet-stream",
            "Content-Type": "application/json",
            "Prefer": "respond-async",
        }
        request = urllib.request.Request(f"{url}/v1/generate", json.dumps(body).encode(), headers)
        submitted = json.load(urllib.request.urlopen(request))
        kind, job, height = receiver.stdout.readline().split()
        assert (kind, job) == ("job.succeeded", submitted["id"]) and int(height) > 0
    finally:
        for process in (receiver, server):
            process.kill()
            process.wait()


def refusal(at):
    """The status of a receiver's answer to a notification without signature."""
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(at, b"{}"))
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            # It does not listen yet.
            time.sleep(0.1)


if __name__ == "__main__":
    os.chdir(tempfile.mkdtemp())
    run(plain_http, langchain, webhooks)
