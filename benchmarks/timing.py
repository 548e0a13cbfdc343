"""What is timed, and how.

Engines take turns in rounds, in another order each round, so that whatever slows the machine for a while slows all of
them. Idle threads of peers spin for a while before they sleep (10 ms in PyTorch, 50 ms in ONNX Runtime): a pause before
every turn keeps them out of the next engine's time. A turn warms the caches and the engine's own threads first.
"""

import gc
import random
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

PAUSE = 0.1  # seconds before a turn
WARM = 0.005  # seconds of calls that are not timed, or one call ...
LONG = 0.25  # ... but calls of so many seconds need none: what is cold at their start is a hundredth of them


class Engine(NamedTuple):
    name: str
    call: Callable[[], object]
    read: Callable[[object], np.ndarray]  # the output, from what a call returned


def max_error(y: np.ndarray, reference: np.ndarray) -> float:
    """The largest difference, in units of the largest output."""
    if y.shape != reference.shape or not np.isfinite(y).all():
        return float("inf")
    return float(np.abs(y - reference).max() / np.abs(reference).max())


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


def figures(times: list[float]) -> dict[str, float]:
    """What results.json has of the times of calls."""
    return {
        "best_ms": round(1000 * min(times), 5),
        "median_ms": round(1000 * statistics.median(times), 5),
        "calls": len(times),
    }
