#!/bin/sh
# Installs what is missing, builds and runs all tests.   sh tests/run.sh [--suite=NAME] [--without=NAME] [meson options]
#
#   sh tests/run.sh -Dgolden_manifest=FILE -Db_sanitize=address,undefined
#   sh tests/run.sh --suite=threads -Db_sanitize=thread     # builds and runs the tests of one suite only
#   CXX=clang++-19 sh tests/run.sh
#   sh tests/run.sh --suite=gpu                             # what concerns GPUs; where there is one, on it too (docs/gpu.md)
#   sh tests/run.sh --cross=aarch64 --suite=kernels         # tests/cross/aarch64.ini: another machine's code, emulated
#
# The last line is `N passed, N failed`; lines before it say which tiers of the tests of GPUs ran. Each compiler and each
# set of options has a build folder of its own under build/.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/tools/setup.sh"

# The manifest is the one option that a build folder follows; every other one is part of the folder's name.
name=tests-$CXX
cross=
manifest=
suite=
without=
sanitized=false
rest=$#
while [ "$rest" -gt 0 ]; do
  option=$1
  shift
  rest=$((rest - 1))
  case $option in
  --suite=*) suite=${option#*=} ;;
  --without=*) without="$without --no-suite ${option#*=}" ;;
  --cross=*)
    cross=${option#*=}
    name=tests-$cross
    CXX=$cross-linux-gnu-g++
    ;;
  -Dgolden_manifest= | -Dgolden_manifest=/*) manifest=${option#*=} ;;
  -Dgolden_manifest=*) manifest=$PWD/${option#*=} ;;
  *)
    case $option in
    -Db_sanitize=none) ;;
    -Db_sanitize=*) sanitized=true ;;
    esac
    set -- "$@" "$option"
    name=$name-${option#-D}
    ;;
  esac
done
build=$root/build/$(printf '%s' "$name" | tr -c 'A-Za-z0-9.+_' '-')

# -O1 is the fastest way through build and run together, under sanitizers -O0; their traces need line numbers.
optimization=1
if $sanitized; then
  optimization=0
  set -- -Db_lundef=false "$@"
fi
set -- -Doptimization=$optimization -Db_ndebug=false -Ddebug=$sanitized "-Dgolden_manifest=$manifest" "$@"

if [ -n "$cross" ]; then
  set -- --cross-file "$root/.deps/$cross/sysroot.ini" --cross-file "$root/tests/cross/$cross.ini" -Dexamples=false "$@"
  install_missing tests
  install_cross "$cross"
else
  set -- -Dnative=true "$@"
  install_missing tests examples
fi
if ! configure "$build" "$@"; then
  echo "0 passed, 1 failed"
  exit 1
fi
built=built
if ! ninja -C "$build" -k 0 ${suite:+"suite-$suite"}; then
  # what did build is tested all the same
  built=broken
  python3 "$root/tools/drop_stale.py" "$build"
fi
rm -rf "$build/meson-logs/testlog.json" "$build"/tests/gpu/recorded_*
# shellcheck disable=SC2086 # several words
meson test -C "$build" --no-rebuild ${suite:+--suite "$suite"} $without || true
python3 "$root/tools/count_tests.py" "$build/meson-logs/testlog.json" "$built"
