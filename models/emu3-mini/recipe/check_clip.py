#!/usr/bin/env python3
"""Which thing is in a clip, and what does it do?  Template matching only; no network is used.

    python check_clip.py clip.gif                      what is seen, as JSON
    python check_clip.py clip.gif rocket up blue       compared with what is expected

In every frame the thing is looked for at every second pixel, in every size, by cosine similarity
of (frame - background) with (rendered emoji over the background - background).  Its motion is the
slope of the straight line that fits the centers, or the sizes, of all frames best.
"""

import argparse
import json
from collections import Counter

import numpy as np
from PIL import Image, ImageSequence

import check_scene
import clip_scenes
import drawing
import world

MIN_SCORE = 0.74  # fainter than for stills: small things are coded less well
MIN_SPEED = 3.0  # pixels a frame; less is standing still
MIN_GROWTH = 1.5  # pixels a frame

_templates = {}


def detect(frames):
    """What is seen in `frames`, uint8 [T, H, W, 3].

    Gives background and background_error (levels, the worst frame), things (one for each frame:
    noun, y, x and edge in pixels, score; or None), noun and motion.
    """
    backgrounds = [
        check_scene.nearest_background(frame.astype(np.float32) / 255) for frame in frames
    ]
    background = Counter(name for name, _ in backgrounds).most_common(1)[0][0]
    color = np.asarray(world.COLORS[background], np.float32)
    errors = [_border_error(frame, color) for frame in frames]
    things = [_strongest(frame, background) for frame in frames]
    nouns = Counter(thing["noun"] for thing in things if thing)
    return {
        "background": background,
        "background_error": round(max(errors), 1),
        "things": things,
        "noun": nouns.most_common(1)[0][0] if nouns else None,
        "motion": motion_of(things),
    }


def score(frames, noun, motion, background=None):
    """`detect` compared with what is expected."""
    seen = detect(frames)
    things = seen["things"]
    there = [thing is not None for thing in things]
    if motion == "appears":
        steady = not there[0] and not there[-1] and _in_one_piece(there)
    else:
        steady = all(there)
    return {
        **seen,
        "noun_ok": seen["noun"] == noun,
        "motion_ok": seen["motion"] == motion,
        "background_ok": seen["background_error"] <= check_scene.MAX_BACKGROUND_ERROR
        and background in (None, seen["background"]),
        "steady": steady,
        "same_thing": all(thing["noun"] == noun for thing in things if thing),
    }


def motion_of(things):
    """The motion of the things that were found in the frames, or None where there are none."""
    there = [i for i, thing in enumerate(things) if thing]
    if not there:
        return None
    if things[0] is None and things[-1] is None:
        return "appears"
    vertical, horizontal = (
        _slope(there, [things[i][start] + things[i]["edge"] / 2 for i in there])
        for start in ("y", "x")
    )
    if max(abs(vertical), abs(horizontal)) >= MIN_SPEED:
        if abs(vertical) > abs(horizontal):
            return "down" if vertical > 0 else "up"
        return "right" if horizontal > 0 else "left"
    growth = _slope(there, [things[i]["edge"] for i in there])
    if abs(growth) >= MIN_GROWTH:
        return "nearer" if growth > 0 else "farther"
    return "stays"


def _slope(x, y):
    """Of the line that fits best, by least squares."""
    return float(np.polyfit(x, y, 1)[0]) if len(x) > 1 else 0.0


def _in_one_piece(there):
    if True not in there:
        return False
    first, last = there.index(True), len(there) - there[::-1].index(True)
    return all(there[first:last])


def _border_error(frame, color):
    edges = [frame[:4], frame[-4:], frame[:, :4], frame[:, -4:]]
    median = np.median(np.concatenate([edge.reshape(-1, 3) for edge in edges]), 0)
    return float(np.abs(median - color).max())


def _strongest(frame, background):
    """The thing that matches a frame best, or None."""
    difference = (
        frame.astype(np.float32) / 255 - np.asarray(world.COLORS[background], np.float32) / 255
    )
    half = check_scene.halved(difference)
    best = None
    for size in clip_scenes.SIZES:
        edge = size * world.PATCH
        templates, norms = _templates_of(edge, background)
        windows = np.lib.stride_tricks.sliding_window_view(half, (edge // 2, edge // 2), (0, 1))
        rows, columns = windows.shape[:2]
        flat = windows.transpose(0, 1, 3, 4, 2).reshape(rows * columns, -1)
        sizes = np.linalg.norm(flat, axis=1)
        faint = check_scene.MIN_CONTRAST * norms[None]
        scores = flat @ templates.T / np.maximum(sizes[:, None], faint)
        place, noun = np.unravel_index(scores.argmax(), scores.shape)
        value = float(scores[place, noun])
        if value >= MIN_SCORE and (best is None or value > best["score"]):
            y, x = divmod(int(place), columns)
            best = {
                "noun": world.SINGULAR[noun],
                "y": 2 * y,
                "x": 2 * x,
                "edge": edge,
                "score": round(value, 3),
            }
    return best


def _templates_of(edge, background):
    """Normalized differences from the background, [nouns, values], and their norms."""
    if (edge, background) not in _templates:
        color = np.asarray(world.COLORS[background], np.float32) / 255
        rows = []
        for noun in range(len(world.NOUNS)):
            glyph = drawing.glyph(noun, edge)
            rows.append(check_scene.halved(glyph[..., :3] - glyph[..., 3:] * color).ravel())
        templates = np.stack(rows)
        norms = np.linalg.norm(templates, axis=1)
        _templates[edge, background] = (templates / norms[:, None], norms)
    return _templates[edge, background]


def main():
    """Print what is seen in a clip."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", help="an animated GIF, PNG or WebP file")
    parser.add_argument("noun", nargs="?", help="expected thing")
    parser.add_argument("motion", nargs="?", choices=clip_scenes.MOTIONS, help="expected motion")
    parser.add_argument("background", nargs="?", help="expected background color")
    options = parser.parse_args()
    with Image.open(options.clip) as image:
        frames = np.stack(
            [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]
        )
    if options.motion is None:
        seen = detect(frames)
    else:
        seen = score(frames, options.noun, options.motion, options.background)
    print(json.dumps(seen, indent=1))


if __name__ == "__main__":
    main()
