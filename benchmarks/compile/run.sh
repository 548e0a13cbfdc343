#!/bin/sh
# Measures what compiling with lamina costs.   sh benchmarks/compile/run.sh [options of measure.py]
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tools/setup.sh"
install_missing
pfr=
if [ -d "$root/.deps/include" ]; then pfr="-isystem $root/.deps/include"; fi
cuda=
if found=$(python3 "$root/tools/find_cuda.py"); then cuda=$(printf '%s\n' "$found" | sed -n 's/^include /-isystem /p'); fi
exec python3 "$root/benchmarks/compile/measure.py" --flags "-I$root/include $pfr $(pkg-config --cflags eigen3)" --cuda "$cuda" "$@"
