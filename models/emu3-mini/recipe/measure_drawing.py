"""Pictures of captions, judged by the checker, and what the model then says of them."""

import numpy as np
import torch

import check_scene
import sampling
import world
from captions import canonical_caption, names
from checkpoint import (
    generation_settings,
    open_language_model,
    open_tokenizer,
    open_vision_tokenizer,
    to_input,
    to_pixels,
)
from contact_sheet import save_sheet
from intervals import mean, share
from make_evaluation_set import prompts
from questions import DESCRIBE
from threads import CoreSharing

BATCH = 32
SHOWN = 16  # pictures on the sheet


def measure_drawing(options, known, seed):
    """Scores for each setting."""
    networks = (
        open_language_model(options.models),
        open_tokenizer(options.models),
        open_vision_tokenizer(options.models),
    )
    wanted = prompts(options.prompts, seed, known)
    result = {"settings": []}
    for settings in _settings(options):
        images = draw(networks, wanted, settings, options.threads)
        scores = judge(images, wanted)
        scores.update(describe_drawn(networks, images, wanted))
        result["settings"].append({**settings, **scores})
        print(settings, scores, flush=True)
        rows = [images[start : start + 4] for start in range(0, min(SHOWN, len(images)), 4)]
        texts = [prompt["prompt"] for prompt in wanted]
        labels = [texts[start : start + 4] for start in range(0, 4 * len(rows), 4)]
        name = "_".join(f"{settings[key]:g}" for key in ("guidance_scale", "top_k", "temperature"))
        save_sheet(options.out / f"drawn_{name}.png", rows, labels)
    return result


def draw(networks, wanted, settings, threads):
    """A picture for each prompt."""
    model, tokenizer, vision = networks
    generator = torch.Generator().manual_seed(1)
    cores = CoreSharing(threads)
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
    """Scores of the pictures."""
    seen = [
        check_scene.score(image, prompt["objects"], prompt["background"])
        for image, prompt in zip(images, wanted)
    ]
    both = list(zip(seen, wanted))
    there = [hit for s, p in both for hit in [True] * s["hits"] + [False] * s["missing"]]
    colored = [s["background_ok"] for s, p in both if p["background"]]
    return {
        "object": share(there),
        "scene": share(s["scene_ok"] for s in seen),
        "scene_and_order": share(s["scene_ok"] and s["order_ok"] for s in seen),
        "relation": share(related(s["objects"], p) for s, p in both if _is_pair(p)),
        "counted": share(s["scene_ok"] for s, p in both if _is_counted(p)),
        "single": share(s["scene_ok"] for s, p in both if len(p["objects"]) == 1),
        "background": share(colored),
        "extra": mean(len(s["extra"]) for s in seen),
    }


def related(found, prompt):
    """Whether two things were found where the prompt puts them: side by side or one above."""
    if [thing["noun"] for thing in found] != prompt["objects"]:
        return False
    down = found[1]["y"] - found[0]["y"]
    right = found[1]["x"] - found[0]["x"]
    return right > abs(down) if prompt["relation"] == "row" else down > abs(right)


def describe_drawn(networks, images, wanted):
    """What the model says of its pictures: what was asked for, and names of all that was."""
    model, tokenizer, vision = networks
    question = tokenizer.chat_question(DESCRIBE[0])
    exact, named = [], []
    for image, prompt in zip(images, wanted):
        codes = vision.encode(to_input(np.asarray(image))[None])[0].tolist()
        prefix = tokenizer.chat_prefix(codes)
        text = sampling.answer(model, tokenizer, [question], prefix=prefix)[0]
        # Without a background in the prompt any will do.
        background = prompt["background"] or text.removesuffix(" background.").split(" ")[-1]
        nouns = prompt["objects"]
        exact.append(text == canonical_caption(nouns, prompt["relation"], background))
        named.append(all(names(text, noun) for noun in nouns))
    return {"round_trip": share(exact), "round_trip_named": share(named)}


def _settings(options):
    own = generation_settings(options.models)
    if not options.settings:
        return [own]
    return [
        {**own, "guidance_scale": float(g), "top_k": int(k), "temperature": float(t)}
        for g, k, t in (setting.split(":") for setting in options.settings.split(","))
    ]


def _is_pair(prompt):
    return len(prompt["objects"]) == 2 and len(set(prompt["objects"])) == 2


def _is_counted(prompt):
    return len(set(prompt["objects"])) < len(prompt["objects"])
