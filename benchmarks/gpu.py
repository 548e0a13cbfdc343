"""Compares the speed of nets on a GPU with PyTorch's; run.sh starts it. See docs/benchmarks.md.

FOLDER has the libraries of gpu.cpp. Prints a table and writes gpu_results.json beside this file.
"""

import argparse
import copy
import ctypes
import functools
import gc
import json
import pathlib
import sys
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn
from torch._inductor import config as inductor_config

import nets
from cases import Case
from prepare import FILES, HERE, Result, aligned, comma_list
from timing import Engine, figures, max_error, measure

CASES = [
    Case(net, batch, item)
    for net, item in (("resnet50", (3, 224, 224)), ("unet", (3, 256, 256)), ("mlp", (784,)))
    for batch in (1, 16)
]
TOLERANCE = {"float32": 1e-3, "tensorfloat32": 5e-2, "float16": 5e-2}  # of the largest output
ROUNDS = 10


def lamina(library: pathlib.Path, weights: pathlib.Path, precision: str, x: np.ndarray, result: np.ndarray) -> list[Engine]:
    """Calls with an input that is on the GPU, and from the host and back."""
    functions = ctypes.CDLL(str(library))
    functions.lamina_load.restype = ctypes.c_void_p
    runner = ctypes.c_void_p(functions.lamina_load(str(weights).encode(), precision.encode()))
    pointer, items = ctypes.c_void_p(x.ctypes.data), ctypes.c_int64(len(x))
    functions.lamina_put(runner, pointer, items)

    def read(_: object) -> np.ndarray:
        functions.lamina_get(runner, ctypes.c_void_p(result.ctypes.data))
        return result

    return [
        Engine(f"lamina {precision}", functools.partial(functions.lamina_call_there, runner), read),
        Engine(f"lamina {precision}, from host", functools.partial(functions.lamina_call, runner, pointer, items), read),
    ]


def allow_tensorfloat32(allowed: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def pytorch(net: nn.Module, x: torch.Tensor, precision: str) -> Iterator[Engine]:
    """The same calls of PyTorch: eager, channels last, compiled."""
    dtype = torch.float16 if precision == "float16" else torch.float32
    net, there = copy.deepcopy(net).to("cuda", dtype), x.cuda()

    def engines(name: str, run: Callable[[torch.Tensor], torch.Tensor], layout: torch.memory_format) -> Iterator[Engine]:
        given = there.to(memory_format=layout)

        def call_there() -> torch.Tensor:
            y = run(given.to(dtype)).float()
            torch.cuda.synchronize()
            return y

        def call() -> torch.Tensor:
            return run(x.cuda().to(dtype, memory_format=layout)).float().cpu()

        def read(y: torch.Tensor) -> np.ndarray:
            return y.cpu().numpy()

        yield Engine(f"{name} {precision}", call_there, read)
        yield Engine(f"{name} {precision}, from host", call, read)

    layout = torch.contiguous_format
    yield from engines("pytorch", net, layout)
    if x.dim() == 4:
        layout = torch.channels_last
        net = copy.deepcopy(net).to(memory_format=layout)
        yield from engines("pytorch channels_last", net, layout)
    inductor_config.freezing = True  # folds batch norms
    compiled = torch.compile(net, dynamic=False, mode="max-autotune")
    yield from engines("pytorch compile", compiled, layout)


def measure_case(case: Case, options: argparse.Namespace) -> list[Result]:
    print(f"{case.net}, N={case.batch}", file=sys.stderr)
    net, x = nets.load(case, FILES), nets.make_input(case.extents)
    reference = net(x).numpy()
    results = []
    for precision, tolerance in TOLERANCE.items():
        torch.compiler.reset()
        allow_tensorfloat32(precision == "tensorfloat32")
        ours = lamina(options.folder / f"gpu_{case.net}.so", FILES / f"{case.net}.pth", precision, x.numpy(), reference.copy())
        engines, errors = [], {}
        for engine in [*ours, *pytorch(net, x, precision)]:
            errors[engine.name] = max_error(engine.read(engine.call()), reference)
            print(f"  {engine.name}: max error {errors[engine.name]:.1e}", file=sys.stderr)
            if not errors[engine.name] < tolerance:
                sys.exit(f"the output of {engine.name} is not PyTorch's")
            engines.append(engine)
        for name, times in measure(engines, options.seconds, ROUNDS).items():
            result = {"net": case.net, "threads": 1, "batch": case.batch, "engine": name}
            results.append(result | figures(times) | {"max_error": errors[name], "device": torch.cuda.get_device_name()})
        gc.collect()
    return results


def table(results: list[Result]) -> str:
    """A line a call: lamina's time, the shortest of PyTorch's, and how many times faster lamina is."""
    lines = [["net", "N", "call", "lamina", "PyTorch", "PyTorch / lamina", "PyTorch's is"]]
    for ours in (result for result in results if result["engine"].startswith("lamina")):
        call = ours["engine"].removeprefix("lamina ")
        peers = [
            peer
            for peer in results
            if (peer["net"], peer["batch"]) == (ours["net"], ours["batch"])
            and peer is not ours
            and peer["engine"].endswith(" " + call)
        ]
        best = min(peers, key=lambda peer: peer["median_ms"])
        figures_of = [f"{result['best_ms']:.4g} / {result['median_ms']:.4g}" for result in (ours, best)]
        ratio = f"{best['median_ms'] / ours['median_ms']:.2f}"
        lines.append([ours["net"], str(ours["batch"]), call, *figures_of, ratio, best["engine"].removesuffix(" " + call)])
    return aligned(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks/run.sh gpu", description="Speed of nets on a GPU beside PyTorch's.")
    parser.add_argument("folder", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=2, help="timed seconds of an engine on a case")
    names = list(dict.fromkeys(case.net for case in CASES))
    parser.add_argument("--nets", type=comma_list(names), default=names, help=f"of {','.join(names)}")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    if not torch.cuda.is_available():
        sys.exit(f"the PyTorch of {sys.executable} finds no GPU")
    torch.backends.cudnn.benchmark = True  # eager convolutions take the fastest engine, not the likely one
    results: list[Result] = []
    FILES.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        nets.write_weights([case for case in CASES if case.net in options.nets], FILES)
    with torch.inference_mode():
        for case in CASES:
            if case.net in options.nets:
                results += measure_case(case, options)
    (HERE / "gpu_results.json").write_text(json.dumps(results, indent=1) + "\n")
    print(f"\n{torch.cuda.get_device_name()}: ms a call, best / median")
    print(table(results))


if __name__ == "__main__":
    main()
