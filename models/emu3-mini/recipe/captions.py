"""Captions: the one that the model gives, and the many that a person may type."""

import random
import re

import scenes
import world

NUMBERS = ["zero", "one", "two", "three", "four"]
LEFT = ["left of", "to the left of", "on the left of", "left to"]
RIGHT = ["right of", "to the right of", "on the right of"]
ABOVE = ["above", "on top of", "over"]
BELOW = ["below", "under", "beneath", "underneath"]
NEXT = ["next to", "beside", "with", "near"]
STACKED = ["in a column", "one above the other", "stacked"]
ADJECTIVES = ["cute", "big", "little", "happy", "nice", "small", "funny", "beautiful"]
NATURAL_COLORS = {
    **dict.fromkeys("apple strawberry rose heart car balloon crab ladybug book".split(), "red"),
    **dict.fromkeys("banana sun star moon cheese key".split(), "yellow"),
    **dict.fromkeys("frog tree cactus pear turtle".split(), "green"),
    **dict.fromkeys("pig octopus".split(), "pink"),
    **dict.fromkeys("fox carrot".split(), "orange"),
    **dict.fromkeys("whale bus".split(), "blue"),
    "umbrella": "purple",
    "elephant": "gray",
}
# Up to this share, this lead.
LEADS = [
    (0.05, "a picture of "),
    (0.08, "an image of "),
    (0.11, "a drawing of "),
    (0.13, "emoji of "),
    (0.15, "draw "),
]


def caption_of(scene):
    """The one canonical caption, the answer to "Please describe the image"."""
    return canonical_caption(nouns_of(scene), scene["relation"], scene["bg"])


def canonical_caption(nouns, relation, background):
    """`caption_of` the scene that shows these."""
    two = len(nouns) == 2 and nouns[0] != nouns[1]
    if two and relation == "row":
        text = f"{with_article(nouns[0])} to the left of {with_article(nouns[1])}"
    elif two and relation == "column":
        text = f"{with_article(nouns[0])} above {with_article(nouns[1])}"
    else:
        text = listed([counted(noun, count) for noun, count in runs(nouns)])
    return capitalized(f"{text} on {with_article(background)} background.")


def prompt_for(scene, rng):
    """A caption as a person would type it, and whether it names the background."""
    text = _said_arrangement(scene, rng)
    r = rng.random()
    lead = next((lead for share, lead in LEADS if r < share), "")
    text = lead + text
    names_background = rng.random() < 0.82
    if names_background:
        text = with_background(text, scene["bg"], rng, may_come_first=not lead)
    r = rng.random()
    if r < 0.25:
        text = capitalized(text)
    elif r < 0.27:
        text = text.upper()
    if rng.random() < 0.3:
        text += "."
    return text, names_background


def known_words(known):
    """All words of prompts about the `known` world: none is new after 900 prompts of 10,000."""
    rng = random.Random(0)
    words = set()
    for _ in range(10_000):
        text, _ = prompt_for(scenes.sample_scene(rng, known), rng)
        words |= set(re.findall(r"[a-z]+", text.lower()))
    return sorted(words)


def nouns_of(scene):
    """The nouns of a scene in reading order."""
    return [thing["noun"] for thing in scene["objects"]]


def with_article(noun):
    """Turn "cat" into "a cat"."""
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def plural(noun):
    """Turn "cat" into "cats"."""
    return world.PLURAL[world.SINGULAR.index(noun)]


def names(text, noun):
    """Whether a text names a thing, once or several; a sunflower is no sun."""
    return re.search(rf"\b({noun}|{plural(noun)})\b", text, re.IGNORECASE) is not None


def capitalized(text):
    """The text with a capital first letter, the rest as it is."""
    return text[0].upper() + text[1:]


def runs(nouns):
    """Equal neighbors counted: [cat, cat, dog] -> [(cat, 2), (dog, 1)]."""
    out = []
    for noun in nouns:
        if out and out[-1][0] == noun:
            out[-1] = (noun, out[-1][1] + 1)
        else:
            out.append((noun, 1))
    return out


