"""Pictures that the model draws of what it knows, so that tuning does not forget it.

    python own_pictures.py http://127.0.0.1:8080 SET [--pictures 700] [--seed 77]

writes the prepared set SET: the codes of pictures as they were drawn, and the
answers that the model gives about some of them (generative replay: Shin et al.
2017, arXiv 1705.08690). A picture is kept if the model itself describes it as
what was asked for.
"""

import argparse
import io
import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT / "models" / "emu3-mini" / "recipe"))
sys.path.insert(0, str(ROOT / "tests" / "parity" / "mini"))

import captions  # noqa: E402
import numpy as np  # noqa: E402
import questions  # noqa: E402
import scenes  # noqa: E402
import world  # noqa: E402
from client import Client  # noqa: E402

FIRST_SEED = 1000
CONCURRENCY = 12
DESCRIBE = "Please describe the image"
COUNT_SHARES = [0.15, 0.25, 0.3, 0.3]  # of pictures with 1...4 things: order is forgotten first
DESCRIBED_SHARE = 1 / 2  # of pictures, whose description is a record too
ANSWERED_SHARE = 1 / 3  # of pictures, that have a question of any kind beside it
COUNTED_SHARE = 1 / 3  # of pictures, asked for the number of one noun: forgotten first of answers


class CodesClient(Client):
    """A client for codes in place of pictures: a picture that is encoded again has others."""

    def draw(self, prompt, ratio, seed):
        """The codes of a prompt's picture, [H, W]."""
        body = {"prompt": prompt, "ratio": ratio, "seed": seed, "strategy": "autoregressive"}
        return np.load(io.BytesIO(self._post("/v1/generate", body, "application/x-npy")))

    def answer(self, codes, question):
        """The answer to a question about the picture of `codes`, trimmed."""
        body = {"grid": {"codes": codes.tolist()}, "question": question}
        return json.loads(self._post("/v1/caption", body, "application/json"))["text"].strip()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("set", type=Path)
    parser.add_argument("--pictures", type=int, default=700)
    parser.add_argument("--seed", type=int, default=77)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    known = world.WORLDS[world.PUBLISHED]
    client = CodesClient(options.address, timeout=600)

    def records_of(number, scene, prompt, names_background, described, asked):
        codes = client.draw(prompt, scene["ratio"], FIRST_SEED + number)
        description = client.answer(codes, DESCRIBE)
        if not describes(description, scene, names_background):
            return []
        name = f"own{number:04}"
        out = [record(name, codes, text=prompt)]
        if described:
            out.append(record(f"{name}-description", codes, question=DESCRIBE, answer=description))
        for purpose, question in asked:
            answer = client.answer(codes, question)
            out.append(record(f"{name}-{purpose}", codes, question=question, answer=answer))
        return out

    tasks = []
    for number in range(options.pictures):
        count = rng.choices([1, 2, 3, 4], COUNT_SHARES)[0]
        scene = scenes.sample_scene(rng, known, count=count)
        prompt, names_background = captions.prompt_for(scene, rng)
        described = rng.random() < DESCRIBED_SHARE
        asked = questions_for(scene, rng, known)
        tasks.append((number, scene, prompt, names_background, described, asked))
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        records = [r for some in pool.map(lambda task: records_of(*task), tasks) for r in some]
    write_set(options.set, records)
    print(f"{sum(r['text'] != '' for r in records)} of {options.pictures} pictures are kept")


def questions_for(scene, rng, known):
    """Pairs (purpose, question): at most one of any kind, and one of the number of a noun."""
    asked = questions.questions_about(scene, rng, known)
    out = []
    if rng.random() < ANSWERED_SHARE:
        out.append(("answer", rng.choice(asked)[1]))
    if rng.random() < COUNTED_SHARE:
        out.append(("number", next(text for kind, text, _ in asked if kind == "countof")))
    return out


def describes(description, scene, names_background):
    """Whether a description is of the scene; an arrangement that was not named may differ."""
    nouns = captions.nouns_of(scene)
    colors = [scene["bg"]] if names_background else world.COLOR_NAMES
    plain = description.rstrip(".").lower()
    return any(
        plain == captions.canonical_caption(nouns, relation, color).rstrip(".").lower()
        for relation in ("row", "column")
        for color in colors
    )


def record(key, codes, text="", **asked):
    height, width = codes.shape
    return {
        "key": key,
        "text": text,
        **asked,
        "height": height,
        "width": width,
        "codes": codes.tolist(),
    }


def write_set(folder, records) -> None:
    """Writes a set of the form that `prepare-data --to jsonl` writes."""
    folder.mkdir(parents=True)
    file = "data-00000.jsonl"
    (folder / file).write_text("".join(f"{json.dumps(r)}\n" for r in records))
    manifest = {
        "version": 1,
        "form": "jsonl",
        "records": len(records),
        "shards": [{"file": file, "records": len(records)}],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
