"""Write the cards of both models: the texts of cards/ with what evaluate.py measured."""

import argparse
from pathlib import Path
from string import Template

import world
from checkpoint import LANGUAGE_MODEL, MODELS, VISION_TOKENIZER, generation_settings
from json_files import read_json

CARDS = Path(__file__).resolve().parent / "cards"


def main():
    """Write README.md into both folders."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--results", type=Path, default="work/eval", help="folder that evaluate.py wrote")
    add("--models", type=Path, default=MODELS, help="folder with both models")
    options = parser.parse_args()
    words = {
        **words_of_world(),
        **words_of_model(options.models),
        **words_of_drawing(read_json(options.results / "drawing.json")),
        **words_of_answers(read_json(options.results / "answers.json")),
        **words_of_vision(read_json(options.results / "vision.json")),
    }
    for folder in (LANGUAGE_MODEL, VISION_TOKENIZER):
        template = Template((CARDS / f"{folder}.md").read_text(encoding="utf-8"))
        card = options.models / folder / "README.md"
        card.write_text(template.substitute(words), encoding="utf-8")
        print("wrote", card)


def words_of_world():
    """What the model knows."""
    others = [noun for i, noun in enumerate(world.SINGULAR) if i not in world.ACTIVE]
    return {
        "thing_count": len(world.ACTIVE),
        "things": ", ".join(world.SINGULAR[i] for i in world.ACTIVE),
        "other_things": ", ".join(others),
        "backgrounds": ", ".join(world.ACTIVE_COLORS),
        "ratios": ", ".join(world.RATIOS),
    }


def words_of_model(models):
    """Sizes and recommended settings."""
    config = read_json(models / LANGUAGE_MODEL / "config.json")
    settings = generation_settings(models)
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


def words_of_drawing(result):
    """A row for each setting."""
    shares = ("object_accuracy", "scene_accuracy", "scene_and_order", "background_accuracy")
    rows = [
        [name, *(_percent(scores[share]) for share in shares), scores["extra_objects"]]
        for name, scores in result.items()
        if name.startswith("guidance")
    ]
    return {"drawn": result["n"], "drawing_rows": _table(rows)}


def words_of_answers(result):
    """A row for each kind of question."""
    rows = [
        [kind, _percent(scores["accuracy"]), scores["n"]]
        for kind, scores in result.items()
        if isinstance(scores, dict)
    ]
    return {
        "asked": result["n_scenes"],
        "answer_rows": _table(rows),
        "named": _percent(result["caption_names_object"]),
    }


def words_of_vision(result):
    """What comes back from codes."""
    return {
        "scenes": result["n_images"],
        "psnr": f"{result['psnr']:.2f}",
        "psnr_min": f"{result['psnr_min']:.2f}",
        "psnr_object": f"{result['psnr_object_region']:.2f}",
        "ssim": f"{result['ssim']:.3f}",
        "recognized": _percent(result["scene_recognized_after_reconstruction"]),
        "same_codes": _percent(result["codes_unchanged_by_reencoding"]),
        "clips": result["n_clips"],
        "clip_psnr": f"{result['clip_psnr']:.2f}",
        "clip_ssim": f"{result['clip_ssim']:.3f}",
        "still_psnr": f"{result['clip_first_frame_as_image_psnr']:.2f}",
    }


def _percent(share):
    return f"{100 * share:.1f} %"


def _table(rows):
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


if __name__ == "__main__":
    main()
