#!/usr/bin/env bash
# Compares adapters with PEFT, both ways, and runs 200 mixed workloads: `deno task test:adapters`.
# Needs Python 3.11 or later; PYTHON names one that has the packages of peft_requirements.txt.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
python=${PYTHON:-"$root/.cache/peft-venv/bin/python"}
if [ ! -x "$python" ]; then
  python3 -m venv "$root/.cache/peft-venv"
  "$root/.cache/peft-venv/bin/pip" install --quiet --requirement "$here/../peft_requirements.txt"
fi
export PYTHONDONTWRITEBYTECODE=1
cd "$root"
ADAPTER_RUNS=800 deno test -q -A tests/lib/adapters_test.ts tests/lib/decoder/adapter_parity_test.ts
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
deno run -q -A tests/parity/adapters/ours.ts "$out"
"$python" "$here/reference.py" check tests/golden "$out/adapter" "$out/logits"
