"""Makes the animations of this folder and what Pillow sees in them.

Every file has 3 frames or more whose disposal, blending and placing differ.
`frames.json` holds, per file, the SHA-256 of each frame's RGB after it was laid
over white, and of the first frame after `convert("RGB")`. Not compared: the
frames of `small_first.gif`, where Pillow paints what no frame covers in color 0
and viewers leave it transparent. A disposal of 0 does not occur, since Pillow
takes it for that of the frame before.
Run: python3 make.py  (Pillow 13.0.0)
"""

import hashlib
import io
import json
import struct
import zlib

import PIL
from PIL import Image, ImageDraw


def picture(i, size=(24, 18), mode="RGBA"):
    image = Image.new(mode, size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rectangle((2 * i, i, 8 + 2 * i, 9 + i), fill=(40 * i, 200 - 30 * i, 90, 255))
    draw.rectangle((12, 2 + i, 20, 6 + i), fill=(250, 20 * i, 10, 255))
    return image


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(
        ">I", zlib.crc32(kind + data))


def raw_rows(image):
    stride = image.width * 4
    data = image.tobytes()
    rows = b"".join(b"\0" + data[i:i + stride] for i in range(0, len(data), stride))
    return zlib.compress(rows)


def apng(hidden_default):
    """Frames of all disposals and blendings, placed off the corner."""
    size = (24, 18)
    out = b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", *size, 8, 6, 0, 0, 0))
    plans = [((0, 0), size, 0, 0), ((3, 2), (12, 10), 1, 1), ((5, 4), (10, 9), 2, 0),
             ((0, 6), (14, 12), 0, 1), ((10, 0), (14, 10), 0, 1)]
    out += chunk(b"acTL", struct.pack(">II", len(plans), 0))
    if hidden_default:
        out += chunk(b"IDAT", raw_rows(Image.new("RGBA", size, (1, 2, 3, 255))))
    number = 0
    for i, (at, wh, dispose, blend) in enumerate(plans):
        out += chunk(b"fcTL", struct.pack(
            ">IIIIIHHBB", number, *wh, *at, 1, 10, dispose, blend))
        number += 1
        data = raw_rows(picture(i + 1).crop((*at, at[0] + wh[0], at[1] + wh[1])))
        if i == 0 and not hidden_default:
            out += chunk(b"IDAT", data)
        else:
            out += chunk(b"fdAT", struct.pack(">I", number) + data)
            number += 1
    return out + chunk(b"IEND", b"")


def saved(kind, frames, **options):
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], **options)
    return file.getvalue()


def lzw(indices):
    """GIF data without compression: a clear code before every second index."""
    codes = []
    for i, index in enumerate(indices):
        if i % 2 == 0:
            codes.append(4)
        codes.append(index)
    codes.append(5)
    bits = sum(code << (3 * i) for i, code in enumerate(codes))
    data = bits.to_bytes((3 * len(codes) + 7) // 8, "little")
    blocks = b"".join(
        bytes([len(data[i:i + 255])]) + data[i:i + 255] for i in range(0, len(data), 255))
    return b"\2" + blocks + b"\0"


def gif(transparent, plans):
    """plans: (left, top, width, height, disposal)"""
    out = b"GIF89a" + struct.pack("<HHBBB", 12, 10, 0x81, 0, 0)
    out += bytes([200, 10, 20, 30, 180, 40, 50, 60, 220, 250, 240, 70])
    for i, (x, y, w, h, disposal) in enumerate(plans):
        flags = disposal << 2 | (transparent is not None)
        out += b"\x21\xf9\x04" + struct.pack("<BHBB", flags, 10, transparent or 0, 0)
        out += b"\x2c" + struct.pack("<HHHHB", x, y, w, h, 0)
        out += lzw([(i + r * c + c) % 4 for r in range(h) for c in range(w)])
    return out + b"\x3b"


plans = [(2, 1, 8, 7, 1), (4, 3, 6, 5, 2), (1, 2, 9, 4, 3), (0, 0, 12, 10, 1), (5, 5, 4, 4, 1)]
files = {
    "apng.png": apng(False),
    "apng_hidden_default.png": apng(True),
    "animated.webp": saved("WEBP", [picture(i) for i in range(4)], lossless=True,
                           exact=True, minimize_size=True, duration=50),
    "small_first.gif": gif(None, plans),
    "transparent_first.gif": gif(2, plans),
}
answers = {}
for name, data in files.items():
    open(name, "wb").write(data)
    sha = lambda image: hashlib.sha256(image.tobytes()).hexdigest()
    reference = sha(Image.open(io.BytesIO(data)).convert("RGB"))
    image = Image.open(io.BytesIO(data))
    shown = []
    for i in range(image.n_frames):
        image.seek(i)
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        white.alpha_composite(image.convert("RGBA"))
        shown.append(sha(white.convert("RGB")))
    if name == "apng_hidden_default.png":
        shown = shown[1:]  # Pillow counts the hidden picture as a frame
    if name == "small_first.gif":
        shown = []
    answers[name] = {"reference": reference, "shown": shown}
json.dump({"pillow": PIL.__version__, "files": answers}, open("frames.json", "w"), indent=1)
