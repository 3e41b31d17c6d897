"""Scenes: which things lie where on which background.

A scene is a plain dict: ratio ("W:H"), h and w (tokens), bg (color name), relation, and objects,
each with noun, y, x and size (tokens), in reading order.
"""

import world
from world import BIG, SMALL


def sample_scene(rng, known, held=False, ratio=None, count=None):
    """A random scene of the `known` world.

    `held` asks for one of the combinations that training never sees.
    """
    while True:
        ratio_here = ratio or rng.choices(known.ratios, known.ratio_shares)[0]
        height, width = world.size_of(ratio_here)
        n = count or rng.choices([1, 2, 3, 4], known.count_shares)[0]
        nouns = sample_nouns(rng, n, known.nouns)
        background = rng.choice(known.colors)
        if held_out(nouns, background) != held:
            continue
        column = n == 2 and rng.random() < 0.4
        boxes = layout(height, width, n, column)
        return {
            "ratio": ratio_here,
            "h": height,
            "w": width,
            "bg": background,
            "relation": relation_of(height, width, n, column),
            "objects": [
                {"noun": world.SINGULAR[noun], "y": y, "x": x, "size": size}
                for noun, (y, x, size) in zip(nouns, boxes)
            ],
        }


def sample_nouns(rng, count, choices):
    """Numbers of `count` nouns; sometimes all equal, sometimes two kinds in groups."""
    nouns = [rng.choice(choices) for _ in range(count)]
    r = rng.random()
    if count > 1 and r < 0.15:
        return [nouns[0]] * count
    if count > 2 and r < 0.30:
        first = rng.randrange(1, count)
        return [nouns[0]] * first + [nouns[-1]] * (count - first)
    return nouns


def some_alike(scene):
    """Whether a scene has three or four things, some of them of one kind."""
    nouns = [thing["noun"] for thing in scene["objects"]]
    return len(nouns) > 2 and len(set(nouns)) < len(nouns)


def held_out(nouns, background):
    """Whether a combination is kept out of training.

    A fixed tenth or so of (multiset of nouns, background); one kind of thing alone is never held
    out.
    """
    if len(set(nouns)) == 1:
        return False
    key = 0
    for noun in sorted(nouns):
        key = (key * 131 + noun * 7919 + 17) % 1000003
    return (key + world.COLOR_NAMES.index(background) * 37) % 17 in (3, 11)


def held_scenes(rng, count, known):
    """Scenes for evaluation.  Every fourth shows one thing, which cannot be held out."""
    return [
        sample_scene(rng, known, count=1) if i % 4 == 3 else sample_scene(rng, known, held=True)
        for i in range(count)
    ]


def layout(height, width, count, column=False):
    """Boxes (y, x, edge) in tokens of `count` objects, in reading order."""
    if count == 1:
        return [(_middle(height, BIG), _middle(width, BIG), BIG)]
    ys, xs = _starts(height, 2), _starts(width, 2)
    if count == 4:
        return [(y, x, SMALL) for y in ys for x in xs]
    relation = relation_of(height, width, count, column)
    if relation == "row":
        return [(_middle(height, SMALL), x, SMALL) for x in _starts(width, count)]
    if relation == "column":
        return [(y, _middle(width, SMALL), SMALL) for y in _starts(height, count)]
    return [
        (ys[0], xs[0], SMALL),
        (ys[0], xs[1], SMALL),
        (ys[1], _middle(width, SMALL), SMALL),
    ]


def relation_of(height, width, count, column):
    """How `layout` arranges the objects; three lie in a line where the picture is long enough."""
    if count == 1:
        return "single"
    if count == 2:
        return "column" if column else "row"
    if count == 3:
        if width >= 3 * SMALL:
            return "row"
        return "column" if height >= 3 * SMALL else "triangle"
    return "square"


def _middle(length, edge):
    return (length - edge) // 2


def _starts(length, count):
    """Offsets of `count` small objects spread evenly over `length` tokens."""
    free = length - SMALL * count
    return [round((i + 1) * free / (count + 1)) + SMALL * i for i in range(count)]
