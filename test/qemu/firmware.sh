#!/bin/bash
# Boots other firmware than SeaBIOS, and programs that need no kernel, in QEMU on the emulated hypervisor: boot.sh for each of them.
#
#   test/qemu/firmware.sh [FOLDER]     FOLDER: of fetch.sh; what is booted is fetched from Debian and unpacked there
#
# Exit 0: OVMF came to its shell, with one VP and with two, memtest86+ to its third test; each recording replays with 0 divergences.
set -u
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-/tmp/qemu-mshv}
qemu=$("$here/fetch.sh" "$folder") || exit 1
case $qemu in skipped*) echo "$qemu"; exit 0 ;; esac

firmware=$folder/firmware
if [ ! -e "$firmware/boot" ]; then
  mkdir -p "$firmware"
  (cd "$firmware" && apt-get -qq -o APT::Sandbox::User=root download ovmf memtest86+ &&
    for package in *.deb; do dpkg-deb -x "$package" .; done) || { echo 'skipped: no firmware can be fetched'; exit 0; }
fi

failed=0
boots() {
  echo "== $*"
  "$here/boot.sh" --until "$1" "$folder" -machine q35 "${@:2}" || failed=1
}
# As -bios: where firmware writes to a flash, QEMU unmaps it twice and ends, as it would with the driver (docs/emulate.md).
boots 'Shell>' -m 256 -bios "$firmware/usr/share/ovmf/OVMF.fd"
boots 'Shell>' -m 256 -bios "$firmware/usr/share/ovmf/OVMF.fd" -smp 2
boots '#3 ' -kernel "$firmware/boot/memtest86+x64.bin" -append console=ttyS0,115200
exit $failed
