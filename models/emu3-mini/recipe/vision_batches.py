"""Training pictures and clips of the vision tokenizer, float -1...1.

Everything comes from one `random.Random`; the order of the draws belongs to what a seed gives.
"""

import numpy as np
import torch

import world
from drawing import canvas, paste, render_float
from scenes import sample_scene
from world import PATCH

NOUNS = len(world.NOUNS)


def crops(rng, count, edge=8):
    """Squares of `edge` tokens: cut from scenes around an object, or things of any size anywhere.

    [B, 3, H, W].
    """
    images = []
    for _ in range(count):
        if rng.random() < 0.6:
            scene = sample_scene(rng, world.WHOLE)
            image = render_float(scene)
            thing = rng.choice(scene["objects"])
            y, x = (
                min(max(0, thing[start] + rng.randint(-4, max(0, thing["size"] - 4))), limit - edge)
                for start, limit in (("y", scene["h"]), ("x", scene["w"]))
            )
            image = image[y * PATCH : (y + edge) * PATCH, x * PATCH : (x + edge) * PATCH]
        else:
            image = _anything(rng, edge, edge, rng.choice([1, 1, 2]))
        images.append(image)
    return _tensor(images)


def pairs(rng, count):
    """Pairs of scenes on one background that share one object at different places.

    Images [2 B, 3, H, W], and for each pair (y, x, other y, other x, edge) in tokens.
    """
    ratio = rng.choices(world.WHOLE.ratios, world.WHOLE.ratio_shares)[0]
    images, boxes = [], []
    for _ in range(count):
        one = sample_scene(rng, world.WHOLE, ratio=ratio)
        alone = len(one["objects"]) == 1
        things = 1 if alone else rng.choice([2, 2, 3, 4])
        other = sample_scene(rng, world.WHOLE, ratio=ratio, count=things)
        other["bg"] = one["bg"]
        thing, twin = rng.choice(one["objects"]), rng.choice(other["objects"])
        twin["noun"] = thing["noun"]
        images += [render_float(one), render_float(other)]
        boxes.append((thing["y"], thing["x"], twin["y"], twin["x"], thing["size"]))
    return _tensor(images), boxes


def clips(rng, count, height=10, width=10):
    """Clips of four frames of one or two moving things, [B, 4, 3, H, W]."""
    out = []
    for _ in range(count):
        color = _color(rng)
        things = []
        for _ in range(rng.choice([1, 1, 2])):
            edge = rng.choice([48, 48, 64] + [80] * (height > 9))
            speed = rng.choice([1, 2, 3])
            things.append(_moving(rng, range(NOUNS), height, width, edge, speed))
        out.append(frames(height, width, color, things))
    return _tensor(out)


def simple_clips(rng, count, height=10, width=10):
    """Clips of one slow thing on a named color, [B, 4, 3, H, W]."""
    out = []
    for _ in range(count):
        color = world.COLORS[rng.choice(world.COLOR_NAMES)]
        edge = rng.choice([48, 48, 64])
        thing = _moving(rng, range(NOUNS), height, width, edge, 2)
        out.append(frames(height, width, color, [thing]))
    return _tensor(out)


def frames(height, width, color, things):
    """Four frames [4, H, W, 3] of things (noun, y, x, edge, speed down, speed right), in pixels."""
    out = []
    for time in range(4):
        image = canvas(height, width, color)
        for noun, y, x, edge, down, right in things:
            paste(image, noun, y + down * time, x + right * time, edge)
        out.append(image)
    return np.stack(out)


def _moving(rng, nouns, height, width, edge, speed):
    """A thing for `frames`."""
    return (
        rng.choice(nouns),
        rng.randint(0, height * PATCH - edge),
        rng.randint(0, width * PATCH - edge),
        edge,
        rng.randint(-speed, speed),
        rng.randint(-speed, speed),
    )


def _anything(rng, height, width, count):
    """Things of any size at any place, partly outside."""
    image = canvas(height, width, _color(rng))
    for _ in range(count):
        edge = rng.choice([40, 48, 48, 56, 64, 80, 96, 96, 110])
        noun = rng.randrange(NOUNS)
        y = rng.randint(-edge // 3, height * PATCH - edge * 2 // 3)
        x = rng.randint(-edge // 3, width * PATCH - edge * 2 // 3)
        paste(image, noun, y, x, edge)
    return image


def _color(rng):
    """A named color or any, slightly off."""
    if rng.random() < 0.75:
        color = world.COLORS[rng.choice(world.COLOR_NAMES)]
    else:
        color = [rng.randrange(40, 256) for _ in range(3)]
    return [min(255, max(0, v + rng.choice([0, 0, 0, rng.randint(-6, 6)]))) for v in color]


def _tensor(images):
    """Float 0...1, channels last -> -1...1, channels before height."""
    return torch.from_numpy(np.stack(images)).movedim(-1, -3) * 2 - 1
