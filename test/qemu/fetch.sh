#!/bin/sh
# Fetches Debian sid's QEMU, the one built with -accel mshv, and unpacks it into a folder of its own beside the
# system: nothing is installed, and the system's C library stays as it is. Prints the path of a program to run it.
#
#   test/qemu/fetch.sh [FOLDER]        FOLDER: where to (default /tmp/qemu-mshv)
#
# Needs apt with a Debian mirror in its sources. Elsewhere it prints "skipped: no QEMU with mshv" and exits with 0.
set -u
to=${1:-/tmp/qemu-mshv}
run=$to/qemu

skip() {
  echo "skipped: no QEMU with mshv ($1)"
  exit 0
}

if [ -x "$run" ]; then
  echo "$run"
  exit 0
fi
[ "$(uname -m)" = x86_64 ] || skip 'not x86-64'
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || skip 'no apt'
[ -r /usr/share/keyrings/debian-archive-keyring.gpg ] || skip "no keys of Debian's archive"
# The mirror that this machine uses for Debian itself: the one whose list has a "main" and is not the security archive.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
  sed -n -e 's/^URIs: *//p' -e 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' | grep '/debian/\{0,1\}$' | head -n 1)
[ -n "$mirror" ] || skip 'no Debian mirror is configured'

mkdir -p "$to/apt/lists/partial" "$to/apt/cache/archives/partial" "$to/root" || exit 1
# An empty list of what is installed, so that apt fetches everything that QEMU needs, the C library too.
: >"$to/apt/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$to/apt/sources.list"
apt() {
  apt-get -qq -o Dir::State::status="$to/apt/status" -o Dir::State::lists="$to/apt/lists" \
    -o Dir::Etc::sourcelist="$to/apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::Etc::preferencesparts=- \
    -o Dir::Cache="$to/apt/cache" -o APT::Architecture=amd64 -o APT::Architectures=amd64 -o Debug::NoLocking=1 \
    -o APT::Sandbox::User=root "$@"
}
apt update >"$to/apt/log" 2>&1 || skip "the mirror does not answer, see $to/apt/log"
apt install -y --download-only --no-install-recommends qemu-system-x86 seabios >>"$to/apt/log" 2>&1 ||
  skip "sid's QEMU cannot be fetched, see $to/apt/log"
for package in "$to"/apt/cache/archives/*.deb; do
  dpkg-deb -x "$package" "$to/root" || exit 1
done

# Called through the fetched loader, with the fetched libraries alone.
cat >"$run" <<END
#!/bin/sh
root=$to/root
lib=\$root/usr/lib/x86_64-linux-gnu
exec "\$lib/ld-linux-x86-64.so.2" --library-path "\$lib:\$lib/pulseaudio" "\$root/usr/bin/qemu-system-x86_64" \\
  -L "\$root/usr/share/qemu" -L "\$root/usr/share/seabios" "\$@"
END
chmod +x "$run"
case $("$run" -accel help 2>&1) in
*mshv*) echo "$run" ;;
*)
  rm "$run"
  skip 'this QEMU is built without it'
  ;;
esac
