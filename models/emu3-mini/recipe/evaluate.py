"""Measure the published folders on held-out combinations; make_card.py writes the results down.

Nothing of the checker uses the networks.
"""

import argparse
import random
from pathlib import Path

import numpy as np
import torch

import check_scene
import sampling
import world
from captions import nouns_of, plural
from checkpoint import (
    MODELS,
    generation_settings,
    open_language_model,
    open_tokenizer,
    open_vision_tokenizer,
    to_input,
    to_pixels,
)
from contact_sheet import contact_sheet
from drawing import render, to_bytes
from image_quality import psnr, ssim
from json_files import write_json
from make_evaluation_set import prompts
from questions import questions_about
from scenes import held_scenes
from threads import CoreSharing
from vision_batches import frames

SEED = 777
BATCH = 32
SHOWN = 16  # pictures on the sheet
CLIP_SIDE = 12  # tokens


def main():
    """Run the measurements that are asked for."""
    options = parse()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    options.out.mkdir(parents=True, exist_ok=True)
    measure = {"vision": measure_vision, "drawing": measure_drawing, "answers": measure_answers}
    for what in options.what.split(","):
        result = measure[what](options)
        write_json(options.out / f"{what}.json", result)
        brief = {key: value for key, value in result.items() if not isinstance(value, list)}
        print(what, brief, flush=True)


def parse():
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--models", type=Path, default=MODELS, help="folder with both models")
    add("--out", type=Path, default="work/eval", help="folder for results and sheets")
    add("--what", default="vision,drawing,answers", help="measurements, with commas between")
    add("--scenes", type=int, default=64, help="pictures for the vision tokenizer")
    add("--clips", type=int, default=48, help="clips for the vision tokenizer")
    add("--prompts", type=int, default=64, help="captions to draw")
    add("--pictures", type=int, default=48, help="pictures to ask about")
    add(
        "--settings",
        default="",
        help="guidance:top_k, several with commas between; by default the checkpoint's own",
    )
    return parser.parse_args()


def measure_vision(options):
    """Reconstruction of scenes and clips."""
    model = open_vision_tokenizer(options.models)
    cores = CoreSharing()
    rows, sheet, used = [], [], set()
    for scene in held_scenes(random.Random(SEED), options.scenes):
        cores.adapt()
        image = render(scene)
        codes = model.encode(to_input(image)[None])
        decoded = to_pixels(model.decode(codes))[0]
        again = model.encode(to_input(decoded)[None])
        third = model.encode(to_input(to_pixels(model.decode(again))))
        seen = check_scene.score(decoded, nouns_of(scene), scene["bg"])
        rows.append(
            {
                "psnr": psnr(image, decoded),
                "psnr_object": psnr(*(_first_object(scene, x) for x in (image, decoded))),
                "ssim": ssim(image, decoded),
                "recognized": seen["scene_ok"] and seen["order_ok"],
                "same_codes": float((codes == again).float().mean()),
                "same_codes_again": float((again == third).float().mean()),
            }
        )
        used |= set(codes.flatten().tolist())
        sheet.append([image, decoded])
    save_sheet(options.out / "reconstruction_sheet.png", sheet[:8])
    clips = measure_clips(model, options)
    return {
        "n_images": len(rows),
        "psnr": _mean(row["psnr"] for row in rows),
        "psnr_min": round(min(row["psnr"] for row in rows), 4),
        "psnr_object_region": _mean(row["psnr_object"] for row in rows),
        "ssim": _mean(row["ssim"] for row in rows),
        "scene_recognized_after_reconstruction": _mean(row["recognized"] for row in rows),
        "codes_unchanged_by_reencoding": _mean(row["same_codes"] for row in rows),
        "codes_unchanged_second_reencoding": _mean(row["same_codes_again"] for row in rows),
        "distinct_codes_in_these_images": len(used),
        **clips,
    }


def measure_clips(model, options):
    """Reconstruction of four frames of one moving thing."""
    rng = random.Random(SEED)
    rows, sheet = [], []
    for _ in range(options.clips):
        clip = to_bytes(_clip(rng))
        decoded = to_pixels(model.decode(model.encode(to_input(clip)[None])))[0]
        still = to_pixels(model.decode(model.encode(to_input(clip[:1]))))[0]
        similar = np.mean([ssim(one, other) for one, other in zip(clip, decoded)])
        rows.append((psnr(clip, decoded), similar, psnr(clip[0], still)))
        sheet += [list(clip), list(decoded)]
    save_sheet(options.out / "clip_sheet.png", sheet[:8])
    of_clips, similarities, of_stills = zip(*rows)
    return {
        "n_clips": len(rows),
        "clip_psnr": _mean(of_clips),
        "clip_ssim": _mean(similarities),
        "clip_first_frame_as_image_psnr": _mean(of_stills),
    }


