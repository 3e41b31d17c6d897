"""Makes variants.json: a tiny PNG of every color type, depth, interlacing and
transparency, with the RGB that Pillow's `convert("RGB")` gives for it.

Rows take all five filters in turn. Sizes leave some interlace passes empty.
Run: python3 make.py  (Pillow 13.0.0, NumPy 1.26 or later)
"""

import base64
import io
import json
import struct
import zlib

import numpy as np
import PIL
from PIL import Image

random = np.random.default_rng(0)
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
          (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(
        ">I", zlib.crc32(kind + data))


def packed(row, depth):
    if depth == 16:
        return row.astype(">u2").tobytes()
    bits = "".join(format(int(value), f"0{depth}b") for value in row)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def paeth(left, up, corner):
    guess = left + up - corner
    by = sorted([(abs(guess - left), 0, left), (abs(guess - up), 1, up),
                 (abs(guess - corner), 2, corner)])
    return by[0][2]


def filtered(samples, depth):
    out = b""
    above = None
    step = max(1, samples.shape[2] * depth // 8)
    for y, row in enumerate(samples):
        raw = packed(row.reshape(-1), depth)
        above = above or bytes(len(raw))
        kind = y % 5
        out += bytes([kind])
        for i, value in enumerate(raw):
            left = raw[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            up = above[i]
            guess = [0, left, up, (left + up) // 2, paeth(left, up, corner)][kind]
            out += bytes([(value - guess) % 256])
        above = raw
    return out


def png(kind, samples, depth, interlaced, transparent):
    height, width, _ = samples.shape
    if interlaced:
        parts = [samples[y::dy, x::dx] for x, y, dx, dy in PASSES]
        rows = b"".join(filtered(part, depth) for part in parts if part.size)
    else:
        rows = filtered(samples, depth)
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(
        ">IIBBBBB", width, height, depth, kind, 0, 0, interlaced))
    if kind == 3:
        colors = min(2 ** depth, 200)
        out += chunk(b"PLTE", bytes(random.integers(0, 256, 3 * colors, dtype=np.uint8)))
    if transparent:
        key = {0: lambda: struct.pack(">H", int(samples[0, 0, 0])),
               2: lambda: struct.pack(">HHH", *map(int, samples[0, 0])),
               3: lambda: bytes([0, 128])}[kind]()
        out += chunk(b"tRNS", key)
    data = zlib.compress(rows)
    half = len(data) // 2
    return out + chunk(b"IDAT", data[:half]) + chunk(b"IDAT", data[half:]) + chunk(b"IEND", b"")


variants = []
for kind, channels, depths in [(0, 1, [1, 2, 4, 8, 16]), (2, 3, [8, 16]),
                               (3, 1, [1, 2, 4, 8]), (4, 2, [8, 16]), (6, 4, [8, 16])]:
    for depth in depths:
        for interlaced in (0, 1):
            for transparent in (0, 1) if kind in (0, 2, 3) else (0,):
                for height, width in ((9, 7), (1, 3), (5, 1)):
                    most = 200 if kind == 3 and depth == 8 else 2 ** depth
                    samples = random.integers(0, most, (height, width, channels))
                    data = png(kind, samples, depth, interlaced, transparent)
                    rgb = Image.open(io.BytesIO(data)).convert("RGB").tobytes()
                    variants.append({
                        "name": f"color type {kind}, {depth} bits, interlaced {interlaced}, "
                                f"tRNS {transparent}, {height}x{width}",
                        "png": base64.b64encode(data).decode(),
                        "rgb": base64.b64encode(rgb).decode(),
                    })
with open("variants.json", "w") as file:
    json.dump({"pillow": PIL.__version__, "variants": variants}, file, indent=1)
