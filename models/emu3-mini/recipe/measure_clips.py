"""Draw held-out clips, go on from given ones, and let the checker say what is seen in them."""

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import check_clip
import clip_scenes
import world
from checkpoint import (
    CLIP_MODEL,
    MODELS,
    generation_settings,
    open_language_model,
    open_tokenizer,
    open_vision_tokenizer,
    to_input,
    to_pixels,
)
from clip_captions import clip_prompt_for
from clip_sampling import draw_clips
from contact_sheet import save_sheet
from intervals import share
from json_files import write_json
from options import add_threads

SEED = 779
BATCH = 100
SHOWN = 8  # clips on the sheet
JUDGED = ("noun_ok", "motion_ok", "background_ok", "steady", "same_thing")


def main():
    """Measure one checkpoint with the settings that it recommends, or with others."""
    options = parse()
    torch.set_grad_enabled(False)
    torch.set_num_threads(options.threads or 1)
    options.out.mkdir(parents=True, exist_ok=True)
    networks = (
        open_language_model(options.models, CLIP_MODEL),
        open_tokenizer(options.models, CLIP_MODEL),
        open_vision_tokenizer(options.models),
    )
    own = generation_settings(options.models, CLIP_MODEL)
    results = []
    for guidance, top_k, temperature in settings_of(options.settings, own):
        settings = {**own, "guidance_scale": guidance, "top_k": top_k, "temperature": temperature}
        result = {"guidance_scale": guidance, "top_k": top_k, "temperature": temperature}
        result["given"] = options.given
        for name, count, given in (
            ("drawn", options.clips, 0),
            ("extended", options.extended, options.given),
        ):
            if count:
                wanted = held_clips(count, options.frames, options.ratio)
                result[name] = measure(networks, wanted, settings, given, options, name)
                print(name, settings, result[name], flush=True)
        results.append(result)
    write_json(options.out / "clips.json", results)


def parse():
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_threads(parser)
    add = parser.add_argument
    add("--models", type=Path, default=MODELS, help="folder with the model and its tokenizer")
    add("--out", type=Path, default="work/eval_clips", help="folder for results and sheets")
    add("--clips", type=int, default=200, help="clips to draw from a caption")
    add("--extended", type=int, default=100, help="clips to go on from")
    add("--given", type=int, default=4, help="frames that are given of those")
    add("--frames", type=int, default=clip_scenes.FRAMES, help="frames of a clip")
    add("--ratio", choices=clip_scenes.RATIOS, default="1:1", help="of all clips")
    add(
        "--settings",
        default="",
        help="guidance:top_k:temperature, several with commas between; else the checkpoint's own",
    )
    return parser.parse_args()


def settings_of(text, own):
    """Triples of numbers of the command line, or the checkpoint's own."""
    if not text:
        return [(own["guidance_scale"], own["top_k"], own["temperature"])]
    parts = [setting.split(":") for setting in text.split(",")]
    return [(float(guidance), int(top_k), float(heat)) for guidance, top_k, heat in parts]


def held_clips(count, frames, ratio="1:1", known=world.WORLDS[world.PUBLISHED]):
    """Held-out clips with a caption each; every motion as often."""
    rng = random.Random(SEED)
    clips = []
    for i in range(count):
        motion = clip_scenes.MOTIONS[i % len(clip_scenes.MOTIONS)]
        clip = clip_scenes.sample_clip(rng, known, True, frames, ratio, motion)
        text, names_background = clip_prompt_for(clip, rng)
        clips.append({**clip, "prompt": text, "names_background": names_background})
    return clips


def measure(networks, wanted, settings, given, options, name):
    """Shares over the clips, a sheet of some and animations of them."""
    clips = draw(networks, wanted, settings, given)
    seen = [
        check_clip.score(
            frames, clip["noun"], clip["motion"], clip["bg"] if said(clip, given) else None
        )
        for frames, clip in zip(clips, wanted)
    ]
    save_examples(options.out, name, clips, wanted)
    result = {key: share(s[key] for s in seen) for key in JUDGED}
    result["all"] = share(all(s[key] for key in JUDGED[:4]) for s in seen)
    for motion in clip_scenes.MOTIONS:
        right = [s["motion_ok"] for s, clip in zip(seen, wanted) if clip["motion"] == motion]
        result[motion] = share(right)
    write_json(
        options.out / f"{name}_wrong.json",
        [
            {"prompt": clip["prompt"], "noun": s["noun"], "motion": s["motion"]}
            for s, clip in zip(seen, wanted)
            if not all(s[key] for key in JUDGED[:4])
        ],
    )
    return result


def said(clip, given):
    """Whether the background of a clip is settled: by its caption, or by frames that are given."""
    return given > 0 or clip["names_background"]


def draw(networks, wanted, settings, given):
    """Frames uint8 [T, H, W, 3] of a clip for each of `wanted`."""
    model, tokenizer, vision = networks
    generator = torch.Generator().manual_seed(1)
    by_size = {}
    for i, clip in enumerate(wanted):
        by_size.setdefault((len(clip["boxes"]), clip["h"], clip["w"]), []).append(i)
    out = [None] * len(wanted)
    for size, numbers in by_size.items():
        for start in range(0, len(numbers), BATCH):
            batch = numbers[start : start + BATCH]
            context = None
            if given:
                frames = [clip_scenes.render_clip(wanted[i])[:given] for i in batch]
                context = torch.stack([vision.encode(to_input(part)) for part in frames])
            prompts = [wanted[i]["prompt"] for i in batch]
            codes = draw_clips(model, tokenizer, prompts, size, settings, generator, context)
            for i, clip in zip(batch, codes):
                out[i] = to_pixels(vision.decode(clip))
            print(f"{start + len(batch)} of {len(numbers)}", size, flush=True)
    return out


def save_examples(folder, name, clips, wanted):
    """A sheet with a clip in each row, and animations of them."""
    alike = [i for i, clip in enumerate(clips) if clip.shape == clips[0].shape][:SHOWN]
    rows = [list(clips[i]) for i in alike]
    labels = [[wanted[i]["prompt"], *[""] * (len(clips[i]) - 1)] for i in alike]
    save_sheet(folder / f"{name}.png", rows, labels)
    for number, i in enumerate(alike):
        save_animation(folder / f"{name}_{number}.gif", clips[i])


def save_animation(path, frames, fps=4, scale=2):
    """Write frames as a GIF that repeats."""
    big = [
        Image.fromarray(np.repeat(np.repeat(frame, scale, 0), scale, 1)).quantize(128)
        for frame in frames
    ]
    big[0].save(path, save_all=True, append_images=big[1:], duration=1000 // fps, loop=0)


if __name__ == "__main__":
    main()
