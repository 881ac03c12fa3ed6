#!/bin/sh
# Runs a TypeScript file, or with --bin a program of node_modules, under the project's Node.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/runtime/setup.sh"
sixgate_setup
cd "$root"
if [ "$1" = --bin ]; then
  program=$2
  shift 2
  exec "$root/node_modules/.bin/$program" "$@"
fi
exec "$node" "$@"
