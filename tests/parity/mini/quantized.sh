#!/usr/bin/env bash
# Compares the embedded model in int8 and int4, and with its keys and values in int8 (kv8), with
# itself in fp32: `deno task test:quantized`. FORMATS names some of them, such as FORMATS=kv8.
# Draws from the same seeds and asks the same questions. Arguments go to `score_quantized.py
# collect`, such as --seeds 2. Needs what run.sh needs, which makes the environment.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
venv="$root/.cache/parity-venv"
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
fi
export PYTHONDONTWRITEBYTECODE=1
scores=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" 2> /dev/null || true; fi; rm -rf "$scores"' EXIT

collect() {
  local name=$1 precision=$1 kv=fp32 port log="$scores/log"
  if [ "$name" = kv8 ]; then precision=fp32 kv=int8; fi
  shift
  port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  (cd "$root" && PRECISION=$precision KV_PRECISION=$kv PORT=$port QUEUE_LIMIT=64 XDG_CACHE_HOME="$scores" exec deno task start) > "$log" 2>&1 &
  server=$!
  for _ in $(seq 100); do
    if ! kill -0 "$server" 2> /dev/null; then cat "$log" >&2; exit 2; fi
    "$venv/bin/python" -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/readyz')" 2> /dev/null && break
    sleep 0.2
  done
  (cd "$here" && "$venv/bin/python" score_quantized.py collect "http://127.0.0.1:$port" "$scores/$name.json" "$@")
  kill "$server"
  wait "$server" 2> /dev/null || true
  server=
}

formats=${FORMATS:-int8 int4 kv8}
for name in fp32 $formats; do collect "$name" "$@"; done
cd "$here"
status=0
for name in $formats; do
  margin=1
  if [ "$name" = int4 ]; then margin=3; fi
  echo "$name against fp32"
  "$venv/bin/python" score_quantized.py compare "$scores/fp32.json" "$scores/$name.json" --margin "$margin" || status=$?
done
exit $status
