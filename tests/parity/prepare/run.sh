#!/usr/bin/env bash
# Compares `task prepare-data` with the released preparation and dataset class, and opens its other
# forms with pyarrow and webdataset: `deno task test:prepared`. Needs Python 3.11 or later, and git
# or EMU3_REPOSITORY, a folder of baaivision/Emu3.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
venv=${PREPARE_VENV:-"$root/.cache/prepare-venv"}
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
fi
repository=${EMU3_REPOSITORY:-"$root/.cache/Emu3"}
if [ ! -d "$repository" ]; then
  git clone --quiet https://github.com/baaivision/Emu3 "$repository"
  git -C "$repository" checkout --quiet f6ea9aaa44bd4ae5d7a048300cf0a16a863b0cae
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$repository" HF_HUB_OFFLINE=1
cd "$root"
compare() { "$venv/bin/python" "$here/compare.py" "$1" "$work"; }
compare input
for form in emu3 parquet webdataset jsonl; do
  deno task -q prepare-data "$work/input.json" --to "$form" --out "$work/$form" \
    --image-area 518400 --shard-size 16 2> /dev/null
done
compare released
compare check
