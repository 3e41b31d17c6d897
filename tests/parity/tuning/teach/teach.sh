#!/usr/bin/env bash
# Teaches emu3-mini an octopus, and measures it before and after:
#   bash tests/parity/tuning/teach/teach.sh OUT
# Run again after an interruption, it goes on with the step at hand.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
out=$(mkdir -p "${1:?a folder for the results}" && cd "$1" && pwd)
python=${PYTHON:-python3}
tests=${TESTS:-100}
seeds=${SEEDS:-4}
cd "$root"
servers=()
stop() {
  for server in "${servers[@]}"; do
    { kill "$server" && wait "$server"; } 2> /dev/null || true
  done
  servers=()
}
trap stop EXIT
serve() {
  port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  address=http://127.0.0.1:$port
  # Pictures are this small: one thread takes half the processor time of two.
  PORT=$port THREADS=1 ADAPTERS=$1 deno task start >> "$out/server.log" 2>&1 &
  servers+=($!)
  for _ in $(seq 200); do
    "$python" -c "import urllib.request; urllib.request.urlopen('$address/readyz')" 2> /dev/null && return
    sleep 0.3
  done
  echo "The server does not start, see $out/server.log" >&2
  exit 1
}

taught=$out/data
own=$out/own
[ -e "$out/test.jsonl" ] || "$python" "$here/make_set.py" "$out"
deno task prepare-data "$out/train.jsonl" --out "$taught" --to jsonl --resize none &
prepared=$!
if [ ! -e "$own" ]; then
  serve ""
  first=$address
  serve ""
  "$python" "$here/own_pictures.py" "$own" "$first" "$address"
  stop
fi
wait "$prepared"

tune() {
  deno task tune "$taught" --replay "$own" --model models/emu3-mini --rank 32 --max-grad-norm 1 \
    --held-out 20 --evaluate-every 100 --save-every 100 --sample-every 150 \
    --sample "an octopus on a blue background" --sample "a cat and an octopus" \
    --sample "an octopus above a tree on pink" --sample "a rocket above a tree" "$@"
}
tune --out "$out/drawn" --steps 300 --batch 4 --warmup 30 \
  --learning-rate 2e-3 --min-learning-rate 1.6e-3
# Pieces of the word are tokens that emu3-mini never wrote: the head learns them.
tune --out "$out/octopus" --steps 400 --batch 4 --warmup 10 \
  --learning-rate 1e-3 --min-learning-rate 3e-5 --head --adapter "$out/drawn"
# A pipe would show the times of its own shell.
times > "$out/times"
echo "Processor time so far, user and system: $(tail -n 1 "$out/times")"

serve "octopus=$out/octopus"
judge() {
  "$python" "$here/judge.py" "$address" "$out" "$@"
}
score() {
  "$python" "$root/tests/parity/mini/score_server.py" "$address" --seeds "$seeds" "$@"
}
failed=0
echo "Without the adapter:"
judge --tests 16 --sheet "$out/before.png" --least 0
echo "With the adapter:"
judge --tests "$tests" --sheet "$out/after.png" --adapter octopus || failed=1
echo "What it knew before, without the adapter:"
score --json "$out/before.json" || true
echo "What it knew before, with the adapter:"
score --json "$out/after.json" --adapter octopus || failed=1
echo "Answers about more pictures, without the adapter and with it:"
"$python" "$here/card_answers.py" "$address" --adapter octopus
exit "$failed"
