"""Pictures of scenes: Noto emoji on plain backgrounds, on the 8-pixel token grid."""

import os

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import world

FONT = os.environ.get("NOTO_EMOJI", "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
FONT_SIZE = 109  # the only size of the bitmaps in the font

_glyphs = {}


def glyph(noun, edge):
    """Emoji number `noun` fitted into a square of `edge` pixels, [edge, edge, 4].

    RGBA 0...1 with premultiplied alpha.
    """
    key = (noun, edge)
    if key not in _glyphs:
        font = ImageFont.truetype(FONT, FONT_SIZE)
        image = Image.new("RGBA", (160, 160), (0, 0, 0, 0))
        ImageDraw.Draw(image).text((10, 10), world.NOUNS[noun][2], font=font, embedded_color=True)
        image = image.crop(image.getbbox())
        side = max(image.size)
        square = Image.new("RGBA", (side, side), (0, 0, 0, 0))
        square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        # Premultiplied before the resize, so that edges keep their color.
        rgba = np.asarray(square, np.float32) / 255
        rgba[..., :3] *= rgba[..., 3:]
        channels = [
            np.asarray(Image.fromarray(rgba[..., c]).resize((edge, edge), Image.LANCZOS))
            for c in range(4)
        ]
        _glyphs[key] = np.clip(np.stack(channels, -1), 0, 1)
    return _glyphs[key]


def paste(image, noun, y, x, edge):
    """Draw a noun into `image` at pixel (y, x).  Overwritten; what lies outside is cut off."""
    height, width = image.shape[:2]
    top, left = max(0, y), max(0, x)
    bottom, right = min(height, y + edge), min(width, x + edge)
    if bottom <= top or right <= left:
        return
    part = glyph(noun, edge)[top - y : bottom - y, left - x : right - x]
    under = image[top:bottom, left:right]
    image[top:bottom, left:right] = under * (1 - part[..., 3:]) + part[..., :3]


def canvas(height, width, color):
    """A plain picture of `height` x `width` tokens, float RGB 0...1; `color` is 0...255."""
    image = np.empty((height * world.PATCH, width * world.PATCH, 3), np.float32)
    image[:] = np.asarray(color, np.float32) / 255
    return image


def render_float(scene):
    """The picture of a scene, float RGB 0...1, [H, W, 3]."""
    image = canvas(scene["h"], scene["w"], world.COLORS[scene["bg"]])
    for thing in scene["objects"]:
        y, x, edge = (world.PATCH * thing[side] for side in ("y", "x", "size"))
        paste(image, world.SINGULAR.index(thing["noun"]), y, x, edge)
    return image


def render(scene):
    """The picture of a scene, uint8 RGB, [H, W, 3]."""
    return to_bytes(render_float(scene))


def to_bytes(image):
    """Float RGB 0...1 -> uint8, rounded."""
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
