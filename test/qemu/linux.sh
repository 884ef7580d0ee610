#!/bin/bash
# Boots Debian's cloud kernel in QEMU on the emulated hypervisor, up to a program of its own that powers the machine off;
# replays the recording. Says how far it came.
#
#   test/qemu/linux.sh [FOLDER [QEMU OPTION...]]     FOLDER: of fetch.sh; options: -machine q35 -m 256 where none are given
#
# Exit 0: its program ran, and the recording replays with 0 divergences. 1: one of these is not so. LIMIT_SECONDS: 1800.
set -u
here=$(cd "$(dirname "$0")" && pwd)
hvrewind=$here/../../hvrewind
node=$here/../../node_modules/.bin/node
folder=${1:-/tmp/qemu-mshv}
shift
[ $# -gt 0 ] || set -- -machine q35 -m 256
qemu=$("$here/fetch.sh" "$folder") || exit 1
case $qemu in skipped*) echo "$qemu"; exit 0 ;; esac

# The kernel: unpacked beside QEMU, not installed.
kernel=$(ls "$folder"/kernel/boot/vmlinuz-* 2>/dev/null | head -n 1)
if [ -z "$kernel" ]; then
  mkdir -p "$folder/kernel"
  package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/.*Depends: //p' | head -n 1)
  (cd "$folder" && [ -n "$package" ] && apt-get -qq -o APT::Sandbox::User=root download "$package" && dpkg-deb -x "$package"_*.deb kernel) ||
    { echo 'skipped: no Debian kernel can be fetched'; exit 0; }
  kernel=$(ls "$folder"/kernel/boot/vmlinuz-* | head -n 1)
fi
command -v gcc >/dev/null || { echo 'skipped: no gcc'; exit 0; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gcc -static -O1 -pthread -o "$work/init" "$here/init.c" -lm || exit 1
"$node" "$here/archive.ts" "$work/init" "$work/archive" || exit 1
started=$(date +%s)
timeout "${LIMIT_SECONDS:-1800}" "$hvrewind" emulate --summary "$work/summary" -o "$work/linux.hvtrace" -- \
  "$qemu" -accel mshv -nodefaults -nographic -serial stdio -no-reboot "$@" \
  -kernel "$kernel" -initrd "$work/archive" -append "console=ttyS0 nokaslr panic=-1 tsc=reliable no_timer_check ${APPEND:-}" \
  </dev/null >"$work/console" 2>"$work/errors"
status=$?
seconds=$(($(date +%s) - started))
tr -d '\r' <"$work/console" | grep -a . | tail -n "${LINES_SHOWN:-8}"
tail -n 3 "$work/errors"
ran=no
grep -qa 'init: user code runs' "$work/console" && ran=yes
echo "exit $status after $seconds s, user code ran: $ran"
ls -l "$work/linux.hvtrace" | awk '{ print $5 " bytes of recording" }'
"$hvrewind" replay --verify "$work/linux.hvtrace"
replayed=$?
[ $ran = yes ] && [ $replayed = 0 ]
