"""The world of emu3-mini as tables: things, background colors, picture ratios.

Training and evaluation share it.  Sizes are height before width; a token is a square of 8 pixels.
"""

import math
from dataclasses import dataclass

# Singular, plural, emoji.
NOUNS = [
    ("cat", "cats", "🐱"),
    ("dog", "dogs", "🐶"),
    ("fox", "foxes", "🦊"),
    ("frog", "frogs", "🐸"),
    ("panda", "pandas", "🐼"),
    ("lion", "lions", "🦁"),
    ("pig", "pigs", "🐷"),
    ("rabbit", "rabbits", "🐰"),
    ("penguin", "penguins", "🐧"),
    ("owl", "owls", "🦉"),
    ("turtle", "turtles", "🐢"),
    ("fish", "fish", "🐠"),
    ("octopus", "octopuses", "🐙"),
    ("whale", "whales", "🐳"),
    ("butterfly", "butterflies", "🦋"),
    ("bee", "bees", "🐝"),
    ("ladybug", "ladybugs", "🐞"),
    ("snail", "snails", "🐌"),
    ("crab", "crabs", "🦀"),
    ("elephant", "elephants", "🐘"),
    ("apple", "apples", "🍎"),
    ("banana", "bananas", "🍌"),
    ("pear", "pears", "🍐"),
    ("strawberry", "strawberries", "🍓"),
    ("watermelon", "watermelons", "🍉"),
    ("pineapple", "pineapples", "🍍"),
    ("carrot", "carrots", "🥕"),
    ("pizza", "pizzas", "🍕"),
    ("burger", "burgers", "🍔"),
    ("donut", "donuts", "🍩"),
    ("cake", "cakes", "🎂"),
    ("ice cream", "ice creams", "🍦"),
    ("egg", "eggs", "🍳"),
    ("cheese", "cheeses", "🧀"),
    ("tree", "trees", "🌳"),
    ("cactus", "cactuses", "🌵"),
    ("mushroom", "mushrooms", "🍄"),
    ("sunflower", "sunflowers", "🌻"),
    ("rose", "roses", "🌹"),
    ("sun", "suns", "🌞"),
    ("moon", "moons", "🌙"),
    ("star", "stars", "⭐"),
    ("rainbow", "rainbows", "🌈"),
    ("snowman", "snowmen", "⛄"),
    ("fire", "fires", "🔥"),
    ("car", "cars", "🚗"),
    ("bus", "buses", "🚌"),
    ("rocket", "rockets", "🚀"),
    ("boat", "boats", "⛵"),
    ("guitar", "guitars", "🎸"),
    ("drum", "drums", "🥁"),
    ("umbrella", "umbrellas", "☂️"),
    ("soccer ball", "soccer balls", "⚽"),
    ("balloon", "balloons", "🎈"),
    ("gift", "gifts", "🎁"),
    ("book", "books", "📕"),
    ("clock", "clocks", "⏰"),
    ("key", "keys", "🔑"),
    ("heart", "hearts", "❤️"),
    ("house", "houses", "🏠"),
    ("camera", "cameras", "📷"),
    ("robot", "robots", "🤖"),
    ("ghost", "ghosts", "👻"),
    ("crown", "crowns", "👑"),
]
SINGULAR = [singular for singular, _, _ in NOUNS]
PLURAL = [plural for _, plural, _ in NOUNS]

COLORS = {
    "white": (255, 255, 255),
    "gray": (150, 152, 156),
    "yellow": (252, 228, 120),
    "green": (130, 200, 120),
    "blue": (115, 180, 240),
    "purple": (170, 130, 215),
    "pink": (250, 180, 205),
    "orange": (245, 165, 85),
}
COLOR_NAMES = list(COLORS)

RATIOS = ["1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16"]  # width to height


@dataclass(frozen=True)
class World:
    """What scenes may show, and how often."""

    nouns: list  # numbers in NOUNS
    colors: list  # of backgrounds
    ratios: list
    ratio_shares: list
    count_shares: list  # of scenes with 1...4 things


def _numbers(nouns):
    return [SINGULAR.index(noun) for noun in nouns.split()]


_FIRST = (
    "cat dog fox frog panda pig penguin whale apple strawberry watermelon pizza donut tree sun "
    "star rainbow car rocket guitar umbrella balloon heart robot"
)
_MORE = (
    " rabbit owl turtle fish butterfly elephant banana carrot burger cactus mushroom sunflower "
    "moon snowman bus house"
)
_ALL_RATIO_SHARES = [0.46, 0.09, 0.09, 0.09, 0.09, 0.09, 0.09]
# By the number of things.  The vision tokenizer is trained on the largest.
WORLDS = {
    "24": World(
        _numbers(_FIRST),
        ["white", "gray", "yellow", "green", "blue", "pink"],
        RATIOS[:3],
        [0.6, 0.2, 0.2],
        [0.34, 0.38, 0.15, 0.13],
    ),
    "40": World(
        _numbers(_FIRST + _MORE),
        COLOR_NAMES,
        RATIOS,
        _ALL_RATIO_SHARES,
        [0.3, 0.4, 0.16, 0.14],
    ),
    "64": World(
        list(range(len(NOUNS))),
        COLOR_NAMES,
        RATIOS,
        _ALL_RATIO_SHARES,
        [0.27, 0.41, 0.18, 0.14],
    ),
}
WHOLE = WORLDS["64"]
PUBLISHED = "40"  # what the published language model knows

IMAGE_AREA = 16384  # in square pixels
PATCH = 8  # pixels on the edge of a token
SMALL, BIG = 6, 12  # edge of an object in tokens


def size_of(ratio, area=IMAGE_AREA):
    """Token rows and token columns of a ratio, as `calculate_generate_size` of Emu3."""
    width, height = (int(side) for side in ratio.split(":"))
    scale = math.sqrt(area / (width * height))
    return round(height * scale / PATCH), round(width * scale / PATCH)
