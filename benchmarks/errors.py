"""Errors of whole nets against PyTorch in float64; run.sh starts it. Prints a table.

Each seed gives a net's weights and its input. Errors are relative to the largest output: the largest one, and the root
of the mean square; the table shows their means over the seeds.
"""

import argparse
import functools
import multiprocessing
import pathlib
import statistics
import sys
import tempfile
import warnings

import numpy as np
import torch

import engines
import nets
from cases import CASES, Case
from engines import Engine, Task
from prepare import aligned, build, comma_list

VARIANTS = ["exact", "strict", "fast"]
PEERS = [engines.pytorch, engines.pytorch_channels_last, engines.onnx_runtime, engines.open_vino]
IMAGE_CASES = [case for case in CASES if case.batch == 1 and len(case.item) == 3]

Errors = dict[str, tuple[float, float]]  # engine: (largest, root of the mean square)


def errors_of(engine: Engine, reference: np.ndarray) -> tuple[float, float]:
    difference = (engine.read(engine.call()) - reference) / np.abs(reference).max()
    return float(np.abs(difference).max()), float(np.sqrt(np.square(difference).mean()))


def compare(case: Case, seed: int, libraries: pathlib.Path) -> Errors:
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name, torch.no_grad():
        folder = pathlib.Path(name)
        nets.write_net(case, folder / f"{case.net}.pth", seed)
        nets.write_onnx(case, folder / f"{case.name}.onnx")
        x = nets.make_input(case.extents, seed)
        reference = nets.load(case, folder).double()(x.double()).numpy()
        task = Task(case, 1, folder, nets.load(case, folder), x, reference.astype(np.float32))
        ours = [functools.partial(engines.lamina, f"lamina {v}", libraries, v) for v in VARIANTS]
        return {engine.name: errors_of(engine, reference) for make in [*ours, *PEERS] for engine in [make(task)]}


def means(runs: list[Errors]) -> list[str]:
    """One cell an engine."""
    return [
        " / ".join(f"{statistics.mean(run[engine][which] for run in runs):.1e}" for which in (0, 1)) for engine in runs[0]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks/run.sh errors", description="Errors against float64.")
    parser.add_argument("--seeds", type=int, default=3, help="weights and inputs of each net")
    names = [case.net for case in IMAGE_CASES]
    parser.add_argument("--nets", type=comma_list(names), default=names, help=f"of {','.join(names)}")
    parser.add_argument("--compiler", default="g++")
    options = parser.parse_args()
    cases = [case for case in IMAGE_CASES if case.net in options.nets]
    libraries = pathlib.Path(build(options.compiler, VARIANTS, options.nets))
    # a process each: engines keep their weights for as long as they live
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        runs = {
            case.net: pool.starmap(compare, [(case, seed, libraries) for seed in range(options.seeds)], chunksize=1)
            for case in cases
        }
    if runs:
        engines_shown = next(iter(runs.values()))[0]
        print("largest error / root of the mean square, of the largest output")
        print(aligned([["net", *engines_shown], *([net, *means(of_seeds)] for net, of_seeds in runs.items())]))
    sys.exit(0 if runs else "no such net")


if __name__ == "__main__":
    main()
