"""Encode what training clips are put together from, for train_clips.py.

A thing that moves by whole tokens keeps its codes, all but one in twenty.  So each thing on each
background is encoded once in each size, and clips are composed of codes: decoded, composed frames
of known things come within 0.3 dB of encoded ones.
"""

import argparse
import time

import numpy as np
import torch

import clip_scenes
import fast_group_norm
import world
from checkpoint import to_input
from options import add_place
from progress import load, save
from threads import CoreSharing
from vision_tokenizer import VisionTokenizer

BATCH = 16
RING = 1  # tokens around a thing that its codes bring along
SQUARE = 13  # tokens on the edge of the frames that are encoded


def main():
    """Write a pool: codes of things with a ring of background, and of empty frames."""
    options = parse()
    torch.set_grad_enabled(False)
    model = VisionTokenizer()
    model.load_state_dict(load(options.vq)["model"])
    model.eval().to(options.device)
    model.amp = options.amp
    if options.device == "cpu":
        fast_group_norm.install()
    cores = CoreSharing(options.threads)
    known = world.WORLDS[options.world]
    nouns = known.nouns[: options.things] if options.things else known.nouns
    things, empty, start = {}, {}, time.time()
    for background in known.colors:
        cores.adapt()
        for ratio in clip_scenes.RATIOS:
            height, width = world.size_of(ratio, clip_scenes.CLIP_AREA)
            clip = {"h": height, "w": width, "bg": background}
            frames = clip_scenes.render_frame(clip, 0, None)[None]
            empty[height, width, background] = encode(model, frames, options)[0]
        for edge in clip_scenes.SIZES:
            for noun, codes in zip(nouns, encode_things(model, nouns, background, edge, options)):
                things[world.SINGULAR[noun], background, edge] = codes
        print(f"{background}: {time.time() - start:.0f} s", flush=True)
    save(options.out, {"things": things, "empty": empty})


def parse():
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_place(parser)
    add = parser.add_argument
    add("--vq", default="work/vq.pt", help="vision tokenizer, a training state")
    add("--out", default="work/clip_pool.pt", help="file for the pool")
    add("--world", choices=world.WORLDS, default="40", help="how many things there are")
    add("--things", type=int, default=0, help="only the first few; 0: all")
    add("--amp", action="store_true", help="encode in bfloat16: faster, and flips some codes")
    return parser.parse_args()


def encode_things(model, nouns, background, edge, options):
    """Codes of each thing in the middle of a square frame, cut out with its ring.

    What of a ring lies outside the frame is filled in; it lies outside in every clip.
    """
    start = (SQUARE - edge) // 2
    clip = {"h": SQUARE, "w": SQUARE, "bg": background}
    frames = [clip_scenes.render_frame(clip, noun, (start, start, edge)) for noun in nouns]
    part = slice(start, start + edge + 2 * RING)
    framed = [np.pad(codes, RING, "edge") for codes in encode(model, np.stack(frames), options)]
    return [codes[part, part].copy() for codes in framed]


def encode(model, frames, options):
    """Codes uint16 [h, w] of each frame."""
    out = []
    for first in range(0, len(frames), BATCH):
        pictures = to_input(frames[first : first + BATCH]).to(options.device)
        out += list(model.encode(pictures).cpu().numpy().astype(np.uint16))
    return out


def compose(pool, clip):
    """Codes [T, h, w] of a clip."""
    return np.stack([_frame(pool, clip, box) for box in clip["boxes"]])


def _frame(pool, clip, box):
    height, width = clip["h"], clip["w"]
    codes = pool["empty"][height, width, clip["bg"]].copy()
    if box:
        y, x, edge = box
        part = pool["things"][clip["noun"], clip["bg"], edge]
        top, left = max(0, y - RING), max(0, x - RING)
        bottom, right = min(height, y + edge + RING), min(width, x + edge + RING)
        from_y, from_x = y - RING, x - RING
        codes[top:bottom, left:right] = part[
            top - from_y : bottom - from_y, left - from_x : right - from_x
        ]
    return codes


if __name__ == "__main__":
    main()
