#!/usr/bin/env bash
# The device code on WebGPU, in software where no driver is named; with
# TEST_DEVICE=cuda on a GPU of NVIDIA.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "${TEST_DEVICE:-webgpu}" = webgpu ] && [ -z "${VK_ICD_FILENAMES:-}" ]; then
  . tests/device/vulkan.sh
fi
deno test -q -A tests/device "$@"
