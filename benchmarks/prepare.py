"""What all comparisons begin and end with: options are read, lamina's side is built, the nets are exported, engines are
measured in a process of their own, and a table is laid out."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable

from cases import CASES

HERE = pathlib.Path(__file__).resolve().parent
FILES = HERE.parent / "build" / "benchmarks" / "nets"

Result = dict[str, object]


def comma_list(known: list[str] | None = None) -> Callable[[str], list[str]]:
    """How argparse reads `a,b,c`, where all of them are known."""

    def parse(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            if known and name not in known:
                raise argparse.ArgumentTypeError(f"'{name}' is none of {', '.join(known)}")
        return names

    return parse


def build(compiler: str, variants: list[str], nets: list[str]) -> str:
    """The folder of the libraries."""
    targets = [f"{variant}-{net}" for variant in variants for net in nets]
    command = ["sh", str(HERE / "build.sh"), *targets]
    done = subprocess.run(command, env=os.environ | {"CXX": compiler}, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"lamina's side does not build with {compiler}")
    return done.stdout.strip()


def export(nets: list[str]) -> None:
    if subprocess.run([sys.executable, str(HERE / "nets.py"), str(FILES), *nets]).returncode != 0:
        sys.exit("PyTorch could not export the nets")


def peers_environment(threads: str) -> dict[str, str]:
    return os.environ | {
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "ONEDNN_DEFAULT_FPMATH_MODE": "STRICT",
        "CXX": "g++",
        "TORCHINDUCTOR_CACHE_DIR": str(FILES.parent / "inductor"),
    }


def measure(
    nets: list[str], threads: str, ours: list[tuple[str, str, str]], seconds: float, rounds: int, skip: list[str]
) -> tuple[list[Result], bool]:
    """The results on so many threads, and whether every case has them. `ours` are a name, a folder and a variant each,
    `skip` the peers to leave out."""
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "results.json"
        cases = [case.name for case in CASES if case.net in nets]
        command = [sys.executable, str(HERE / "measure.py"), *cases, "--threads", threads, "--files", str(FILES)]
        command += ["--seconds", str(seconds), "--rounds", str(rounds), "--output", str(output)]
        for engine in ours:
            command += ["--lamina", *engine]
        for peer in skip:
            command += ["--skip", peer]
        done = subprocess.run(command, env=peers_environment(threads)).returncode == 0
        return json.loads(output.read_text()) if output.exists() else [], done


def aligned(lines: list[list[str]]) -> str:
    """A table in Markdown; the first line is its head."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    head, *rest = lines
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths)) + " |"
        for line in [head, ["-" * width for width in widths], *rest]
    )
