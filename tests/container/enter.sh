#!/bin/sh
# enter.sh <root> <user> <writable folders, with commas> <command…>: runs a command in a read-only
# root, with its own mounts. Meant for `unshare --mount --pid --fork`.
set -eu
root=$1 user=$2 writable=$3
shift 3
mount --make-rprivate /
mount --bind "$root" "$root"
for folder in $(echo "$writable" | tr , ' '); do mount -t tmpfs -o mode=1777 tmpfs "$root$folder"; done
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" --groups= "$root" "$@"
