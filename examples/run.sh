#!/bin/sh
# Installs what is missing, builds an example and runs it.   sh examples/run.sh [NAME [ARGS...]]
#
# NAME is one of the table in examples/meson.build; without one, segment runs. Standard output carries what the program
# prints and nothing else. CXX picks the compiler. The build is -O2 -march=native: for this machine alone.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
name=${1:-segment}
names=$(sed -n "s/^  '\([a-z0-9_]*\)':.*/\1/p" "$root/examples/meson.build" | tr '\n' ' ')
case " $names" in
*" $name "*) ;;
*)
  echo "no example is named '$name'; the examples are: ${names% }" >&2
  exit 2
  ;;
esac
if [ $# -gt 0 ]; then shift; fi

. "$root/tools/setup.sh"
build=$root/build/$(printf '%s' "examples-$CXX" | tr -c 'A-Za-z0-9.+_' '-')
{
  install_missing examples
  configure "$build" -Dtests=false -Dexamples=true -Dnative=true -Dbuildtype=release -Doptimization=2
  case $(ninja -C "$build" -n "examples/$name") in
  *"no work to do"*) ;;
  *) ninja -C "$build" "examples/$name" ;;
  esac
} >&2
exec "$build/examples/$name" "$@"
