"""Draw and answer the evaluation set with PyTorch, and keep the scores for pairing.

    python reference.py                    writes reference.json
    python reference.py --seeds 1 --out short.json

One seed is one pass over all prompts: the generator starts at the seed, prompts of one size are
drawn together in the order of the file.  Another torch or another count of prompts gives other
pictures of the same quality.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from evaluation_set import FOLDER, METRICS, MODELS, asked, digits, is_right, judge, mean, share

# isort: split
# The recipe is found once evaluation_set is imported.
import checkpoint
import sampling
import world
from json_files import read_json_lines, write_json

BATCH = 32


def main():
    """Write the scores of every picture and every answer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=32, help="pictures for each prompt")
    parser.add_argument("--prompts", type=int, default=64, help="the first so many prompts")
    parser.add_argument("--scenes", type=int, default=64, help="the first so many pictures")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    parser.add_argument("--out", type=Path, default=FOLDER / "reference.json")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    prompts = read_json_lines(FOLDER / "prompts.jsonl")[: options.prompts]
    scenes = read_json_lines(FOLDER / "scenes" / "scenes.jsonl")[: options.scenes]
    networks = (
        checkpoint.open_language_model(MODELS),
        checkpoint.open_tokenizer(MODELS),
        checkpoint.open_vision_tokenizer(MODELS),
    )
    settings = checkpoint.generation_settings(MODELS)
    pictures = score_pictures(networks, prompts, settings, range(options.seeds))
    answers = [answer_scene(networks, scene) for scene in scenes]
    result = {
        "torch": torch.__version__,
        "settings": {**settings, "image_area": world.IMAGE_AREA},
        "seeds": options.seeds,
        "pictures": pictures,
        "answers": answers,
    }
    write_json(options.out, result)
    print_summary(prompts, pictures, scenes, answers)


def score_pictures(networks, prompts, settings, seeds):
    """For each prompt the digits of its pictures, seed by seed, by metric."""
    judged = [[] for _ in prompts]
    for seed in seeds:
        start = time.time()
        for i, pixels in draw_all(networks, prompts, settings, seed):
            judged[i].append(judge(pixels, prompts[i]))
        print(f"seed {seed}: {time.time() - start:.0f} s", flush=True)
    return [digits(pictures) for pictures in judged]


def draw_all(networks, prompts, settings, seed):
    """Pairs (number of the prompt, picture uint8 [H, W, 3])."""
    model, tokenizer, vision = networks
    generator = torch.Generator().manual_seed(seed)
    by_size = {}
    for i, prompt in enumerate(prompts):
        by_size.setdefault(world.size_of(prompt["ratio"]), []).append(i)
    for size, numbers in by_size.items():
        for start in range(0, len(numbers), BATCH):
            batch = numbers[start : start + BATCH]
            texts = [prompts[i]["prompt"] for i in batch]
            negative = settings["negative_prompt"]
            codes = sampling.draw(model, tokenizer, texts, size, settings, generator, negative)
            yield from zip(batch, checkpoint.to_pixels(vision.decode(codes)))


def answer_scene(networks, scene):
    """Greedy answers to the questions of one picture."""
    model, tokenizer, vision = networks
    pixels = np.asarray(Image.open(FOLDER / "scenes" / scene["file"]).convert("RGB"))
    codes = vision.encode(checkpoint.to_input(pixels)[None])[0].tolist()
    prefix = tokenizer.chat_prefix(codes)
    sequences = [prefix + tokenizer.chat_question(asked(q)) for q in scene["questions"]]
    return sampling.answer(model, tokenizer, sequences)


def print_summary(prompts, pictures, scenes, answers):
    """Print mean scores over prompts, and over questions of each kind."""
    for metric, words in METRICS.items():
        means = [
            share(prompt, metric, counts[metric])
            for prompt, counts in zip(prompts, pictures)
            if metric in counts
        ]
        print(f"{words}: {100 * mean(means):.1f} % of {len(means)} prompts")
    right = {}
    for scene, texts in zip(scenes, answers):
        for question, text in zip(scene["questions"], texts):
            right.setdefault(question["kind"], []).append(is_right(question, text))
    for kind, values in sorted(right.items()):
        print(f"answers, {kind}: {100 * mean(values):.1f} % of {len(values)}")


if __name__ == "__main__":
    main()
