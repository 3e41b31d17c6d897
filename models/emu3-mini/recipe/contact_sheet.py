"""Many pictures in one."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP = 6  # pixels
LINE = 11  # pixels
LINES = 3  # of a label
GRAY = (64, 64, 64)
WHITE = (255, 255, 255)


def contact_sheet(rows, labels, scale=1):
    """Pictures uint8 [H, W, 3] in rows, each with its label below."""
    height = scale * max(picture.shape[0] for row in rows for picture in row)
    width = scale * max(picture.shape[1] for row in rows for picture in row)
    row_height = height + LINES * LINE + GAP
    columns = max(len(row) for row in rows)
    size = (columns * (width + GAP) + GAP, len(rows) * row_height + GAP)
    sheet = Image.new("RGB", size, GRAY)
    pen = ImageDraw.Draw(sheet)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            x, y = GAP + j * (width + GAP), GAP + i * row_height
            big = np.repeat(np.repeat(picture, scale, 0), scale, 1)
            sheet.paste(Image.fromarray(big), (x, y))
            _write(pen, labels[i][j], x, y + height + 1, width)
    return sheet


def save_sheet(path, rows, labels=None):
    """Write rows of pictures at twice their size."""
    labels = labels or [[""] * len(row) for row in rows]
    contact_sheet(rows, labels, scale=2).save(path)


def _write(pen, text, x, y, width):
    """Write words in lines that fit the width."""
    font = ImageFont.load_default()
    line = ""
    for word in [*text.split(), None]:
        longer = f"{line} {word}".strip()
        if word is not None and pen.textlength(longer, font=font) <= width:
            line = longer
            continue
        pen.text((x, y), line, font=font, fill=WHITE)
        y, line = y + LINE, word or ""
