"""Makes clips of noise and what Pillow sees in every frame.

`clips.json` holds, per clip, the file in base64 and the SHA-256 of each frame after
`convert("RGB")`: colors of transparent pixels included. Frames are placed, blended and
disposed of at random; only a frame of an APNG that is laid over is never restored,
which Pillow forgets.
Run: python3 make_clips.py  (Pillow 13.0.0)
"""

import base64
import hashlib
import io
import json
import random
import struct
import zlib

from PIL import Image

WIDTH, HEIGHT, FRAMES = 10, 8, 5
chance = random.Random(1)


def noise(width, height, soft):
    alphas = [0, 255] + ([90, 180] if soft else [])
    image = Image.new("RGBA", (width, height))
    image.putdata([
        (*(chance.randrange(256) for _ in range(3)), chance.choice(alphas))
        for _ in range(width * height)
    ])
    return image


def place(step, first):
    if first or chance.random() < 0.3:
        return 0, 0, WIDTH, HEIGHT
    width, height = chance.randint(2, 8), chance.randint(2, 6)
    left = chance.randrange(0, WIDTH - width + 1) // step * step
    top = chance.randrange(0, HEIGHT - height + 1) // step * step
    return left, top, width, height


def riff(chunks):
    return b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)
        for name, data in chunks)


def uint24(value):
    return struct.pack("<I", value)[:3]


def webp(soft):
    size = uint24(WIDTH - 1) + uint24(HEIGHT - 1)
    chunks = [(b"VP8X", b"\x12\0\0\0" + size), (b"ANIM", bytes(6))]
    for i in range(FRAMES):
        left, top, width, height = place(2, False)
        file = io.BytesIO()
        noise(width, height, soft).save(file, "WEBP", lossless=True, exact=True)
        still = file.getvalue()[12:]
        placing = [left // 2, top // 2, width - 1, height - 1, 50]
        flags = bytes([chance.randrange(4)])
        chunks.append((b"ANMF", b"".join(map(uint24, placing)) + flags + still))
    body = b"WEBP" + riff(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(
        ">I", zlib.crc32(kind + data))


def apng(soft):
    out = b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 6, 0, 0, 0))
    out += chunk(b"acTL", struct.pack(">II", FRAMES, 0))
    number = 0
    for i in range(FRAMES):
        left, top, width, height = place(1, i == 0)
        blend = chance.randrange(2)
        dispose = chance.randrange(2 if blend else 3)
        out += chunk(b"fcTL", struct.pack(
            ">IIIIIHHBB", number, width, height, left, top, 1, 10, dispose, blend))
        number += 1
        data = noise(width, height, soft).tobytes()
        rows = (data[at:at + 4 * width] for at in range(0, len(data), 4 * width))
        packed = zlib.compress(b"".join(b"\0" + row for row in rows))
        if i == 0:
            out += chunk(b"IDAT", packed)
        else:
            out += chunk(b"fdAT", struct.pack(">I", number) + packed)
            number += 1
    return out + chunk(b"IEND", b"")


def lzw(indices):
    """GIF data without compression: a clear code before every second index."""
    codes = []
    for i, index in enumerate(indices):
        codes += [4, index] if i % 2 == 0 else [index]
    codes.append(5)
    bits = sum(code << (3 * i) for i, code in enumerate(codes))
    data = bits.to_bytes((3 * len(codes) + 7) // 8, "little")
    return b"\2" + bytes([len(data)]) + data + b"\0"


def colors():
    return bytes(chance.randrange(256) for _ in range(12))


def gif(transparent):
    """`transparent`: indices, one of which each frame has; None for none."""
    background = chance.randrange(4)
    out = b"GIF89a" + struct.pack("<HHBBB", WIDTH, HEIGHT, 0x81, background, 0) + colors()
    for i in range(FRAMES):
        left, top, width, height = place(1, False)
        index = chance.choice(transparent)
        if chance.random() < 0.85:
            flags = chance.randrange(4) << 2 | (index is not None)
            out += b"\x21\xf9\x04" + struct.pack("<BHBB", flags, 10, index or 0, 0)
        local = chance.random() < 0.3
        out += b"\x2c" + struct.pack(
            "<HHHHB", left, top, width, height, 0x81 if local else 0)
        out += (colors() if local else b"") + lzw(
            chance.randrange(4) for _ in range(width * height))
    return out + b"\x3b"


files = {f"webp {i}": webp(i % 2) for i in range(6)}
files |= {f"apng {i}": apng(i % 2) for i in range(6)}
files |= {f"gif {i}": gif(([None], [2], [None, 1, 3])[i % 3]) for i in range(12)}
answers = []
for name, data in files.items():
    image = Image.open(io.BytesIO(data))
    shas = []
    for i in range(image.n_frames):
        image.seek(i)
        shas.append(hashlib.sha256(image.convert("RGB").tobytes()).hexdigest())
    file = base64.b64encode(data).decode()
    answers.append({"name": name, "file": file, "frames": shas})
with open("clips.json", "w") as out:
    json.dump({"clips": answers}, out, indent=1)
    out.write("\n")
