"""Compares the speed of whole nets with that of other engines; run.sh starts it. See docs/benchmarks.md.

Builds lamina's side, exports the nets, measures in one process for each number of threads, prints a table and writes
results.json and results.svg beside this file.
"""

import argparse
import json
import shutil
import sys

from cases import NETS
from plot import plot
from prepare import HERE, Result, aligned, build, comma_list, export, measure

OURS = {"g++": "lamina", "clang++-19": "lamina clang"}

Key = tuple[str, int, int]  # net, batch, threads


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.sh", description="Speed of whole nets beside other engines.")
    parser.add_argument("--quick", action="store_true", help="fewer calls, one compiler, no torch.compile")
    parser.add_argument("--seconds", type=float, help="timed seconds of an engine on a case")
    parser.add_argument("--nets", type=comma_list(NETS), default=NETS, help=f"of {','.join(NETS)}")
    parser.add_argument("--threads", type=comma_list(), default=["1", "2"], help="numbers of threads")
    parser.add_argument("--compiler", choices=OURS, help="the one compiler of lamina's side (all that are there)")
    options = parser.parse_args()
    if options.seconds is None:
        options.seconds = 0.3 if options.quick else 5
    return options


def compilers(options: argparse.Namespace) -> list[str]:
    if options.compiler:
        return [options.compiler]
    known = list(OURS)[:1] if options.quick else list(OURS)
    return [name for name in known if shutil.which(name)]


def is_ours(engine: str) -> bool:
    return engine.startswith("lamina")


def rows_of(results: list[Result]) -> dict[Key, dict[str, Result]]:
    rows: dict[Key, dict[str, Result]] = {}
    for result in results:
        rows.setdefault((result["net"], result["batch"], result["threads"]), {})[result["engine"]] = result
    return rows


def ratio(row: dict[str, Result], engine: str) -> float:
    """How many times faster than the fastest peer, by medians."""
    return min(other["median_ms"] for name, other in row.items() if not is_ours(name)) / row[engine]["median_ms"]


def table(results: list[Result]) -> str:
    engines = list(dict.fromkeys(result["engine"] for result in results))
    ours = [engine for engine in engines if is_ours(engine)]
    lines = [["net", "N", "threads", *engines, *(f"best peer / {engine}" for engine in ours)]]
    for (net, batch, threads), row in rows_of(results).items():
        times = [f"{row[e]['best_ms']:.4g} / {row[e]['median_ms']:.4g}" if e in row else "-" for e in engines]
        ratios = [f"{ratio(row, engine):.2f}" if engine in row else "-" for engine in ours]
        lines.append([net, str(batch), str(threads), *times, *ratios])
    return aligned(lines)


def main() -> None:
    options = parse_options()
    ours = [(OURS[compiler], build(compiler, ["fast"], options.nets), "fast") for compiler in compilers(options)]
    export(options.nets)
    rounds, skip = (2, ["pytorch_compile"]) if options.quick else (10, [])
    runs = [measure(options.nets, threads, ours, options.seconds, rounds, skip) for threads in options.threads]
    results = [result for run, _ in runs for result in run]
    if results:
        (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")
        print("\nms a call, best / median")
        print(table(results))
        plot(rows_of(results), HERE / "results.svg")
    sys.exit(0 if all(done for _, done in runs) else 1)


main()
