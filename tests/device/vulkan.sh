# Installs a Vulkan driver that computes in software, for machines without a GPU: source this
# script, and LD_LIBRARY_PATH and VK_ICD_FILENAMES point to it.
#
# WebGPU needs Mesa 25; Debian 12 has it among its backports. Packages are fetched by apt, whose own
# lists stay unchanged, and unpacked into a folder: nothing is installed system-wide.
set -euo pipefail

vulkan_folder=${VULKAN_FOLDER:-${XDG_CACHE_HOME:-$HOME/.cache}/emu3/vulkan}
vulkan_libraries=$vulkan_folder/root/usr/lib/$(uname -m)-linux-gnu
vulkan_driver=$vulkan_folder/lvp_icd.json

fetch_vulkan() {
  mkdir -p "$vulkan_folder"/{lists,cache/archives}/partial
  local key=/usr/share/keyrings/debian-archive-keyring.gpg
  local at=http://deb.debian.org/debian
  printf 'deb [signed-by=%s] %s bookworm main\ndeb [signed-by=%s] %s bookworm-backports main\n' \
    "$key" "$at" "$key" "$at" > "$vulkan_folder/sources.list"
  local apart=(
    -o "Dir::Etc::SourceList=$vulkan_folder/sources.list"
    -o "Dir::Etc::SourceParts=-"
    -o "Dir::State::Lists=$vulkan_folder/lists"
    -o "Dir::Cache=$vulkan_folder/cache"
    -o "APT::Sandbox::User="
    -o "Debug::NoLocking=1"
  )
  apt-get "${apart[@]}" -qq update
  apt-get "${apart[@]}" -qq -y -d --no-install-recommends --reinstall \
    -t bookworm-backports install mesa-vulkan-drivers libvulkan1 > /dev/null
  local package
  for package in "$vulkan_folder"/cache/archives/*.deb; do
    dpkg -x "$package" "$vulkan_folder/root"
  done
  rm -rf "$vulkan_folder"/{lists,cache}
  printf '{"ICD": {"api_version": "1.4.305", "library_path": "%s"}, "file_format_version": "1.0.0"}\n' \
    "$vulkan_libraries/libvulkan_lvp.so" > "$vulkan_driver"
}

[ -e "$vulkan_driver" ] || fetch_vulkan
export LD_LIBRARY_PATH=$vulkan_libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export VK_ICD_FILENAMES=$vulkan_driver
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/tmp}
