#!/usr/bin/env bash
# Starts a server of the embedded model and runs every *_client.py against it: `deno task
# test:clients`. Needs Python 3.11 or later. Each client prints "N passed" last; the sum is the
# last line here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
venv="$root/.cache/clients-venv"
# Installed again when what is asked for has changed.
if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv/requirements.txt"
fi
export PYTHONDONTWRITEBYTECODE=1

free_port() {
  "$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
port=$(free_port)
url="http://127.0.0.1:$port"
log=$(mktemp)
output=$(mktemp)
cd "$root"
# The server is also the worker of a queue, which RunPod's client talks to.
queue_port=$(free_port)
place=$(mktemp)
deno run -q -A tests/support/runpod/serve.ts "$queue_port" > "$place" &
queue=$!
trap 'kill $queue 2> /dev/null || true; rm -f "$place" "$log" "$output"' EXIT
for _ in $(seq 300); do
  if grep -q RUNPOD_POD_ID "$place"; then break; fi
  sleep 0.2
done
export RUNPOD_ENDPOINT_BASE_URL="http://127.0.0.1:$queue_port/v2" RUNPOD_CLIENT_KEY=rpa_client
mapfile -t worker < "$place"
# emu3-mini as a model of short clips: the form of answers, not of what is in them.
clips=$(mktemp -d)
ln -s "$root/models/emu3-mini-visiontokenizer" "$clips/"
mkdir "$clips/emu3-mini-frames"
find models/emu3-mini -maxdepth 1 -type f -exec ln -s "$root/{}" "$clips/emu3-mini-frames/" \;
"$venv/bin/python" "$here/clip_settings.py" "$clips/emu3-mini-frames/generation_config.json"
env "${worker[@]}" CLIP_MODEL="$clips/emu3-mini-frames" STORE="$clips/jobs.sqlite" PORT="$port" deno task start > "$log" 2>&1 &
server=$!
trap 'kill $server $queue 2> /dev/null || true; rm -rf "$place" "$log" "$output" "$clips"' EXIT
ready=""
for _ in $(seq 300); do
  if ! kill -0 $server 2> /dev/null; then cat "$log" >&2; exit 2; fi
  if "$venv/bin/python" -c "import urllib.request; urllib.request.urlopen('$url/readyz')" 2> /dev/null; then
    ready=yes
    break
  fi
  sleep 0.2
done
if [ -z "$ready" ]; then echo "the server does not get ready" >&2; cat "$log" >&2; exit 2; fi

passed=0
failed=0
for client in "$here"/*_client.py; do
  echo "== $(basename "$client")"
  status=0
  "$venv/bin/python" "$client" "$url" 2>&1 | tee "$output" || status=$?
  # Of what a client counts, none passing counts as a failure.
  count=$(grep -Eo '^[0-9]+ passed' "$output" | tail -n 1 | grep -Eo '^[0-9]+' || echo 0)
  passed=$((passed + count))
  if [ "$status" -ne 0 ] || [ "$count" -eq 0 ]; then failed=$((failed + 1)); fi
done
echo "clients: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
