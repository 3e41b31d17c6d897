"""Write the card of the model that draws clips: cards/ with what measure_clips.py measured."""

import argparse
import shutil
from pathlib import Path
from string import Template

import clip_captions
import clip_scenes
import world
from checkpoint import CLIP_MODEL, MODELS
from export import CLIP_EXAMPLES
from json_files import read_json
from make_card import CARDS, percent, table, words_of_model, words_of_world

ANIMATIONS = 2

# What the checker finds, and what the card calls it.
JUDGED = {
    "noun_ok": "the thing",
    "motion_ok": "what it does",
    "background_ok": "the background, where it is said",
    "steady": "no frame where the thing is missing or too many",
    "same_thing": "the same thing in every frame",
    "all": "the first four together",
}


def main():
    """Write README.md and the pictures into the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--results", type=Path, default="work/eval_clips", help="folder of measure_clips.py")
    add("--models", type=Path, default=MODELS, help="folder with the models")
    add("--world", choices=world.WORLDS, default=world.PUBLISHED, help="what the model knows")
    options = parser.parse_args()
    result = read_json(options.results / "clips.json")[0]
    grids = [world.size_of(ratio, clip_scenes.CLIP_AREA) for ratio in clip_scenes.RATIOS]
    words = {
        **words_of_world(world.WORLDS[options.world]),
        **words_of_model(options.models, CLIP_MODEL),
        "frames": clip_scenes.FRAMES,
        "max_frames": clip_scenes.MAX_FRAMES,
        "area": clip_scenes.CLIP_AREA,
        "clip_ratios": ", ".join(
            f"{ratio} ({width} x {height})"
            for ratio, (height, width) in zip(clip_scenes.RATIOS, grids)
        ),
        "examples": " - ".join(f"`{example}`" for example in CLIP_EXAMPLES),
        "verbs": ", ".join(sorted(set(clip_captions.VERBS))),
        "rows": table(rows_of(result)),
        "given": result["given"],
    }
    folder = options.models / CLIP_MODEL
    template = Template((CARDS / f"{CLIP_MODEL}.md").read_text(encoding="utf-8"))
    (folder / "README.md").write_text(template.substitute(words), encoding="utf-8")
    for name in ("drawn", "extended"):
        shutil.copy(options.results / f"{name}.png", folder / f"{name}.png")
    for number in range(ANIMATIONS):
        found = options.results / f"drawn_{number}.gif"
        if found.exists():
            shutil.copy(found, folder / f"clip_{number + 1}.gif")
    print("wrote", folder / "README.md")


def rows_of(result):
    """What was measured, the value, its interval, and of how many."""
    rows = []
    for name, words in (("drawn", "from a caption"), ("extended", "going on from given frames")):
        rows += [percent(f"{words}: {JUDGED[key]}", result[name][key]) for key in JUDGED]
    drawn = result["drawn"]
    return rows + [
        percent(f"from a caption: {motion}", drawn[motion]) for motion in clip_scenes.MOTIONS
    ]


if __name__ == "__main__":
    main()
