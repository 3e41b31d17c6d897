"""Questions about a scene with the answers that the model is to give."""

import world
from captions import NUMBERS, capitalized, caption_of, nouns_of, plural, with_article

DESCRIBE = [
    "Please describe the image",
    "Please describe the image.",
    "Describe the image",
    "Describe this picture.",
    "What is in this picture?",
    "What is in the image?",
    "What do you see?",
    "What's in this image?",
    "What is shown here?",
    "Caption this image.",
    "describe",
    "Please describe the picture.",
    "What is this?",
]
COUNT = [
    "How many objects are there?",
    "How many things are there?",
    "How many objects are in the picture?",
    "How many objects do you see?",
    "Count the objects.",
]
COLOR = [
    "What colour is the background?",
    "What color is the background?",
    "What is the background color?",
    "What is the background colour?",
    "background color?",
    "Which colour is the background?",
]
MORE_EXISTS = 2  # pairs of further "is there" for a picture in training
# By side: ways to ask, and the words of the answer.
POSITION = {
    "left": (
        ["What is on the left?", "What is on the left side?", "Which object is on the left?"],
        "on the left",
    ),
    "right": (
        ["What is on the right?", "What is on the right side?", "Which object is on the right?"],
        "on the right",
    ),
    "top": (
        ["What is at the top?", "What is on top?", "Which object is at the top?"],
        "at the top",
    ),
    "bottom": (
        ["What is at the bottom?", "What is on the bottom?", "Which object is at the bottom?"],
        "at the bottom",
    ),
    "middle": (["What is in the middle?", "Which object is in the middle?"], "in the middle"),
    "top left": (
        ["What is at the top left?", "What is in the top left corner?"],
        "at the top left",
    ),
    "top right": (
        ["What is at the top right?", "What is in the top right corner?"],
        "at the top right",
    ),
    "bottom left": (
        ["What is at the bottom left?", "What is in the bottom left corner?"],
        "at the bottom left",
    ),
    "bottom right": (
        ["What is at the bottom right?", "What is in the bottom right corner?"],
        "at the bottom right",
    ),
}


def questions_about(scene, rng, known):
    """Triples (kind, question, answer).

    One description, one count, one color, two "is there", up to two positions and one count of a
    noun.
    """
    nouns = nouns_of(scene)
    out = [
        ("describe", rng.choice(DESCRIBE), caption_of(scene)),
        ("count", rng.choice(COUNT), in_all(len(nouns))),
        ("colour", rng.choice(COLOR), f"The background is {scene['bg']}."),
    ]
    present = rng.choice(nouns)
    out.append(_exists(present, True, rng))
    absent = rng.choice(absent_nouns(scene, known))
    out.append(_exists(absent, False, rng))
    places = positions(scene)
    for side in rng.sample(sorted(places), min(2, len(places))):
        out.append(_position(side, places, rng))
    noun = rng.choice(nouns) if rng.random() < 0.8 else absent
    out.append(("countof", _how_many(noun, rng), there_are(noun, nouns.count(noun))))
    return out


def more_questions(scene, rng, known):
    """Further triples for training: what is hard to learn, asked more often.

    As many things are there as are not.
    """
    nouns, absent = nouns_of(scene), absent_nouns(scene, known)
    out = []
    for _ in range(MORE_EXISTS):
        out.append(_exists(rng.choice(nouns), True, rng))
        out.append(_exists(rng.choice(absent), False, rng))
    places = positions(scene)
    if places:
        out.append(_position(rng.choice(sorted(places)), places, rng))
    noun = rng.choice(nouns) if rng.random() < 0.6 else rng.choice(absent)
    out.append(("countof", _how_many(noun, rng), there_are(noun, nouns.count(noun))))
    return out


def absent_nouns(scene, known):
    """Nouns of the world that a scene does not show."""
    shown = nouns_of(scene)
    return [world.SINGULAR[i] for i in known.nouns if world.SINGULAR[i] not in shown]


def positions(scene):
    """Which noun is at which side, where that is unambiguous."""
    nouns, relation = nouns_of(scene), scene["relation"]
    if relation == "triangle":
        return dict(zip(["top left", "top right", "bottom"], nouns))
    if relation == "square":
        return dict(zip(["top left", "top right", "bottom left", "bottom right"], nouns))
    if relation not in ("row", "column"):
        return {}
    first, last = ("left", "right") if relation == "row" else ("top", "bottom")
    places = {first: nouns[0], last: nouns[-1]}
    if len(nouns) == 3:
        places["middle"] = nouns[1]
    return places


def in_all(count):
    """The answer to how many things there are."""
    return f"There are {NUMBERS[count]} objects." if count > 1 else "There is one object."


def yes_or_no(noun, there):
    """The answer to whether there is a noun."""
    return f"Yes, there is {with_article(noun)}." if there else f"No, there is no {noun}."


def at_side(noun, side):
    """The answer to what is at a side."""
    return f"{capitalized(with_article(noun))} is {POSITION[side][1]}."


def there_are(noun, count):
    """The answer to how many of a noun there are."""
    if count == 0:
        return f"There is no {noun}."
    if count == 1:
        return f"There is one {noun}."
    return f"There are {NUMBERS[count]} {plural(noun)}."


def _exists(noun, there, rng):
    return "exists", _is_there(noun, rng), yes_or_no(noun, there)


def _position(side, places, rng):
    return "position", rng.choice(POSITION[side][0]), at_side(places[side], side)


def _is_there(noun, rng):
    thing = with_article(noun)
    return rng.choice(
        [
            f"Is there {thing}?",
            f"Is there {thing} in the picture?",
            f"Do you see {thing}?",
            f"is there {thing} in the image?",
        ]
    )


def _how_many(noun, rng):
    things = plural(noun)
    return rng.choice(
        [
            f"How many {things} are there?",
            f"How many {things} do you see?",
            f"How many {things} are in the picture?",
        ]
    )
