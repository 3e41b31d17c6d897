#!/usr/bin/env bash
# Draws the golden clips again, in the form of the paper with PyTorch and, if UNIVLA names a checkout
# of baaivision/UniVLA, in the form of frames with its processor: `deno task test:clips`. Needs
# Python 3.11 or later; PYTHON names one that has the packages.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
python=${PYTHON:-"$root/.cache/peft-venv/bin/python"}
if [ ! -x "$python" ]; then
  python3 -m venv "$root/.cache/peft-venv"
  "$python" -m pip install --quiet --requirement "$here/../peft_requirements.txt"
fi
export PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore TRANSFORMERS_VERBOSITY=error
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" "$here/paper.py" > "$work/paper.json"
diff "$root/tests/golden/clips/paper.json" "$work/paper.json"
if [ -n "${UNIVLA:-}" ]; then
  "$python" -c 'import PIL, tiktoken' 2> /dev/null ||
    "$python" -m pip install --quiet --requirement "$here/requirements.txt"
  "$python" "$here/univla.py" > "$work/frames.json"
  diff "$root/tests/golden/clips/frames.json" "$work/frames.json"
else
  echo "clips of frames not compared: set UNIVLA to a checkout of https://github.com/baaivision/UniVLA" \
    "(read at commit fbde41b3eaead4908df5658dca94bdfc624422dd)"
fi
cd "$root"
deno test -q -A tests/lib/clips_golden_test.ts
