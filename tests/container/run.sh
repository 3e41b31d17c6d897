#!/usr/bin/env bash
# Builds the image of deploy/Containerfile with buildah and tests the server in it: `deno task
# test:container`. Needs root on Debian or Ubuntu, and installs its dependencies. No image comes
# from elsewhere: the base is made of Debian's packages, and Deno is the one that runs this script.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work="$root/.cache/container"
mkdir -p "$work"

missing=()
for program in buildah mmdebstrap; do
  command -v "$program" > /dev/null || missing+=("$program")
done
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi

# A separate store, removed in the end; chroot isolation needs no container runtime.
export BUILDAH_ISOLATION=chroot
store=$(mktemp -d)
buildah() { command buildah --root "$store/root" --runroot "$store/run" --storage-driver vfs "$@"; }
trap 'buildah rm --all > /dev/null 2>&1 || true; rm -rf "$store"' EXIT

# The contents of debian:bookworm-slim: the least that apt runs in, without documentation.
base="$work/bookworm-slim.tar"
if [ ! -e "$base" ]; then
  echo "== base"
  mmdebstrap --quiet --variant=minbase \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/lintian/*' \
    bookworm "$base.new"
  mv "$base.new" "$base"
fi
scratch=$(buildah from scratch)
buildah add -q "$scratch" "$base" / > /dev/null
buildah commit -q "$scratch" localhost/base > /dev/null
buildah rm "$scratch" > /dev/null
scratch=$(buildah from scratch)
buildah add -q "$scratch" "$(deno eval -p 'Deno.execPath()')" /deno > /dev/null
buildah commit -q "$scratch" localhost/deno > /dev/null
buildah rm "$scratch" > /dev/null

echo "== build"
secret=()
if [ -e "$HOME/.npmrc" ]; then secret+=(--secret "id=npmrc,src=$HOME/.npmrc"); fi
if [ -e "${SSL_CERT_FILE:-}" ]; then secret+=(--secret "id=ca,src=$SSL_CERT_FILE"); fi
buildah build --quiet --format docker --layers=false --pull=never "${secret[@]}" \
  --build-arg BASE=localhost/base --build-arg DENO=localhost/deno \
  --file "$root/deploy/Containerfile" --tag localhost/emu3 "$root"

echo "== try"
container=$(buildah from --pull=never localhost/emu3)
buildah inspect --type image localhost/emu3 > "$work/image.json"
mounted=$(buildah mount "$container")
(cd "$mounted" && du -shc app/models app/node_modules deno usr/local/bin/deno . | sed '$d')
IMAGE_ROOT=$mounted IMAGE_JSON="$work/image.json" \
  deno test -q -A "$here/image_checks.ts"
