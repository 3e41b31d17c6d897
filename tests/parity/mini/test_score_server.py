"""Tests of score_server.py against a server that knows the truth, or nothing.

python -m unittest test_score_server
"""

import base64
import contextlib
import hashlib
import io
import json
import random
import statistics
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

import score_server
from evaluation_set import FOLDER, asked
from paired import compare, student

# isort: split
import drawing
import world
from json_files import read_json_lines

PROMPTS = read_json_lines(FOLDER / "prompts.jsonl")
SCENES = read_json_lines(FOLDER / "scenes" / "scenes.jsonl")
SHORT = ["--prompts", "6", "--seeds", "2", "--scenes", "6"]


class Perfect(BaseHTTPRequestHandler):
    """Draws what the prompt names and answers what is expected."""

    status = 200
    asked = []

    def do_POST(self):  # noqa: N802 - the name that http.server calls
        """Answer one request."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((self.path, self.headers["accept"], body))
        answer = self.draw(body) if self.path == "/v1/generate" else self.answer(body)
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(answer)

    def draw(self, body):
        """The PNG of a prompt."""
        prompt = next(p for p in PROMPTS if p["prompt"] == body["prompt"])
        return png(scene_of(prompt))

    def answer(self, body):
        """The JSON of an answer."""
        name = PICTURES[hashlib.sha256(base64.b64decode(body["image"])).digest()]
        scene = next(s for s in SCENES if s["file"] == name)
        expected = {asked(q): q["answer"] for q in scene["questions"]}
        text = expected[body["question"]]
        return json.dumps({"text": f" {text}"}).encode()

    def log_message(self, *_):
        """Say nothing."""


class Blank(Perfect):
    """Draws nothing and answers nonsense."""

    def draw(self, body):
        """A white PNG."""
        return png({"h": 16, "w": 16, "bg": "white", "objects": []})

    def answer(self, body):
        """Always the same."""
        return b'{"text": "I see."}'


class Failing(Perfect):
    """Refuses everything."""

    status = 422


class ScoreServer(unittest.TestCase):
    """main() against the servers above."""

    def test_perfect_server_passes(self):
        """A server that shows and says what is expected reaches 100 % and exits 0."""
        # Beside a reference near 100 % an interval of a few prompts is wide on both sides.
        status, printed, _ = run(Perfect, ["--prompts", "32", "--seeds", "1", "--scenes", "6"])
        self.assertEqual(status, 0, printed)
        for line in printed.splitlines()[1:-1]:
            self.assertIn("  100.0 ", line)

    def test_blank_server_fails(self):
        """A server that draws nothing exits 1 and is called worse."""
        status, printed, _ = run(Blank, SHORT)
        self.assertEqual(status, 1, printed)
        self.assertIn("MAY BE WORSE", printed)

    def test_refusing_server_exits_2_with_its_answer(self):
        """What the server said is passed on."""
        status, printed, errors = run(Failing, SHORT)
        self.assertEqual((status, printed), (2, ""))
        self.assertIn("answered 422", errors)

    def test_requests_are_those_of_the_contract(self):
        """Each prompt is asked with each seed, each question once, "describe" as a sentence."""
        Perfect.asked.clear()
        run(Perfect, SHORT)
        drawn = [body for path, _, body in Perfect.asked if path == "/v1/generate"]
        self.assertCountEqual(
            drawn,
            [
                {"prompt": p["prompt"], "ratio": p["ratio"], "seed": seed}
                for p in PROMPTS[:6]
                for seed in (0, 1)
            ],
        )
        said = [body["question"] for path, _, body in Perfect.asked if path == "/v1/caption"]
        self.assertEqual(len(said), sum(len(s["questions"]) for s in SCENES[:6]))
        self.assertNotIn("describe", said)
        self.assertEqual(
            {accept for _, accept, _ in Perfect.asked}, {"image/png", "application/json"}
        )


class Paired(unittest.TestCase):
    """The interval."""

    def test_quantile_is_that_of_the_tables(self):
        """Two-sided 95 %."""
        for degrees, expected in ((5, 2.5706), (10, 2.2281), (63, 1.9983), (1000, 1.9623)):
            self.assertAlmostEqual(student(degrees), expected, delta=0.004)

    def test_interval_holds_the_truth_as_often_as_it_says(self):
        """About 95 of 100 intervals cover the real difference."""
        rng = random.Random(1)
        covered = []
        for _ in range(2000):
            hardness = [rng.random() for _ in range(20)]
            ours = [h + rng.gauss(0.1, 0.2) for h in hardness]
            result = compare(ours, hardness)
            covered.append(result.low <= 0.1 <= result.high)
        self.assertAlmostEqual(statistics.fmean(covered), 0.95, delta=0.015)

    def test_equal_systems_differ_by_nothing(self):
        """No difference has no width."""
        result = compare([0.25, 0.5, 1.0], [0.25, 0.5, 1.0])
        self.assertEqual((result.difference, result.low, result.high), (0, 0, 0))


def scene_of(prompt):
    """The scene that a prompt was made from."""
    rows, columns = world.size_of(prompt["ratio"])
    things = [
        {"noun": noun, "y": y, "x": x, "size": size}
        for noun, (y, x, size) in zip(prompt["objects"], prompt["boxes"])
    ]
    background = prompt["background"] or "white"
    return {"h": rows, "w": columns, "bg": background, "objects": things}


def png(scene):
    """The PNG of a scene."""
    file = io.BytesIO()
    Image.fromarray(np.asarray(drawing.render(scene))).save(file, "PNG")
    return file.getvalue()


def run(handler, arguments):
    """Exit status, output and errors of main() against a server of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    out, errors = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            address = f"http://127.0.0.1:{server.server_port}"
            status = score_server.main([address, *arguments])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    return status, out.getvalue(), errors.getvalue()


PICTURES = {
    hashlib.sha256((FOLDER / "scenes" / s["file"]).read_bytes()).digest(): s["file"] for s in SCENES
}

if __name__ == "__main__":
    unittest.main()
