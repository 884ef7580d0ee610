#!/bin/bash
# Switches a machine in QEMU on the emulated hypervisor off, many times: its VP goes on asking a port until QEMU's kick ends MSHV_RUN_VP.
#
#   test/qemu/off.sh [FOLDER [TIMES]]     FOLDER: of fetch.sh; 20 times where it is not said
#
# Prints how often QEMU ended by itself, with which status. Exit 0: each time, with 0; one that takes 60 s is killed (137).
set -u
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-/tmp/qemu-mshv}
times=${2:-20}
qemu=$("$here/fetch.sh" "$folder") || exit 1
case $qemu in skipped*) echo "$qemu"; exit 0 ;; esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/../../node_modules/.bin/node" "$here/off.ts" "$work/firmware" || exit 1
for _ in $(seq "$times"); do
  timeout -s KILL 60 "$here/../../hvrewind" emulate --force --quiet -o "$work/off.hvtrace" -- \
    "$qemu" -accel mshv -nodefaults -nographic -m 16 -machine q35 -no-reboot -bios "$work/firmware" </dev/null >"$work/said" 2>&1
  echo $? >>"$work/statuses"
done 2>/dev/null
sort -n "$work/statuses" | uniq -c | sed 's/^ *\([0-9]*\) /\1 times status /'
[ "$(sort -u "$work/statuses")" = 0 ] || { cat "$work/said"; exit 1; }
