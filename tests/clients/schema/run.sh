#!/usr/bin/env bash
# Starts a server of the embedded model and lets schemathesis loose on /openapi.json: every check
# but what schemathesis.toml takes out, and says why, all phases: `deno task test:schema`. Needs
# Python 3.11 or later. Arguments go to schemathesis, such as --seed 7.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
venv="$root/.cache/schema-venv"
if [ ! -x "$venv/bin/schemathesis" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
fi

least_cases=2000
free_port() { "$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port)
ingress_port=$(free_port)
work=$(mktemp -d)
cd "$root"
# Workflows end at once, well or not: Restate itself is tested elsewhere.
deno run -q --allow-net=127.0.0.1 tests/clients/schema/ingress.ts "$ingress_port" &
ingress=$!
# Less than the ten seconds that schemathesis waits: a great picture is to be answered 504.
STORE=:memory: PORT=$port REQUEST_TIMEOUT_S=6 WORKFLOWS_URL=http://127.0.0.1:$ingress_port \
  deno task start > "$work/server.log" 2>&1 &
server=$!
trap 'kill $server $ingress 2> /dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 200); do
  if ! kill -0 $server 2> /dev/null; then cat "$work/server.log" >&2; exit 2; fi
  "$venv/bin/python" -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/readyz')" 2> /dev/null && break
  sleep 0.2
done

cd "$here"
export PYTHONDONTWRITEBYTECODE=1
"$venv/bin/schemathesis" --config-file schemathesis.toml run "http://127.0.0.1:$port/openapi.json" \
  --max-examples 30 --seed 1 --continue-on-failure --warnings off "$@" 2>&1 |
  tee "$work/run.log" && found=0 || found=1

"$venv/bin/python" count.py "$work/server.log"
cases=$(grep -Eo '[0-9]+ generated' "$work/run.log" | grep -Eo '[0-9]+' || echo 0)
echo "$cases cases"
[ "$cases" -ge "$least_cases" ] || { echo "fewer than $least_cases" >&2; exit 1; }
exit $found
