"""Render training scenes and encode them, for train_lm.py and train_decoder.py."""

import argparse
import random
import time

import numpy as np
import torch

import fast_group_norm
import world
from checkpoint import to_input
from drawing import render
from options import add_place
from progress import load, save
from scenes import sample_scene, some_alike
from threads import CoreSharing
from vision_tokenizer import VisionTokenizer

BATCH = 16


def main():
    """Write a pool: scenes, and the codes [h, w] of each."""
    options = parse()
    torch.set_grad_enabled(False)
    rng = random.Random(options.seed)
    model = VisionTokenizer()
    model.load_state_dict(load(options.vq)["model"])
    model.eval().to(options.device)
    model.amp = options.amp
    if options.device == "cpu":
        fast_group_norm.install()
    known = world.WORLDS[options.world]
    scenes = sampled(rng, known, options)
    codes = encode(model, scenes, options)
    save(options.out, {"scenes": scenes, "codes": codes})
    print_usage(codes, model.config["codebook_size"])


def sampled(rng, known, options):
    """Scenes; with options.only_alike only those of three or four things, some of them alike."""
    scenes = []
    while len(scenes) < options.n:
        scene = sample_scene(rng, known, held=options.held)
        if not options.only_alike or some_alike(scene):
            scenes.append(scene)
    return scenes


def parse():
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_place(parser)
    add = parser.add_argument
    add("--vq", default="work/vq.pt", help="result of train_vq.py")
    add("--out", default="work/pool.pt", help="file for the pool")
    add("--n", type=int, default=12000, help="scenes to render")
    add("--seed", type=int, default=10)
    add("--world", choices=world.WORLDS, default="40", help="how many things there are")
    add("--held", action="store_true", help="only combinations that training never sees")
    add("--only_alike", action="store_true", help="three and four things, some of them alike")
    add("--amp", action="store_true", help="encode in bfloat16: faster, and flips some codes")
    return parser.parse_args()


def encode(model, scenes, options):
    """Codes uint16 [h, w] of each scene; scenes of one size are encoded together."""
    by_size = {}
    for i, scene in enumerate(scenes):
        by_size.setdefault((scene["h"], scene["w"]), []).append(i)
    batches = [
        numbers[start : start + BATCH]
        for numbers in by_size.values()
        for start in range(0, len(numbers), BATCH)
    ]
    codes = [None] * len(scenes)
    cores, start = CoreSharing(options.threads), time.time()
    for done, numbers in enumerate(batches, 1):
        cores.adapt()
        pictures = to_input(np.stack([render(scenes[i]) for i in numbers]))
        for i, grid in zip(numbers, model.encode(pictures.to(options.device)).cpu()):
            codes[i] = grid.numpy().astype(np.uint16)
        if done % 100 == 0:
            print(f"{done} of {len(batches)} batches, {time.time() - start:.0f} s", flush=True)
    return codes


def print_usage(codes, codebook_size):
    """Print how much of the codebook is used, and how evenly."""
    everything = torch.from_numpy(np.concatenate([grid.ravel() for grid in codes]).astype(np.int64))
    uses = everything.bincount(minlength=codebook_size)
    shares = uses / uses.sum()
    perplexity = torch.exp(-(shares * (shares + 1e-12).log()).sum())
    print(f"{int((uses > 0).sum())} codes used, perplexity {perplexity:.0f}")


if __name__ == "__main__":
    main()
