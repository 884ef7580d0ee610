#!/bin/bash
# Boots SeaBIOS in QEMU on the emulated hypervisor until it says "No bootable device", ends QEMU, replays the recording.
#
#   test/qemu/boot.sh [--record | --capture-memory] [--disk | --until TEXT] [FOLDER [QEMU OPTION...]]
#
# FOLDER: of fetch.sh; options: -machine q35 where none are given. With --record `hvrewind record` runs between the two, and
# what it saw is held against what the emulated device did. With --capture-memory the guest is executed again. With --disk
# there is a disk, and the text that its boot sector prints is waited for; with --until, TEXT is. Exit 0: it booted, QEMU ended by itself, the
# recording replays with 0 divergences (and both agree). 1: one of these is not so.
set -u
record=no
capture=
execute=--verify
seconds=60
disk=no
said='No bootable device'
if [ "${1:-}" = --capture-memory ]; then
  capture=$1
  execute=--execute
  seconds=240
  shift
fi
if [ "${1:-}" = --record ]; then
  record=yes
  shift
fi
if [ "${1:-}" = --disk ]; then
  disk=yes
  said='Hello from the boot sector'
  shift
fi
if [ "${1:-}" = --until ]; then
  said=${2:?--until TEXT}
  seconds=240
  shift 2
fi
here=$(cd "$(dirname "$0")" && pwd)
hvrewind=$here/../../hvrewind
node=$here/../../node_modules/.bin/node
folder=${1:-/tmp/qemu-mshv}
shift
[ $# -gt 0 ] || set -- -machine q35
qemu=$("$here/fetch.sh" "$folder") || exit 1
case $qemu in skipped*) echo "$qemu"; exit 0 ;; esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ $disk = yes ]; then
  "$node" "$here/sector.ts" "$work/disk" || exit 1
  set -- "$@" -drive "file=$work/disk,format=raw"
fi
started=$(date +%s%N)
set -- "$qemu" -accel mshv -nodefaults -nographic -m 64 -serial stdio "$@"
[ $record = no ] || set -- "$hvrewind" record --summary "$work/recorded" -o "$work/seen.hvtrace" -- "$@"
"$hvrewind" emulate $capture --summary "$work/summary" -o "$work/boot.hvtrace" -- "$@" </dev/null >"$work/console" 2>"$work/errors" &
pid=$!
booted=no
for _ in $(seq $((10 * seconds))); do
  if grep -qa "$said" "$work/console"; then
    booted="after $((($(date +%s%N) - started) / 1000000)) ms"
    break
  fi
  kill -0 $pid 2>/dev/null || break
  sleep 0.1
done
# Once the firmware sleeps: a signal that comes between two MSHV_RUN_VP QEMU loses (docs/emulate.md).
sleep 1
kill -TERM $pid 2>/dev/null
ended=no
for _ in $(seq 100); do
  kill -0 $pid 2>/dev/null || { ended=yes; break; }
  sleep 0.1
done
[ $ended = yes ] || kill -KILL $pid
wait $pid 2>/dev/null
echo "exit $?, '$said': $booted, ended on SIGTERM: $ended"
tail -n 3 "$work/errors"
ls -l "$work/boot.hvtrace" | awk '{ print $5 " bytes of recording" }'
"$hvrewind" replay $execute "$work/boot.hvtrace"
replayed=$?
agreed=0
if [ $record = yes ]; then
  cat "$work/recorded"
  "$node" --disable-warning=ExperimentalWarning "$here/agree.ts" "$work/boot.hvtrace" "$work/seen.hvtrace"
  agreed=$?
fi
[ "$booted" != no ] && [ $ended = yes ] && [ $replayed = 0 ] && [ $agreed = 0 ]
