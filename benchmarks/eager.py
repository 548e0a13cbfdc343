"""What eager evaluation costs over the plan; run.sh starts it. Prints a table."""

import argparse
import sys

import engines
from cases import NETS
from prepare import aligned, build, comma_list, export, measure


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks/run.sh eager", description="Eager evaluation beside the plan.")
    parser.add_argument("--seconds", type=float, default=1, help="timed seconds of each on a case")
    parser.add_argument("--nets", type=comma_list(NETS), default=NETS, help=f"of {','.join(NETS)}")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--compiler", default="g++")
    options = parser.parse_args()
    folder = build(options.compiler, ["fast", "eager"], options.nets)
    export(options.nets)
    ours = [("plan", folder, "fast"), ("eager", folder, "eager")]
    peers = [make.__name__ for make in engines.PEERS]
    results, done = measure(options.nets, options.threads, ours, options.seconds, 10, peers)
    lines = [["net", "N", "plan, ms", "eager, ms", "eager / plan"]]
    for plan, eager in zip(results[::2], results[1::2]):
        medians = plan["median_ms"], eager["median_ms"]
        lines.append([plan["net"], str(plan["batch"]), *(f"{ms:.4g}" for ms in medians), f"{medians[1] / medians[0]:.2f}"])
    print(aligned(lines))
    sys.exit(0 if done else 1)


main()
