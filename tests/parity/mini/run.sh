#!/usr/bin/env bash
# Starts a server of the embedded model and compares it with PyTorch: `deno task test:parity`.
# Needs Python 3.11 or later and the Debian package fonts-noto-color-emoji. Arguments go to
# score_server.py, such as --seeds 2.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
venv="$root/.cache/parity-venv"
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
fi
cd "$here"
export PYTHONDONTWRITEBYTECODE=1
"$venv/bin/python" -m unittest --quiet test_score_server

port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
log=$(mktemp)
cd "$root"
PORT=$port deno task start > "$log" 2>&1 &
server=$!
trap 'kill $server 2> /dev/null || true; rm -f "$log"' EXIT
for _ in $(seq 100); do
  if ! kill -0 $server 2> /dev/null; then cat "$log" >&2; exit 2; fi
  "$venv/bin/python" -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/readyz')" 2> /dev/null && break
  sleep 0.2
done
cd "$here"
"$venv/bin/python" score_server.py "http://127.0.0.1:$port" "$@"
