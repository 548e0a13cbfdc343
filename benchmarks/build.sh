#!/bin/sh
# Builds targets of benchmarks/meson.build for this machine, and prints the folder they are in.
#   CXX=COMPILER sh benchmarks/build.sh TARGET...
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/tools/setup.sh"
build=$root/build/$(printf '%s' "benchmarks-$CXX" | tr -c 'A-Za-z0-9.+_' '-')
{
  install_missing benchmarks
  configure "$build" -Dtests=false -Dexamples=false -Dbenchmarks=true -Dnative=true -Dbuildtype=release -Doptimization=2
  ninja -C "$build" "$@"
} >&2
printf '%s\n' "$build/benchmarks"
