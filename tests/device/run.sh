#!/usr/bin/env bash
# Tests the device code on WebGPU, in software if no driver is named; with TEST_DEVICE=cuda on an
# NVIDIA GPU.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "${TEST_DEVICE:-webgpu}" = webgpu ] && [ -z "${VK_ICD_FILENAMES:-}" ]; then
  . tests/device/vulkan.sh
fi
deno test -q -A tests/device "$@"
