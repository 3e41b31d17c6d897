#!/usr/bin/env bash
# Compares tuning with PyTorch and PEFT: every element of every gradient, and adapters that one
# writes and the other reads. `deno task test:tuning`. Needs Python 3.11 or later.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
python=${PYTHON:-"$root/.cache/peft-venv/bin/python"}
if [ ! -x "$python" ]; then
  python3 -m venv "$root/.cache/peft-venv"
  "$python" -m pip install --quiet --requirement "$here/../peft_requirements.txt"
fi
export PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/golden/tuning" "$work/gradients"
ln -s "$root/tests/golden/checkpoints" "$work/golden/checkpoints"
"$python" "$here/reference.py" "$work/golden" "$work/gradients"
cd "$root"
GRADIENTS="$work/gradients" PYTHON="$python" deno test -q -A tests/parity/tuning/whole_gradients_test.ts
