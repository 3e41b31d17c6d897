"""Pictures that the model draws of what it knows, so that tuning does not forget it.

    python own_pictures.py SET http://127.0.0.1:8080 ... [--pictures 700] [--seed 77]

writes the prepared set SET: the codes of pictures as they were drawn, with
questions about some of them (generative replay: Shin et al. 2017, arXiv
1705.08690). A picture is kept if the model itself describes it as what was asked
for, so that the answers are those of the scene.
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
from free_questions import place_questions  # noqa: E402

FIRST_SEED = 1000
CONCURRENCY = 16
DESCRIBE = "Please describe the image"
COUNT_SHARES = [0.15, 0.25, 0.3, 0.3]  # of pictures with 1...4 things: order is forgotten first
DESCRIBED_SHARE = 1 / 2  # of pictures, whose description is a record too
ANSWERED_SHARE = 1 / 6  # of pictures, that have a question of any kind beside it
# Of pictures, asked for the number of one noun, and for the place of one: forgotten first.
COUNTED_SHARE = 1 / 3
PLACED_SHARE = 1 / 2


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
    parser.add_argument("set", type=Path)
    parser.add_argument("addresses", nargs="+")
    parser.add_argument("--pictures", type=int, default=700)
    parser.add_argument("--seed", type=int, default=77)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    known = world.WORLDS[world.PUBLISHED]
    clients = [CodesClient(address, timeout=600) for address in options.addresses]

    def records_of(number, scene, prompt, names_background, seed):
        client = clients[number % len(clients)]
        codes = client.draw(prompt, scene["ratio"], FIRST_SEED + number)
        description = client.answer(codes, DESCRIBE)
        shown = described(description, scene, names_background)
        if not shown:
            return []
        name = f"own{number:04}"
        return [
            record(name, codes, text=prompt),
            *(
                record(f"{name}-{purpose}", codes, question=question, answer=answer)
                for purpose, question, answer in asked(shown, random.Random(seed), known)
            ),
        ]

    tasks = []
    for number in range(options.pictures):
        count = rng.choices([1, 2, 3, 4], COUNT_SHARES)[0]
        scene = scenes.sample_scene(rng, known, count=count)
        tasks.append((number, scene, *captions.prompt_for(scene, rng), rng.random()))
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        records = [r for some in pool.map(lambda task: records_of(*task), tasks) for r in some]
    write_set(options.set, records)
    print(f"{sum(r['text'] != '' for r in records)} of {options.pictures} pictures are kept")


def asked(scene, rng, known):
    """Triples (purpose, question, answer) about a scene."""
    every = questions.questions_about(scene, rng, known)
    places = place_questions(scene, rng, known)
    out = []
    if rng.random() < DESCRIBED_SHARE:
        out.append(("description", DESCRIBE, captions.caption_of(scene)))
    if rng.random() < ANSWERED_SHARE:
        out.append(("answer", *rng.choice(every)[1:]))
    if rng.random() < COUNTED_SHARE:
        out.append(("number", *next(pair for kind, *pair in every if kind == "countof")))
    if places and rng.random() < PLACED_SHARE:
        out.append(("place", *places[0]))
    return out


def described(description, scene, names_background):
    """The scene as a description tells it, or None if it tells another.

    What the prompt does not name may differ: the background, and which way two things lie.
    """
    nouns = captions.nouns_of(scene)
    colors = [scene["bg"]] if names_background else world.COLOR_NAMES
    plain = description.rstrip(".").lower()
    others = ("row", "column") if len(nouns) == 2 else ()
    for relation in (scene["relation"], *others):
        for color in colors:
            shown = {**scene, "relation": relation, "bg": color}
            if plain == captions.caption_of(shown).rstrip(".").lower():
                return shown
    return None


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
