#!/bin/sh
# Measures the speed of whole nets beside PyTorch, ONNX Runtime and OpenVINO, their errors, what eager evaluation costs, the
# speed of single kernels, or that of loading and saving weights beside PyTorch. See docs/benchmarks.md.
#
#   sh benchmarks/run.sh [--quick] [--seconds S] [--nets A,B] [--threads 1,2] [--compiler g++|clang++-19]
#   sh benchmarks/run.sh errors [--seeds N] [--nets A,B] [--compiler g++|clang++-19]
#   sh benchmarks/run.sh eager [--seconds S] [--nets A,B] [--threads N] [--compiler g++|clang++-19]
#   sh benchmarks/run.sh kernels [options of Google Benchmark]
#   sh benchmarks/run.sh load
#   sh benchmarks/run.sh gpu [--seconds S] [--nets A,B]     # on a GPU, beside PyTorch
#
# The peers are installed once, under build/peers. LAMINA_PEERS names a virtual environment that has them already.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

if [ "${1:-}" = kernels ]; then
  shift
  folder=$(sh "$root/benchmarks/build.sh" kernels)
  exec "$folder/kernels/lamina_kernels" "$@"
fi

if [ "${1:-}" = gpu ]; then
  missing=
  if ! found=$(python3 "$root/tools/find_cuda.py"); then missing=$found
  elif ! devices=$(python3 "$root/tools/count_gpus.py" "$(printf '%s\n' "$found" | sed -n 's/^cudart //p')"); then missing=$devices
  fi
  if [ -n "$missing" ]; then
    echo "nothing was measured on a GPU: $missing"
    exit 0
  fi
fi

. "$root/tools/setup.sh"
install_missing benchmarks
peers=${LAMINA_PEERS:-}
if [ -z "$peers" ]; then
  peers=$root/build/peers
  wanted=$root/benchmarks/requirements.txt
  if ! cmp -s "$wanted" "$peers/requirements.txt"; then
    say "installing PyTorch, ONNX Runtime and OpenVINO into build/peers (some gigabytes)"
    quietly peers-venv python3 -m venv "$peers"
    quietly peers-pip "$peers/bin/python" -m pip install -r "$wanted"
    cp "$wanted" "$peers/requirements.txt"
  fi
fi
case ${1:-} in
load)
  folder=$(sh "$root/benchmarks/build.sh" load)
  exec "$peers/bin/python" "$root/benchmarks/load/load.py" "$folder/load/load.so"
  ;;
gpu)
  shift
  folder=$(sh "$root/benchmarks/build.sh" gpu)
  exec "$peers/bin/python" "$root/benchmarks/gpu.py" "$folder" "$@"
  ;;
errors | eager)
  script=$1
  shift
  ;;
*) script=compare ;;
esac
exec "$peers/bin/python" "$root/benchmarks/$script.py" "$@"