def counted(noun, count):
    """Give "a cat" or "two cats"."""
    return with_article(noun) if count == 1 else f"{NUMBERS[count]} {plural(noun)}"


def listed(parts, rng=None):
    """Join as "a, b and c"; with `rng` now and then in another way."""
    if len(parts) == 1:
        return parts[0]
    if rng and rng.random() < 0.12:
        return ", ".join(parts)
    if rng and rng.random() < 0.12:
        return " and ".join(parts)
    return ", ".join(parts[:-1]) + " and " + parts[-1]


def _said_arrangement(scene, rng):
    nouns = nouns_of(scene)
    article = rng.random() < 0.75
    two = len(nouns) == 2
    if two and scene["relation"] == "column":
        return _said_column(nouns, rng, article)
    if two and nouns[0] != nouns[1] and rng.random() < 0.5:
        return _said_row(nouns, rng, article)
    return listed([_said(rng, noun, count, article) for noun, count in runs(nouns)], rng)


# In the two functions below an f-string draws from `rng` in reading order: the order of its parts
# belongs to what a seed renders.


def _said_column(nouns, rng, article):
    upper, lower = nouns
    if upper == lower:
        return f"{rng.choice(['two', 'two', '2'])} {plural(upper)} {rng.choice(STACKED)}"
    if rng.random() < 0.6:
        return (
            f"{_said(rng, upper, 1, article)} {rng.choice(ABOVE)} {_said(rng, lower, 1, article)}"
        )
    return f"{_said(rng, lower, 1, article)} {rng.choice(BELOW)} {_said(rng, upper, 1, article)}"


def _said_row(nouns, rng, article):
    left, right = nouns
    r = rng.random()
    if r < 0.38:
        return f"{_said(rng, left, 1, article)} {rng.choice(LEFT)} {_said(rng, right, 1, article)}"
    if r < 0.73:
        return f"{_said(rng, right, 1, article)} {rng.choice(RIGHT)} {_said(rng, left, 1, article)}"
    if r < 0.85:
        return f"{_said(rng, left, 1, article)} {rng.choice(NEXT)} {_said(rng, right, 1, article)}"
    first, second = _said(rng, left, 1, article), _said(rng, right, 1, article)
    if r < 0.92:
        return f"{first} and {second} side by side"
    return f"{first} on the left and {second} on the right"


def _said(rng, noun, count, article):
    """One thing with or without article and adjective, or several with a number."""
    if count == 1:
        noun = _dressed(rng, noun)
        return with_article(noun) if article else noun
    return f"{str(count) if rng.random() < 0.2 else NUMBERS[count]} {plural(noun)}"


def _dressed(rng, noun):
    """Now and then an adjective that changes nothing."""
    r = rng.random()
    if r < 0.03:
        return f"{rng.choice(ADJECTIVES)} {noun}"
    if r < 0.06 and noun in NATURAL_COLORS:
        return f"{NATURAL_COLORS[noun]} {noun}"
    return noun


def with_background(text, background, rng, may_come_first):
    """The text with what is said about the background, before or after it."""
    r = rng.random()
    said = "grey" if background == "gray" and rng.random() < 0.5 else background
    if r < 0.07 and may_come_first:
        return f"{said} background, {text}"
    if r < 0.11 and may_come_first:
        return f"on {with_article(said)} background, {text}"
    return text + _background_last(background, rng)


def _background_last(background, rng):
    said = "grey" if background == "gray" and rng.random() < 0.5 else background
    r = rng.random()
    if r < 0.50:
        return f" on {with_article(said)} background"
    if r < 0.64:
        return f", {said} background"
    if r < 0.74:
        return f" on {said}"
    if r < 0.82:
        return f" on {said} background"
    if r < 0.90:
        return f" in front of {with_article(said)} background"
    return f" with {with_article(said)} background"
