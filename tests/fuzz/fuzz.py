#!/usr/bin/env python3
"""Runs a fuzzer of the weight formats for a while, from small weight files of the golden tests as first inputs.

    fuzz.py PROGRAM GOLDEN_FOLDER SECONDS [CORPUS_FOLDER]

PROGRAM is build/.../tests/fuzz/fuzz_FORMAT. The inputs that a run finds worth keeping go into CORPUS_FOLDER, from which
the next run goes on; an input that breaks a reader is left in the current folder. Ends with 0 if there was none.
"""
import io
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

LARGEST = 16384


def without_checksums(archive):
    """A stored zip of the same records whose checksums are 0, unknown: changes reach what is behind them."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as rewritten:
        for info in archive.infolist():
            rewritten.writestr(zipfile.ZipInfo(info.filename), archive.read(info))
    data = bytearray(target.getvalue())
    for signature, place in ((b"PK\3\4", 14), (b"PK\1\2", 16)):
        for found in re.finditer(re.escape(signature), bytes(data)):
            data[found.start() + place : found.start() + place + 4] = bytes(4)
    return bytes(data)


def seeds_of(path):
    data = path.read_bytes()
    if data[:4] == b"PK\3\4":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                yield "zip", without_checksums(archive)
                for name in archive.namelist():
                    if name.endswith("/data.pkl"):
                        yield "pickle", archive.read(name)
        except (zipfile.BadZipFile, ValueError):
            yield "zip", data  # one of the hostile ones
    elif data[:1] == b"\x80" and data[8:9] != b"{":
        yield "legacy", data
    elif data[8:9] == b"{":
        yield "safetensors", data


def write_seeds(target, golden, folder):
    for path in sorted(golden.rglob("*")):
        if path.is_file() and path.stat().st_size <= LARGEST:
            name = "_".join(path.relative_to(golden).parts)
            for format_name, data in seeds_of(path):
                if format_name == target:
                    (folder / name).write_bytes(data)


def main():
    program, golden, seconds = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]), sys.argv[3]
    target = program.name.removeprefix("fuzz_")
    options = [f"-max_total_time={seconds}", "-print_final_stats=1", f"-artifact_prefix={target}-"]
    options += ["-rss_limit_mb=1024", "-timeout=300", f"-max_len={LARGEST}"]
    if target in ("pickle", "legacy"):
        options.append(f"-dict={pathlib.Path(__file__).with_name('pickle.dict')}")
    with tempfile.TemporaryDirectory() as scratch:
        seeds, corpus = pathlib.Path(scratch, "seeds"), pathlib.Path(scratch, "corpus")
        if len(sys.argv) > 4:
            corpus = pathlib.Path(sys.argv[4])
        seeds.mkdir()
        corpus.mkdir(parents=True, exist_ok=True)
        write_seeds(target, golden, seeds)
        # Most inputs end in an exception, after each of which the fake stacks of use-after-return are swept: that takes
        # two thirds of the time. The hostile files of the tests are read with them.
        environment = {"ASAN_OPTIONS": "detect_stack_use_after_return=0"} | os.environ
        sys.exit(subprocess.run([program, corpus, seeds, *options], check=False, env=environment).returncode)


main()
