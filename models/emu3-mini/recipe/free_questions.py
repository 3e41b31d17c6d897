"""Questions as people ask them: other words, no question mark, small letters.

Training and evaluation have them beside those of questions.py, whose answers they share.
"""

from captions import caption_of, nouns_of, plural, with_article
from questions import POSITION, absent_nouns, at_side, in_all, positions, there_are, yes_or_no

DESCRIBE = [
    "What can you see here?",
    "Tell me what you see.",
    "What does the image show?",
    "Can you describe this picture?",
    "What's in the picture?",
    "Give me a caption for this.",
    "What are the things in this image?",
    "Describe what you see",
    "Please caption the picture",
    "What is it?",
]
COUNT = [
    "How many items are shown?",
    "What is the number of objects?",
    "How many things do you see?",
    "How many objects does the image show?",
    "number of objects",
]
COLOR = [
    "What is the color of the background?",
    "Which color does the background have?",
    "What color is behind the objects?",
    "Tell me the background color.",
]
EXISTS = [
    "Can you see {thing}?",
    "Does the picture show {thing}?",
    "Is {thing} in the image?",
    "Are there any {things}?",
    "Does the image contain {thing}?",
    "Any {things} here?",
]
COUNT_OF = [
    "Count the {things}.",
    "What is the number of {things}?",
    "How many {things} does the picture show?",
    "number of {things}?",
]
SIDE = ["What do you see {place}?", "Which thing is {place}?", "What is the object {place}?"]
WHERE = ["Where is the {noun}?", "Where do you see the {noun}?", "In which place is the {noun}?"]
MOST_WHERE = 2  # things that are there, and whose place is asked for
NOWHERE = 0.5  # how often the place of a thing is asked for that is not there


def free_questions(scene, rng, known):
    """Triples (kind, question, answer); the kind is "free", or "where" which only these ask.

    To say where a thing is the model must find it in the picture, as it must to say whether it is
    there; the answer tells more, so that this is learned first.
    """
    asked = [_describe, _count, _color, _exists, _count_of]
    places = positions(scene)
    if places:
        asked.append(_side)
    out = [("free", *rng.choice(asked)(scene, rng, known))]
    unique = [side for side, noun in places.items() if nouns_of(scene).count(noun) == 1]
    for side in rng.sample(sorted(unique), min(MOST_WHERE, len(unique))):
        out.append(("where", *_where(places[side], side, rng)))
    if rng.random() < NOWHERE:
        absent = rng.choice(absent_nouns(scene, known))
        out.append(("where", rng.choice(WHERE).format(noun=absent), there_are(absent, 0)))
    return [(kind, _typed(question, rng), answer) for kind, question, answer in out]


def place_questions(scene, rng, known):
    """Pairs (question, answer): those of free_questions() about where a thing is."""
    asked = free_questions(scene, rng, known)
    return [(question, answer) for kind, question, answer in asked if kind == "where"]


def _where(noun, side, rng):
    return rng.choice(WHERE).format(noun=noun), f"The {noun} is {POSITION[side][1]}."


def _describe(scene, rng, _known):
    return rng.choice(DESCRIBE), caption_of(scene)


def _count(scene, rng, _known):
    return rng.choice(COUNT), in_all(len(nouns_of(scene)))


def _color(scene, rng, _known):
    return rng.choice(COLOR), f"The background is {scene['bg']}."


def _exists(scene, rng, known):
    there = rng.random() < 0.5
    noun = rng.choice(nouns_of(scene) if there else absent_nouns(scene, known))
    question = rng.choice(EXISTS).format(thing=with_article(noun), things=plural(noun))
    return question, yes_or_no(noun, there)


def _count_of(scene, rng, known):
    nouns = nouns_of(scene)
    noun = rng.choice(nouns if rng.random() < 0.7 else absent_nouns(scene, known))
    question = rng.choice(COUNT_OF).format(things=plural(noun))
    return question, there_are(noun, nouns.count(noun))


def _side(scene, rng, _known):
    places = positions(scene)
    side = rng.choice(sorted(places))
    question = rng.choice(SIDE).format(place=POSITION[side][1])
    return question, at_side(places[side], side)


def _typed(question, rng):
    """The question as it may be typed."""
    r = rng.random()
    if r < 0.2:
        return question[0].lower() + question[1:]
    if r < 0.35:
        return question.rstrip("?.")
    if r < 0.45:
        return question.lower().rstrip("?.")
    return question
