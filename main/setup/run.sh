#!/bin/sh
# run.sh SCRIPT [ARG...]: does the set-up where it is missing or out of date, then runs a script of the project
# on a suitable Node. Plain sh, because the Node that runs npm may be too old for the project's own files.
set -eu
root=$(cd "${0%/*}/../.." && pwd -P)
cd "$root"

# npm writes its own copy of the lock file last, so an interrupted set-up is done again.
if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
  echo "hvrewind: installing the packages of package-lock.json (npm ci, about half a minute)" >&2
  if ! npm ci --loglevel=error >&2; then
    echo "hvrewind: npm ci failed, see above; it must reach an npm registry" >&2
    exit 3
  fi
fi

. main/setup/node.sh
find_node "$root"
exec "$node" --disable-warning=ExperimentalWarning "$@"
