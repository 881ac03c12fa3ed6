#!/bin/sh
# The gate: format, lint, floors, unused code, types. `npm run check -- --fix` formats first.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/runtime/setup.sh"
sixgate_setup
cd "$root"
bin=$root/node_modules/.bin
step() { printf '── %s\n' "$1"; shift; "$@"; }
if [ "${1:-}" = --fix ]; then "$bin/biome" check --write . >/dev/null; fi
step "format (biome)" "$bin/biome" check --max-diagnostics=20 .
step "types (tsc)" "$bin/tsc" --noEmit -p .
step "types of the page (tsc)" "$bin/tsc" --noEmit -p src/web/ui
step "lint (oxlint, type-aware)" "$bin/oxlint" --type-aware --deny-warnings src test bench scripts
step "floors (dependency-cruiser)" "$bin/depcruise" --config .dependency-cruiser.cjs src
step "unused (knip)" "$bin/knip"
echo "check: all clean"
