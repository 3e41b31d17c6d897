"""What comes back from codes: scenes and clips."""

import random

import numpy as np

import check_scene
import world
from captions import nouns_of
from checkpoint import open_vision_tokenizer, to_input, to_pixels
from contact_sheet import save_sheet
from drawing import render, to_bytes
from image_quality import psnr, ssim
from intervals import mean, share
from scenes import held_scenes
from threads import CoreSharing
from vision_batches import frames

CLIP_SIDE = 12  # tokens
SHOWN = 8  # rows of a sheet


def measure_vision(options, known, seed):
    """Reconstruction of scenes and clips."""
    model = open_vision_tokenizer(options.models)
    cores = CoreSharing(options.threads)
    rows, sheet, used = [], [], set()
    for scene in held_scenes(random.Random(seed), options.scenes, known):
        cores.adapt()
        image = render(scene)
        codes = model.encode(to_input(image)[None])
        decoded = to_pixels(model.decode(codes))[0]
        again = model.encode(to_input(decoded)[None])
        seen = check_scene.score(decoded, nouns_of(scene), scene["bg"])
        rows.append(
            {
                "psnr": psnr(image, decoded),
                "psnr_object": psnr(*(_first_object(scene, x) for x in (image, decoded))),
                "ssim": ssim(image, decoded),
                "recognized": seen["scene_ok"] and seen["order_ok"],
                "same_codes": float((codes == again).float().mean()),
            }
        )
        used |= set(codes.flatten().tolist())
        sheet.append([image, decoded])
    save_sheet(options.out / "reconstruction_sheet.png", sheet[:SHOWN])
    return {
        "psnr": mean(row["psnr"] for row in rows),
        "psnr_min": round(min(row["psnr"] for row in rows), 4),
        "psnr_object": mean(row["psnr_object"] for row in rows),
        "ssim": mean(row["ssim"] for row in rows),
        "recognized": share(row["recognized"] for row in rows),
        "same_codes": mean(row["same_codes"] for row in rows),
        "distinct_codes": len(used),
        **measure_clips(model, options, known, seed),
    }


def measure_clips(model, options, known, seed):
    """Reconstruction of four frames of one moving thing."""
    rng = random.Random(seed)
    rows, sheet = [], []
    for _ in range(options.clips):
        clip = to_bytes(_clip(rng, known))
        decoded = to_pixels(model.decode(model.encode(to_input(clip)[None])))[0]
        still = to_pixels(model.decode(model.encode(to_input(clip[:1]))))[0]
        similar = np.mean([ssim(one, other) for one, other in zip(clip, decoded)])
        rows.append((psnr(clip, decoded), similar, psnr(clip[0], still)))
        sheet += [list(clip), list(decoded)]
    save_sheet(options.out / "clip_sheet.png", sheet[:SHOWN])
    of_clips, similarities, of_stills = zip(*rows)
    return {
        "clip_psnr": mean(of_clips),
        "clip_ssim": mean(similarities),
        "clip_still_psnr": mean(of_stills),
    }


def _clip(rng, known):
    """Four frames of one thing, float 0...1."""
    color = world.COLORS[rng.choice(known.colors)]
    edge = rng.choice([48, 48, 64])
    noun, border = rng.choice(known.nouns), 8
    last = CLIP_SIDE * world.PATCH - edge - border
    y, x = rng.randint(border, last), rng.randint(border, last)
    thing = (noun, y, x, edge, rng.randint(-2, 2), rng.randint(-2, 2))
    return frames(CLIP_SIDE, CLIP_SIDE, color, [thing])


def _first_object(scene, image):
    """The part of a picture that shows the first object."""
    y, x, edge = (world.PATCH * scene["objects"][0][side] for side in ("y", "x", "size"))
    return image[y : y + edge, x : x + edge]
