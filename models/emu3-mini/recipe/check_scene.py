#!/usr/bin/env python3
"""Which emoji are in a picture?  Template matching only; no network is used.

    python check_scene.py picture.png                  what is seen, as JSON
    python check_scene.py picture.png cat,pizza blue   compared with what is expected

Objects are looked for at every position of the 8-pixel grid, in both sizes, by cosine similarity
of (picture - background) with (rendered emoji over the background - background).
"""

import argparse
import json

import numpy as np
from PIL import Image

import drawing
import world

MIN_SCORE = 0.78
MIN_CONTRAST = 0.3  # a window fainter than this share of the template is not scaled up to it
MAX_BACKGROUND_ERROR = 25  # levels
MAX_LEFTOVER = 500  # foreground pixels outside the objects that were found

_templates = {}


def detect(image):
    """What is seen in `image`, uint8 [H, W, 3].

    Gives background, background_error (levels), objects in reading order with their score,
    leftover_pixels and foreground_pixels.
    """
    rgb = image.astype(np.float32) / 255
    background, error = nearest_background(rgb)
    difference = rgb - _color(background)
    objects = _strongest(_candidates(difference, background))
    foreground = np.abs(difference).max(-1) > 0.25
    total = int(foreground.sum())
    for thing in objects:
        y, x, edge = (world.PATCH * thing[side] for side in ("y", "x", "size"))
        foreground[y : y + edge, x : x + edge] = False
    return {
        "background": background,
        "background_error": round(error, 1),
        "objects": objects,
        "leftover_pixels": int(foreground.sum()),
        "foreground_pixels": total,
    }


def score(image, nouns, background=None):
    """`detect` compared with the expected nouns, in reading order, and the expected background."""
    seen = detect(image)
    found = [thing["noun"] for thing in seen["objects"]]
    rest = list(found)
    for noun in nouns:
        if noun in rest:
            rest.remove(noun)
    hits = len(found) - len(rest)
    background_ok = background is None or (
        seen["background"] == background and seen["background_error"] <= MAX_BACKGROUND_ERROR
    )
    complete = hits == len(nouns) and not rest and seen["leftover_pixels"] < MAX_LEFTOVER
    return {
        **seen,
        "expected": list(nouns),
        "hits": hits,
        "missing": len(nouns) - hits,
        "extra": rest,
        "order_ok": found == list(nouns),
        "background_ok": background_ok,
        "scene_ok": complete and background_ok,
    }


def nearest_background(rgb):
    """Named color nearest to the median of the frame, and how far it is, in levels."""
    edges = [rgb[:4], rgb[-4:], rgb[:, :4], rgb[:, -4:]]
    median = np.median(np.concatenate([edge.reshape(-1, 3) for edge in edges]), 0)
    errors = {
        name: float(np.abs(median * 255 - np.asarray(color)).max())
        for name, color in world.COLORS.items()
    }
    name = min(errors, key=errors.get)
    return name, errors[name]


def _candidates(difference, background):
    """Places (score, edge, y, x, noun) that look like an object, best first."""
    height, width = (side // world.PATCH for side in difference.shape[:2])
    half = halved(difference[: height * world.PATCH, : width * world.PATCH])
    step = world.PATCH // 2
    out = []
    for edge in (world.BIG, world.SMALL):
        if height < edge or width < edge:
            continue
        templates, norms = _templates_of(edge, background)
        places = [(y, x) for y in range(height - edge + 1) for x in range(width - edge + 1)]
        windows = np.stack(
            [
                half[y * step : (y + edge) * step, x * step : (x + edge) * step].ravel()
                for y, x in places
            ]
        )
        sizes = np.linalg.norm(windows, axis=1)
        scores = windows @ templates.T / np.maximum(sizes[:, None], MIN_CONTRAST * norms[None])
        scores = np.minimum(scores, 1.0)
        for (y, x), row in zip(places, scores):
            noun = int(row.argmax())
            if row[noun] >= MIN_SCORE:
                out.append((float(row[noun]), edge, y, x, noun))
    return sorted(out, reverse=True)


def _strongest(candidates):
    """The candidates that do not overlap a stronger one, in reading order."""
    found = []
    for value, edge, y, x, noun in candidates:
        place = {"y": y, "x": x, "size": edge}
        if not any(_overlap(place, thing) for thing in found):
            found.append({"noun": world.SINGULAR[noun], **place, "score": round(value, 3)})
    return sorted(found, key=lambda thing: (thing["y"], thing["x"]))


def _overlap(one, other):
    """Whether two boxes share more than a strip of one token."""
    return all(
        min(one[start] + one["size"], other[start] + other["size"]) - max(one[start], other[start])
        > 1
        for start in ("y", "x")
    )


def _templates_of(edge, background):
    """Normalized differences from the background, [nouns, values], and their norms."""
    if (edge, background) not in _templates:
        color = _color(background)
        rows = []
        for noun in range(len(world.NOUNS)):
            glyph = drawing.glyph(noun, edge * world.PATCH)
            rows.append(halved(glyph[..., :3] - glyph[..., 3:] * color).ravel())
        templates = np.stack(rows)
        norms = np.linalg.norm(templates, axis=1)
        _templates[edge, background] = (templates / norms[:, None], norms)
    return _templates[edge, background]


def _color(name):
    return np.asarray(world.COLORS[name], np.float32) / 255


def halved(image):
    """Mean of every 2 x 2 pixels."""
    height, width = image.shape[:2]
    return image.reshape(height // 2, 2, width // 2, 2, 3).mean((1, 3))


def main():
    """Print what is seen in a picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", help="an image file")
    parser.add_argument("nouns", nargs="?", help="expected nouns in reading order, with commas")
    parser.add_argument("background", nargs="?", help="expected background color")
    options = parser.parse_args()
    image = np.asarray(Image.open(options.picture).convert("RGB"))
    if options.nouns is None:
        seen = detect(image)
    else:
        nouns = [noun.strip() for noun in options.nouns.split(",")]
        seen = score(image, nouns, options.background)
    print(json.dumps(seen, indent=1))


if __name__ == "__main__":
    main()
