"""Captions of clips as a person may type them."""

import random
import re

import captions
import clip_scenes

VERBS = ["moves", "moves", "moves", "goes", "goes", "slides", "runs", "drifts", "flies", "floats"]
# Of "goes" and so on: what comes after it.
WAYS = {
    "left": ["left", "left", "to the left", "to the left", "from right to left", "leftwards"],
    "right": ["right", "right", "to the right", "to the right", "from left to right", "rightwards"],
    "up": ["up", "up", "up", "upwards", "to the top", "from bottom to top"],
    "down": ["down", "down", "down", "downwards", "to the bottom", "from top to bottom"],
}
# Whole predicates.
DEEDS = {
    "left": ["crosses to the left"],
    "right": ["crosses to the right"],
    "up": ["rises", "rises", "climbs", "goes higher"],
    "down": ["falls", "falls", "sinks", "goes lower"],
    "nearer": [
        "comes nearer",
        "comes nearer",
        "comes closer",
        "comes closer",
        "gets closer",
        "approaches",
        "grows",
        "gets bigger",
        "comes towards us",
    ],
    "appears": [
        "appears and goes",
        "appears and goes",
        "appears and disappears",
        "appears and disappears",
        "appears and vanishes",
        "comes and goes",
        "shows up and goes away",
    ],
    "stays": ["stays", "stays in place", "stands still", "does not move", "", ""],
}
# Those of which more than the "s" changes.
ING = {
    "moves": "moving",
    "goes": "going",
    "slides": "sliding",
    "runs": "running",
    "flies": "flying",
    "rises": "rising",
    "crosses": "crossing",
    "comes": "coming",
    "gets": "getting",
    "approaches": "approaching",
    "vanishes": "vanishing",
}
LEADS = ["a video of ", "a clip of ", "video of ", "an animation of ", "animate "]


def clip_prompt_for(clip, rng):
    """A caption as a person would type it, and whether it names the background."""
    noun = clip["noun"]
    if rng.random() < 0.04:
        noun = f"{rng.choice(captions.ADJECTIVES)} {noun}"
    if rng.random() < 0.78:
        noun = captions.with_article(noun)
    lead = rng.choice(LEADS) if rng.random() < 0.12 else ""
    deed = deed_of(clip["motion"], rng)
    if lead or rng.random() < 0.15:
        deed = progressive(deed)
        if not lead and deed and rng.random() < 0.4:
            deed = f"is {deed}"
    text = f"{lead}{noun} {deed}".strip()
    names_background = rng.random() < 0.82
    if names_background:
        text = captions.with_background(text, clip["bg"], rng, may_come_first=not lead)
    r = rng.random()
    if r < 0.25:
        text = captions.capitalized(text)
    elif r < 0.26:
        text = text.upper()
    if rng.random() < 0.25:
        text += "."
    return text, names_background


def deed_of(motion, rng):
    """What a thing does, as a predicate; nothing for one that stays, now and then."""
    if motion in WAYS and rng.random() < 0.82:
        return f"{rng.choice(VERBS)} {rng.choice(WAYS[motion])}"
    return rng.choice(DEEDS[motion])


def progressive(deed):
    """Turn "appears and goes" into "appearing and going"."""
    if deed == "does not move":
        return "not moving"
    first, *rest = deed.split(" ")
    if "and" in rest:
        after = rest.index("and") + 1
        rest[after] = _ing(rest[after])
    return " ".join([_ing(first), *rest])


def known_words(known):
    """All words of captions of clips of the `known` world."""
    rng = random.Random(0)
    words = set()
    for _ in range(10_000):
        text, _ = clip_prompt_for(clip_scenes.sample_clip(rng, known), rng)
        words |= set(re.findall(r"[a-z]+", text.lower()))
    return sorted(words)


def _ing(verb):
    return ING.get(verb, f"{verb[:-1]}ing") if verb else ""
