"""Write the cards of both models: the texts of cards/ with what evaluate.py measured and drew."""

import argparse
import shutil
from pathlib import Path
from string import Template

import world
from checkpoint import LANGUAGE_MODEL, MODELS, VISION_TOKENIZER, generation_settings
from json_files import read_json

CARDS = Path(__file__).resolve().parent / "cards"

# Of questions, and what the card calls them.
KINDS = {
    "describe": "describe, whole sentence",
    "count": "how many objects",
    "countof": "how many of a kind",
    "colour": "color of the background",
    "position": "what is at a side",
    "exists": "is there",
    "where": "where is it",
    "free": "all of these in other words",
}


def main():
    """Write README.md into both folders."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--results", type=Path, default="work/eval", help="folder that evaluate.py wrote")
    add("--models", type=Path, default=MODELS, help="folder with both models")
    add("--world", choices=world.WORLDS, default=world.PUBLISHED, help="what the model knows")
    options = parser.parse_args()
    vision, drawing, answers = (
        read_json(options.results / f"{what}.json") for what in ("vision", "drawing", "answers")
    )
    words = {
        **words_of_world(world.WORLDS[options.world]),
        **words_of_model(options.models),
        "rows": table(rows_of(vision, drawing["settings"][0], answers)),
        "psnr_min": f"{vision['psnr_min']:.2f}",
        "psnr": f"{vision['psnr']['mean']:.2f}",
        "ssim": f"{vision['ssim']['mean']:.3f}",
        "scenes": vision["psnr"]["n"],
        "clip_psnr": f"{vision['clip_psnr']['mean']:.2f}",
        "clips": vision["clip_psnr"]["n"],
        "extra": f"{drawing['settings'][0]['extra']['mean']:.2f}",
    }
    for folder in (LANGUAGE_MODEL, VISION_TOKENIZER):
        template = Template((CARDS / f"{folder}.md").read_text(encoding="utf-8"))
        card = options.models / folder / "README.md"
        card.write_text(template.substitute(words), encoding="utf-8")
        print("wrote", card)
    for sheet, name in (
        ("drawn_*.png", "drawn.png"),
        ("reconstruction_sheet.png", "reconstructed.png"),
    ):
        found = next(options.results.glob(sheet))
        shutil.copy(found, options.models / LANGUAGE_MODEL / name)


def words_of_world(known):
    """What the model knows."""
    others = [noun for i, noun in enumerate(world.SINGULAR) if i not in known.nouns]
    strange = ["16:9", "3:2", "21:9"] if "16:9" not in known.ratios else ["21:9", "5:4", "1:2"]
    return {
        "thing_count": len(known.nouns),
        "things": ", ".join(world.SINGULAR[i] for i in known.nouns),
        "other_things": ", ".join(others),
        "backgrounds": ", ".join(known.colors),
        "ratios": ", ".join(known.ratios),
        "strange_ratios": ", ".join(strange),
    }


def words_of_model(models, name=LANGUAGE_MODEL):
    """Sizes and recommended settings."""
    config = read_json(models / name / "config.json")
    settings = generation_settings(models, name)
    sizes = (
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "intermediate_size",
    )
    return {
        "shape": " / ".join(str(config[size]) for size in sizes),
        "vocabulary": config["vocab_size"],
        "temperature": f"{settings['temperature']:g}",
        "top_k": settings["top_k"],
        "guidance_scale": f"{settings['guidance_scale']:g}",
        "negative_prompt": settings["negative_prompt"],
    }


def rows_of(vision, drawn, answers):
    """What was measured, the value, its interval, and of how many."""
    kinds = answers["kinds"]
    return [
        percent("drawing: a thing that is named is there", drawn["object"]),
        percent("drawing: whole scene (all, nothing else, background)", drawn["scene"]),
        percent("drawing: the same and in the right order", drawn["scene_and_order"]),
        percent("drawing: two things, each where it was asked for", drawn["relation"]),
        percent("drawing: one thing", drawn["single"]),
        percent("drawing: scenes with several of a kind", drawn["counted"]),
        percent("drawing: named background", drawn["background"]),
        percent("drawing, then describing: all things are named", drawn["round_trip_named"]),
        percent("drawing, then describing: the sentence asked for", drawn["round_trip"]),
        percent("describe, things named", answers["named"]),
        *(percent(words, kinds[kind]) for kind, words in KINDS.items() if kind in kinds),
        percent("still: recognized after encode and decode", vision["recognized"]),
        percent("still: codes that survive decode and encode", as_share(vision["same_codes"])),
        level("still: PSNR", vision["psnr"], "dB", 2),
        level("still: PSNR inside the first thing's box", vision["psnr_object"], "dB", 2),
        level("still: SSIM", vision["ssim"], "", 3),
        level("clip of four frames: PSNR", vision["clip_psnr"], "dB", 2),
        level("clip of four frames: SSIM", vision["clip_ssim"], "", 3),
        level("first frame of a clip as a still: PSNR", vision["clip_still_psnr"], "dB", 2),
    ]


def as_share(result):
    """A mean of shares as a share."""
    return {**result, "share": result["mean"]}


def percent(what, result):
    """A row of the table for a share."""
    value, low, high = (f"{100 * result[key]:.1f}" for key in ("share", "low", "high"))
    return [what, f"{value} %", f"{low} to {high}", result["n"]]


def level(what, result, unit, digits):
    """A row of the table for a mean."""
    value, low, high = (f"{result[key]:.{digits}f}" for key in ("mean", "low", "high"))
    return [what, f"{value} {unit}".strip(), f"{low} to {high}", result["n"]]


def table(rows):
    """Rows of a Markdown table."""
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


if __name__ == "__main__":
    main()
