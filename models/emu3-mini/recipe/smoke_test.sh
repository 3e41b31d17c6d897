#!/bin/sh
# Every step of the recipe at toy size, a few minutes on one core; nothing of it is kept.
# usage: sh smoke_test.sh EMU3_TIKTOKEN
set -e
if [ $# -ne 1 ]; then
  echo "usage: sh smoke_test.sh EMU3_TIKTOKEN" >&2
  exit 2
fi
tiktoken=$(realpath "$1")
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

# From nothing to two folders.  By the clock, so that all parts of the schedule are reached.
step train_vq --minutes 0.5 --ae 0.2 --full 0.5 --batch 4 --out vq1.pt
step train_vq --init vq1.pt --steps 4 --full 0 --ae 0 --cons 5 --cycle 1.0 --out vq.pt
step make_pool --vq vq.pt --n 48 --wide --seed 10 --out wide.pt
step make_pool --vq vq.pt --n 48 --seed 11 --out pool.pt
step train_lm --pool wide.pt,pool.pt --tiktoken "$tiktoken" --steps 4 --bg 2 --bu 2 --out lm.pt
step train_lm --init lm.pt --pool pool.pt --tiktoken "$tiktoken" --steps 2 --bg 2 --bu 2 --out lm.pt
step train_decoder --vq vq.pt --pool pool.pt --steps 6 --out vq_final.pt
step export --vq vq_final.pt --lm lm.pt --tiktoken "$tiktoken" --out models
step evaluate --models models --out eval --scenes 8 --clips 4 --prompts 4 --pictures 2
step make_card --models models --results eval

# The published weights and the evaluation set come out as they are.
step from_weights --out published
step export --vq published/vq.pt --lm published/lm.pt --tiktoken "$tiktoken" --out again
for folder in emu3-mini emu3-mini-visiontokenizer; do
  for file in again/$folder/*; do
    cmp "$file" "$here/../../$folder/$(basename "$file")"
  done
done
step make_evaluation_set --out set
diff -r set/scenes "$here/../../../tests/parity/mini/scenes"
cmp set/prompts.jsonl "$here/../../../tests/parity/mini/prompts.jsonl"
step check_scene set/scenes/scene_00.png frog,dog green > seen.json
grep -q '"scene_ok": true' seen.json
echo "all steps work"
