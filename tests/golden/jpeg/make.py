"""Makes JPEGs of four components or of 4:4:0, and what Pillow sees in them.

`rare.json` holds, per file, the file and its RGB after `convert("RGB")`, both in base64:
CMYK and YCCK, with Adobe's marker and without, of all samplings that libjpeg smooths,
baseline and progressive, with restart markers; 4:4:0 of all color spaces.
Run: python3 make.py  (Pillow 13.0.0)
"""

import base64
import io
import json
import struct

from PIL import Image


def picture(width, height):
    image = Image.new("CMYK", (width, height))
    image.putdata([
        ((7 * x + 3 * y) % 256, (x * y) % 256, (11 * y) % 256, (5 * x ^ 3 * y) % 128)
        for y in range(height) for x in range(width)
    ])
    return image


def saved(size, mode="CMYK", **options):
    file = io.BytesIO()
    picture(*size).convert(mode).save(file, "JPEG", quality=80, **options)
    return file.getvalue()


def segments(data):
    at = 2
    while data[at + 1] != 0xDA:
        (length,) = struct.unpack(">H", data[at + 2:at + 4])
        yield data[at + 1], data[at:at + 2 + length]
        at += 2 + length
    yield 0xDA, data[at:]


def changed(data, change):
    """The file with `change(marker, segment)` instead of each segment."""
    return data[:2] + b"".join(change(*one) for one in segments(data))


def without_adobe(data):
    return changed(data, lambda marker, one: b"" if marker == 0xEE else one)


def ycck(data):
    """The same samples, of which the first three are luma and chroma."""
    return changed(data, lambda marker, one: one[:-1] + b"\2" if marker == 0xEE else one)


def upright(data):
    """4:2:2 turned to 4:4:0: a unit has as many blocks, one above the other."""
    def turn(marker, one):
        if marker != 0xC0:
            return one
        height, width = one[5:7], one[7:9]
        factors = bytes([one[10], 0x12, one[12]])
        return one[:5] + width + height + one[9:10] + factors + one[13:]
    return changed(data, turn)


def without_jfif(data):
    return changed(data, lambda marker, one: b"" if marker == 0xE0 else one)


def adobe(data, transform):
    marker = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([transform])
    return data[:2] + marker + data[2:]


def named(data, ids):
    """The file with other names of its components."""
    def rename(marker, one):
        one = bytearray(one)
        for i, name in enumerate(ids):
            if marker == 0xC0:
                one[10 + 3 * i] = name
            if marker == 0xDA:
                one[5 + 2 * i] = name
        return bytes(one)
    return changed(data, rename)


tall = upright(saved((64, 16), "RGB", subsampling=1))
files = {
    "cmyk": saved((21, 18)),
    "cmyk without marker": without_adobe(saved((21, 18))),
    "cmyk 4:2:2": saved((21, 18), subsampling=1),
    "cmyk 4:2:0": saved((21, 18), subsampling=2),
    "cmyk 4:4:0": upright(saved((32, 16), subsampling=1)),
    "cmyk, narrow": saved((3, 5), subsampling=2),
    "ycck": ycck(saved((21, 18))),
    "ycck 4:2:0": ycck(saved((37, 35), subsampling=2)),
    "ycck, progressive": ycck(saved((37, 35), subsampling=2, progressive=True)),
    "cmyk, progressive": saved((21, 18), progressive=True),
    "cmyk, restarts": saved((37, 35), restart_marker_blocks=3),
    "cmyk 4:2:0, restarts": saved((37, 35), subsampling=2, restart_marker_rows=1),
    "4:4:0": tall,
    "4:4:0 without marker": without_jfif(tall),
    "4:4:0 RGB by Adobe's marker": adobe(without_jfif(tall), 0),
    "4:4:0 by Adobe's marker": adobe(without_jfif(tall), 1),
    "4:4:0 of JFIF and Adobe": tall[:20] + adobe(tall, 0)[2:18] + tall[20:],
    "4:4:0 RGB by name": named(without_jfif(tall), b"RGB"),
    "4:4:0 of other names": named(without_jfif(tall), b"rgb"),
}
answers = []
for name, data in files.items():
    rgb = Image.open(io.BytesIO(data)).convert("RGB").tobytes()
    encoded = [base64.b64encode(one).decode() for one in (data, rgb)]
    answers.append(dict(zip(("name", "jpeg", "rgb"), [name, *encoded])))
with open("rare.json", "w") as out:
    json.dump({"files": answers}, out, indent=1)
    out.write("\n")
