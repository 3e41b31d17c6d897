#!/usr/bin/env bash
# Runs every step of the recipe of emu3-mini at toy size: `deno task test:recipe`. Needs Python 3.11
# or later with its headers, a C++ compiler and the Debian package fonts-noto-color-emoji.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
recipe="$root/models/emu3-mini/recipe"
venv="$root/.cache/recipe-venv"
if [ ! -x "$venv/bin/ninja" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --requirement "$recipe/requirements.txt"
fi
PATH="$venv/bin:$PATH" sh "$recipe/smoke_test.sh"
