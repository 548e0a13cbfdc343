"""Measures cases on one number of threads, all engines in this process, and writes a list of results to a file."""

import argparse
import gc
import json
import pathlib
import sys
import warnings

import numpy as np
import torch

import engines
import nets
from cases import CASES, Case
from engines import Task
from timing import Engine, figures, max_error, measure

TOLERANCE = 1e-3  # of the largest output


class WrongOutput(Exception):
    pass


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
            **figures(times),
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
