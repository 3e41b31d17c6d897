"""The two calls of a running server that the evaluation needs, with the standard library alone."""

import base64
import io
import json
import time
import urllib.error
import urllib.request

import numpy as np
from PIL import Image

TRIES = 5
LONGEST_WAIT = 30  # seconds between tries, whatever Retry-After says


class ServerError(Exception):
    """The server refused a request or could not be reached."""


class Client:
    """A server at an address such as http://127.0.0.1:8080.

    `strategy` says how it draws; its own way when left out. `adapter` is one that
    the server has; none when left out.
    """

    def __init__(self, address, timeout, key=None, strategy=None, adapter=None):
        self._address = address.rstrip("/")
        self._timeout = timeout
        self._key = key
        self._drawing = {} if strategy is None else {"strategy": strategy}
        self._adapter = {} if adapter is None else {"adapter": adapter}

    def generate(self, prompt, ratio, seed):
        """The picture of a prompt, uint8 [H, W, 3]."""
        body = {"prompt": prompt, "ratio": ratio, "seed": seed, **self._drawing}
        png = self._post("/v1/generate", body, "image/png")
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))

    def caption(self, png, question):
        """The answer to a question about a picture, trimmed."""
        body = {"image": base64.b64encode(png).decode("ascii"), "question": question}
        return json.loads(self._post("/v1/caption", body, "application/json"))["text"].strip()

    def _post(self, path, body, accept):
        headers = {"content-type": "application/json", "accept": accept}
        if self._key is not None:
            headers["authorization"] = f"Bearer {self._key}"
        data = json.dumps({**body, **self._adapter}).encode("utf-8")
        for tries_left in reversed(range(TRIES)):
            request = urllib.request.Request(self._address + path, data, headers)
            try:
                with urllib.request.urlopen(request, timeout=self._timeout) as response:
                    return response.read()
            except urllib.error.HTTPError as error:
                # A server that loads or is full says when to come again.
                if error.code not in (429, 503) or tries_left == 0:
                    text = error.read().decode("utf-8", "replace")
                    raise ServerError(f"{path} answered {error.code}: {text}") from error
                time.sleep(_wait(error.headers.get("retry-after")))
            except OSError as error:
                raise ServerError(f"{path} of {self._address} failed: {error}") from error
        raise AssertionError("unreachable: the last try returns or raises")


def _wait(retry_after):
    seconds = int(retry_after) if retry_after and retry_after.isdigit() else 1
    return min(seconds, LONGEST_WAIT)
