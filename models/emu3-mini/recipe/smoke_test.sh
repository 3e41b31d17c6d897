#!/bin/sh
# Every step of the recipe at toy size, some minutes on one core; nothing of it is kept.
# Needs what README.md asks for: `deno task test:recipe` brings it.
set -e
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1
cd "$work"

step() {
  echo "== $*"
  name=$1
  shift
  python "$here/$name.py" "$@"
}

# From nothing to three folders and their cards.
step make_all --toy --threads 1 --work toy --models models
grep -q "40 things" models/emu3-mini/README.md
grep -q "8 frames" models/emu3-mini-clips/README.md

# Runs go on.
step train_vq --init toy/vq1.pt --ae 0 --full 0 --cons 5 --cycle 1 --steps 6 --threads 1 \
  --out toy/vq.pt
step train_decoder --vq toy/vq.pt --pool toy/pool.pt --steps 8 --batch 2 --sharp 0.02 --threads 1 \
  --out toy/vq_final.pt

# A run that was stopped comes out as one that was not.
train() {
  step train_lm --pool toy/pool.pt --decay 1 \
    --bg 1 --cg 2 --bu 1 --cu 1 --threads 1 "$@"
}
train --steps 2 --out stopped/lm.pt
train --steps 4 --out stopped/lm.pt
train --steps 4 --out whole/lm.pt
cmp stopped/lm.pt whole/lm.pt
clips() {
  step train_clips --pool toy/clip_pool.pt --init toy/lm.pt --decay 1 --tokens 200 --threads 1 "$@"
}
clips --steps 1 --out stopped/clips.pt
clips --steps 2 --out stopped/clips.pt
clips --steps 2 --out whole/clips.pt
cmp stopped/clips.pt whole/clips.pt
step verify_decoder --pool toy/pool.pt

# The published weights and the evaluation set come out as they are.
step from_weights --out published
step export --vq published/vq.pt --lm published/lm.pt --clips published/clips.pt --out again
for folder in emu3-mini emu3-mini-clips emu3-mini-visiontokenizer; do
  for file in again/$folder/*; do
    cmp "$file" "$here/../../$folder/$(basename "$file")"
  done
done
step make_evaluation_set --out set
diff -r set/scenes "$here/../../../tests/parity/mini/scenes"
cmp set/prompts.jsonl "$here/../../../tests/parity/mini/prompts.jsonl"
step check_scene set/scenes/scene_00.png frog,sunflower gray > seen.json
grep -q '"scene_ok": true' seen.json
step check_clip models/emu3-mini-clips/clip_1.gif > seen.json
grep -q '"background":' seen.json
echo "all steps work"