def measure_drawing(options):
    """Pictures of captions, for each setting; judged by the checker."""
    networks = (
        open_language_model(options.models),
        open_tokenizer(options.models),
        open_vision_tokenizer(options.models),
    )
    wanted = prompts(options.prompts, SEED)
    result = {"n": len(wanted)}
    for settings in _settings(options):
        images = draw(networks, wanted, settings)
        name = f"guidance {settings['guidance_scale']:g}, top_k {settings['top_k']}"
        result[name] = judge(images, wanted)
        result["negative_prompt"] = settings["negative_prompt"]
        rows = [images[start : start + 4] for start in range(0, min(SHOWN, len(images)), 4)]
        texts = [prompt["prompt"] for prompt in wanted]
        labels = [texts[start : start + 4] for start in range(0, 4 * len(rows), 4)]
        file = f"drawn_{settings['guidance_scale']:g}_{settings['top_k']}.png"
        save_sheet(options.out / file, rows, labels)
    return result


def draw(networks, wanted, settings):
    """A picture for each prompt."""
    model, tokenizer, vision = networks
    generator = torch.Generator().manual_seed(1)
    cores = CoreSharing()
    by_size = {}
    for i, prompt in enumerate(wanted):
        by_size.setdefault(world.size_of(prompt["ratio"]), []).append(i)
    images = [None] * len(wanted)
    for size, numbers in by_size.items():
        for start in range(0, len(numbers), BATCH):
            cores.adapt()
            batch = numbers[start : start + BATCH]
            texts = [wanted[i]["prompt"] for i in batch]
            negative = settings["negative_prompt"]
            codes = sampling.draw(model, tokenizer, texts, size, settings, generator, negative)
            for i, image in zip(batch, to_pixels(vision.decode(codes))):
                images[i] = image
    return images


def judge(images, wanted):
    """Scores of the pictures; objects are counted over all pictures together."""
    seen = [
        check_scene.score(image, prompt["objects"], prompt["background"])
        for image, prompt in zip(images, wanted)
    ]
    objects = sum(len(prompt["objects"]) for prompt in wanted)
    single = [s["scene_ok"] for s, p in zip(seen, wanted) if len(p["objects"]) == 1]
    return {
        "object_accuracy": round(sum(s["hits"] for s in seen) / objects, 4),
        "scene_accuracy": _mean(s["scene_ok"] for s in seen),
        "scene_and_order": _mean(s["scene_ok"] and s["order_ok"] for s in seen),
        "background_accuracy": _mean(s["background_ok"] for s in seen),
        "extra_objects": sum(len(s["extra"]) for s in seen),
        "single_object_scenes": _mean(single),
        "objects": objects,
    }


def measure_answers(options):
    """Greedy answers that equal the expected sentence, by kind of question."""
    model, tokenizer = open_language_model(options.models), open_tokenizer(options.models)
    vision = open_vision_tokenizer(options.models)
    rng = random.Random(SEED + 7)
    cores = CoreSharing()
    right, wrong, named = {}, [], []
    scenes = held_scenes(random.Random(SEED + 6), options.pictures)
    for scene in scenes:
        cores.adapt()
        codes = vision.encode(to_input(render(scene))[None])[0].tolist()
        prefix = tokenizer.chat_prefix(codes)
        asked = questions_about(scene, rng)
        sequences = [prefix + tokenizer.chat_question(question) for _, question, _ in asked]
        texts = sampling.answer(model, tokenizer, sequences)
        for (kind, question, expected), text in zip(asked, texts):
            good = _plain(text) == _plain(expected)
            right.setdefault(kind, []).append(good)
            if not good:
                wrong.append({"kind": kind, "question": question, "got": text, "truth": expected})
            if kind == "describe":
                said = text.lower()
                named += [noun in said or plural(noun) in said for noun in nouns_of(scene)]
    return {
        "n_scenes": len(scenes),
        **{kind: {"accuracy": _mean(v), "n": len(v)} for kind, v in sorted(right.items())},
        "all": _mean(good for values in right.values() for good in values),
        "caption_names_object": _mean(named),
        "wrong": wrong[:40],
    }


def save_sheet(path, rows, labels=None):
    """Write rows of pictures at twice their size."""
    labels = labels or [[""] * len(row) for row in rows]
    contact_sheet(rows, labels, scale=2).save(path)


def _settings(options):
    own = generation_settings(options.models)
    if not options.settings:
        return [own]
    pairs = [setting.split(":") for setting in options.settings.split(",")]
    return [{**own, "guidance_scale": float(g), "top_k": int(k)} for g, k in pairs]


def _clip(rng):
    """Four frames of one thing of the small world, float 0...1."""
    color = world.COLORS[rng.choice(world.ACTIVE_COLORS)]
    edge = rng.choice([48, 48, 64])
    noun, border = rng.choice(world.ACTIVE), 8
    last = CLIP_SIDE * world.PATCH - edge - border
    y, x = rng.randint(border, last), rng.randint(border, last)
    thing = (noun, y, x, edge, rng.randint(-2, 2), rng.randint(-2, 2))
    return frames(CLIP_SIDE, CLIP_SIDE, color, [thing])


def _first_object(scene, image):
    """The part of a picture that shows the first object."""
    y, x, edge = (world.PATCH * scene["objects"][0][side] for side in ("y", "x", "size"))
    return image[y : y + edge, x : x + edge]


def _plain(text):
    return text.strip().rstrip(".").lower()


def _mean(values):
    return round(float(np.mean(list(values))), 4)


if __name__ == "__main__":
    main()
