#!/usr/bin/env bash
# Compiles stand-ins for the libraries that ONNX Runtime's CUDA provider opens, into $1/stand_ins.
# The functions that matter are written in stand_ins/*.c; all others that the provider names
# succeed and do nothing.
set -euo pipefail
cache=$1
here=$(cd "$(dirname "$0")/stand_ins" && pwd)
provider=$cache/onnxruntime-gpu/onnxruntime/capi/libonnxruntime_providers_cuda.so
headers=$(echo "$cache"/nvidia-cuda-runtime/nvidia/*/include)
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
mkdir -p "$cache/stand_ins"

# Builds library $1 (version $2) of the names in $work/wanted, and of the source $3 if there is one.
build() {
  local library=$1 file=$1.so.$2 objects=()
  : > "$work/written"
  if [ -n "${3:-}" ]; then
    cc -c -fPIC -O1 -I"$here" -I"$headers" "$here/$3" -o "$work/$library.o"
    nm --defined-only "$work/$library.o" | awk '$2 == "T" { print $3 }' | sort > "$work/written"
    objects=("$work/$library.o")
  fi
  # A handle that is created is a block of zeros; everything else returns success.
  { echo '#include <stdlib.h>'
    comm -23 "$work/wanted" "$work/written" | sed -E \
      -e 's/^(.*Create(_v2|Descriptor|Tensor.*)?)$/int \1(void **handle) { *handle = calloc(1, 1024); return 0; }/;t' \
      -e 's/^cudnnCreate.*$/int &(void **handle) { *handle = calloc(1, 1024); return 0; }/;t' \
      -e 's/^.*$/int &(void) { return 0; }/'
  } > "$work/rest.c"
  # The provider asks for symbols of this version.
  echo "$file { global: *; };" > "$work/version"
  cc -shared -fPIC -w "$work/rest.c" "${objects[@]}" -o "$cache/stand_ins/$file" \
    -Wl,-soname,"$file" -Wl,--version-script="$work/version"
}

# The symbols of library $1 that the provider imports.
imported() {
  nm -D --undefined-only "$provider" | awk '{ print $NF }' | grep "@$1\.so" | cut -d@ -f1 | sort -u > "$work/wanted"
}

imported libcudart && build libcudart 13 cudart.c
imported libcublas && build libcublas 13 cublas.c
imported libcublasLt && build libcublasLt 13
# The driver's symbols have no version.
nm -D --undefined-only "$provider" | awk '{ print $NF }' | grep '^cuTensorMap' | sort -u > "$work/wanted"
cat "$work/wanted" | sed 's/^.*$/int &(void) { return 0; }/' > "$work/cuda.c"
cc -shared -fPIC -w "$work/cuda.c" -o "$cache/stand_ins/libcuda.so.1" -Wl,-soname,libcuda.so.1
echo curandCreateGenerator > "$work/wanted" && build libcurand 10
# cuDNN is opened by name at run time, so its functions are texts in the provider.
strings -n 5 "$provider" | grep -xE 'cudnn[A-Z][A-Za-z_0-9]+' | sort -u > "$work/wanted"
build libcudnn 9 cudnn.c
ln -sf libcudnn.so.9 "$cache/stand_ins/libcudnn.so"
