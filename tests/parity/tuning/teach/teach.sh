#!/usr/bin/env bash
# Teaches emu3-mini an octopus, and measures it before and after:
#   bash tests/parity/tuning/teach/teach.sh OUT
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
out=$(mkdir -p "${1:?a folder for the results}" && cd "$1" && pwd)
python=${PYTHON:-python3}
tests=${TESTS:-100}
cd "$root"
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null || true' EXIT
serve() {
  port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  address=http://127.0.0.1:$port
  PORT=$port ADAPTERS=$1 deno task start > "$out/server.log" 2>&1 &
  server=$!
  for _ in $(seq 200); do
    "$python" -c "import urllib.request; urllib.request.urlopen('$address/readyz')" 2> /dev/null && break
    sleep 0.3
  done
}
if [ ! -e "$out/data" ]; then
  "$python" "$here/make_set.py" "$out"
  serve ""
  "$python" "$here/own_pictures.py" "$address" "$out"
  kill "$server"
fi
deno task prepare-data "$out/train.jsonl" --out "$out/data" --to jsonl --resize none
tune() {
  deno task tune "$out/data" --model models/emu3-mini --batch 4 --rank 32 --max-grad-norm 1 \
    --held-out 20 --evaluate-every 50 --save-every 50 --sample-every 150 \
    --sample "an octopus on a blue background" --sample "a cat and an octopus" \
    --sample "an octopus above a tree on pink" --sample "a rocket above a tree" "$@"
}
tune --out "$out/drawn" --steps 800 --learning-rate 3e-3 --warmup 30
# Pieces of the word are tokens that emu3-mini never wrote: the head learns them.
tune --out "$out/octopus" --steps 150 --learning-rate 1e-3 --warmup 10 \
  --head --adapter "$out/drawn"

# Less of the adapter than it was trained with keeps more of what was known.
sed -i 's/"lora_alpha": 64/"lora_alpha": 54/' "$out/octopus/adapter_config.json"

serve "octopus=$out/octopus"
echo "Without the adapter:"
"$python" "$here/judge.py" "$address" "$out" --tests "$tests" --sheet "$out/before.png" --least 0
echo "With the adapter:"
"$python" "$here/judge.py" "$address" "$out" --tests "$tests" --sheet "$out/after.png" --adapter octopus
echo "What it knew before, with the adapter:"
"$python" "$root/tests/parity/mini/score_server.py" "$address" --adapter octopus --seeds "${SEEDS:-4}"
