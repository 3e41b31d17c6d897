#!/usr/bin/env bash
# Opens every graph of the CUDA path on ONNX Runtime's real CUDA provider, without a GPU:
# `deno task test:cuda-placement`. Needs Python 3 with pip, a C compiler and binutils.
set -euo pipefail
cd "$(dirname "$0")/../.."
for program in python3 cc nm strings; do
  if ! command -v "$program" > /dev/null; then
    echo "test:cuda-placement needs $program; install python3, gcc and binutils" >&2
    exit 2
  fi
done
if ! python3 -m pip --version > /dev/null 2>&1; then
  echo "test:cuda-placement needs pip, which downloads ONNX Runtime; install python3-pip" >&2
  exit 2
fi
cache=${CUDA_PLACEMENT_CACHE:-.cache/cuda-placement}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
wheels=(onnxruntime-gpu nvidia-cuda-runtime)
for wheel in "${wheels[@]}"; do
  [ -e "$cache/$wheel/done" ] && continue
  # The versions and hashes of the image; the tags are those of the image as well.
  grep "^$wheel==" deploy/image/cuda.txt > "$cache/$wheel.txt"
  if ! python3 -m pip download --quiet --no-deps --require-hashes --only-binary :all: \
    --python-version 3.12 --implementation cp --abi cp312 --abi none \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux_2_17_x86_64 \
    --dest "$cache/wheels" --requirement "$cache/$wheel.txt"; then
    echo "test:cuda-placement cannot download $(cut -d' ' -f1 "$cache/$wheel.txt"): pip needs PyPI or a mirror of it" >&2
    exit 2
  fi
  python3 -m zipfile -e "$cache/wheels/${wheel//-/_}"-*.whl "$cache/$wheel"
  touch "$cache/$wheel/done"
done
bash tests/placement/build_stand_ins.sh "$cache"
deno run -q -A tests/placement/placement.ts "$cache" "$@"
