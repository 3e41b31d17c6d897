"""Clips: one thing on a plain background, and where it is in each frame.

A clip is a plain dict: ratio ("W:H"), h and w (tokens), bg, noun, motion, and boxes, one for each
frame: (y, x, edge) in tokens, or None where the thing is not there.  A thing moves by one token a
frame, so that the codes of a frame are those of the frame before, shifted.
"""

import numpy as np

import world
from drawing import canvas, paste, to_bytes
from world import BIG, SMALL

CLIP_AREA = 10816  # in square pixels: eight frames of a thing that moves fit 104 x 104
RATIOS = ["1:1"]
MOTIONS = ["left", "right", "up", "down", "nearer", "appears", "stays"]
MOTION_SHARES = [0.14, 0.14, 0.14, 0.14, 0.18, 0.12, 0.14]
STEPS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}  # (y, x)
SIZES = [SMALL, (SMALL + BIG) // 2, BIG]  # of a thing that comes nearer, in its first frames
FRAMES = 8  # recommended
MAX_FRAMES = 10
FRAME_SHARES = {2: 0.03, 3: 0.03, 4: 0.08, 5: 0.06, 6: 0.1, 7: 0.07, 8: 0.53, 9: 0.05, 10: 0.05}
STRAY = 0  # most tokens between the middle of the picture and that of a path


def sample_clip(rng, known, held=False, frames=None, ratio=None, motion=None):
    """A random clip of the `known` world.

    `held` asks for one of the combinations that training never sees.
    """
    while True:
        ratio_here = ratio or rng.choice(RATIOS)
        height, width = world.size_of(ratio_here, CLIP_AREA)
        motion_here = motion or rng.choices(MOTIONS, MOTION_SHARES)[0]
        count = frames or rng.choices(list(FRAME_SHARES), list(FRAME_SHARES.values()))[0]
        noun, background = rng.choice(known.nouns), rng.choice(known.colors)
        if held_out(noun, motion_here, background) != held:
            continue
        return {
            "ratio": ratio_here,
            "h": height,
            "w": width,
            "bg": background,
            "noun": world.SINGULAR[noun],
            "motion": motion_here,
            "boxes": boxes_of(rng, motion_here, count, height, width),
        }


def held_out(noun, motion, background):
    """Whether a combination is kept out of training: a fixed eighth or so of all."""
    key = noun * 7919 + MOTIONS.index(motion) * 131 + world.COLOR_NAMES.index(background) * 37
    return key % 17 in (3, 11)


def boxes_of(rng, motion, count, height, width):
    """Where the thing is in each of `count` frames."""
    if motion in STEPS:
        return _path(rng, STEPS[motion], count, height, width)
    if motion == "nearer":
        edges = [SIZES[min(i, len(SIZES) - 1)] for i in range(count)]
        return [((height - edge) // 2, (width - edge) // 2, edge) for edge in edges]
    y, x = (_strayed(rng, (length - SMALL) // 2) for length in (height, width))
    empty = max(1, count // 4) if motion == "appears" and count > 2 else 0
    return [(y, x, SMALL) if empty <= i < count - empty else None for i in range(count)]


def render_clip(clip):
    """The frames of a clip, uint8 RGB, [T, H, W, 3]."""
    noun = world.SINGULAR.index(clip["noun"])
    return np.stack([render_frame(clip, noun, box) for box in clip["boxes"]])


def render_frame(clip, noun, box):
    """One frame, with the thing in `box` if there is one."""
    image = canvas(clip["h"], clip["w"], world.COLORS[clip["bg"]])
    if box:
        y, x, edge = (world.PATCH * side for side in box)
        paste(image, noun, y, x, edge)
    return to_bytes(image)


def _path(rng, step, count, height, width):
    """A straight path; a thing that has come to the edge stays there."""
    ranges = [_along(rng, d, count, length - SMALL) for d, length in zip(step, (height, width))]
    return [(y, x, SMALL) for y, x in zip(*ranges)]


def _along(rng, direction, count, free):
    """Offsets 0...free of `count` frames along one axis."""
    if direction == 0:
        return [_strayed(rng, free // 2)] * count
    start = _strayed(rng, max(0, free - (count - 1)) // 2)
    offsets = [min(free, start + i) for i in range(count)]
    return offsets if direction > 0 else [free - offset for offset in offsets]


def _strayed(rng, middle):
    """An offset near that of the middle, and not outside."""
    stray = min(STRAY, middle)
    return middle + rng.randint(-stray, stray)
