"""Measures cases on one number of threads, all engines in this process, and writes a list of results to a file.

Engines take turns in rounds, in another order each round, so that whatever slows the machine for a while slows all of
them. Idle threads of peers spin for a while before they sleep (10 ms in PyTorch, 50 ms in ONNX Runtime): a pause before
every turn keeps them out of the next engine's time. A turn warms the caches and the engine's own threads first.
"""

import argparse
import gc
import json
import pathlib
import random
import statistics
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch

import engines
import nets
from cases import CASES, Case
from engines import Engine, Task

TOLERANCE = 1e-3  # of the largest output
PAUSE = 0.1  # seconds before a turn
WARM = 0.005  # seconds of calls that are not timed, or one call ...
LONG = 0.25  # ... but calls of so many seconds need none: what is cold at their start is a hundredth of them


class WrongOutput(Exception):
    pass


def max_error(y: np.ndarray, reference: np.ndarray) -> float:
    """The largest difference, in units of the largest output."""
    if y.shape != reference.shape or not np.isfinite(y).all():
        return float("inf")
    return float(np.abs(y - reference).max() / np.abs(reference).max())


def check(engine: Engine, reference: np.ndarray) -> float:
    error = max_error(engine.read(engine.call()), reference)
    print(f"  {engine.name}: max error {error:.1e}", file=sys.stderr)
    if not error < TOLERANCE:
        raise WrongOutput(f"the output of {engine.name} is not PyTorch's")
    return error


def make_peers(task: Task, skip: list[str]) -> tuple[list[Engine], dict[str, float]]:
    """The peers that can run this case, with their errors; the others are left out, with the reason."""
    peers, errors = [], {}
    for make in engines.PEERS:
        if make.__name__ in skip:
            continue
        try:
            if peer := make(task):
                errors[peer.name] = check(peer, task.reference)
                peers.append(peer)
        except WrongOutput:
            raise
        except Exception as reason:
            print(f"  {make.__name__} is left out: {str(reason).strip().splitlines()[0]}", file=sys.stderr)
    return peers, errors


def seconds_of(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def usual_seconds(call: Callable[[], object]) -> float:
    first = seconds_of(call)
    return first if first > LONG else statistics.median(seconds_of(call) for _ in range(5))


def warm_up(call: Callable[[], object], usual: float) -> None:
    spent = 0.0
    while usual < LONG and spent < WARM:
        spent += seconds_of(call)


def measure(prepared: list[Engine], seconds: float, rounds: int) -> dict[str, list[float]]:
    """The times of every engine's timed calls: about so many seconds, and one call a round at least."""
    usual = {engine.name: usual_seconds(engine.call) for engine in prepared}
    times: dict[str, list[float]] = {engine.name: [] for engine in prepared}
    order = random.Random(0)
    gc.disable()
    for _ in range(rounds):
        for name, call, _ in order.sample(prepared, len(prepared)):
            time.sleep(PAUSE)
            warm_up(call, usual[name])
            calls = max(1, round(seconds / rounds / usual[name]))
            times[name] += [seconds_of(call) for _ in range(calls)]
    gc.enable()
    return times


def measure_case(case: Case, options: argparse.Namespace) -> list[dict]:
    print(f"{case.net}, N={case.batch}, {options.threads} thread(s)", file=sys.stderr)
    net, x = nets.load(case, options.files), nets.make_input(case.extents)
    task = Task(case, options.threads, options.files, net, x, net(x).numpy())
    ours = [engines.lamina(name, pathlib.Path(folder), variant, task) for name, folder, variant in options.lamina]
    errors = {engine.name: check(engine, task.reference) for engine in ours}
    peers, errors_of_peers = make_peers(task, options.skip)
    errors |= errors_of_peers
    return [
        {
            "net": case.net,
            "threads": options.threads,
            "batch": case.batch,
            "engine": name,
            "best_ms": round(1000 * min(times), 5),
            "median_ms": round(1000 * statistics.median(times), 5),
            "calls": len(times),
            "max_error": errors[name],
        }
        for name, times in measure([*ours, *peers], options.seconds, options.rounds).items()
    ]


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", nargs="+", choices=[case.name for case in CASES])
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--files", type=pathlib.Path, required=True, help="folder of the weights and ONNX files")
    parser.add_argument("--lamina", nargs=3, action="append", required=True, metavar=("NAME", "FOLDER", "VARIANT"))
    parser.add_argument("--skip", action="append", default=[], help="a peer to leave out: a function of engines.py")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(options.threads)
    results: list[dict] = []
    failed = False
    with torch.inference_mode():
        for case in CASES:
            if case.name not in options.cases:
                continue
            try:
                results += measure_case(case, options)
            except WrongOutput as wrong:
                print(f"  {wrong}", file=sys.stderr)
                failed = True
            options.output.write_text(json.dumps(results))
            gc.collect()
    sys.exit(1 if failed else 0)


main()
