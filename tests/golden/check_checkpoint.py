#!/usr/bin/env python3
"""The example `checkpoint` with every file of a manifest: what it lists, what it refuses and how. Speaks TAP.

    check_checkpoint.py PROGRAM MANIFEST
"""
import json
import pathlib
import resource
import struct
import subprocess
import sys
import time

SECONDS, BYTES = 10, 1 << 30
DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
    "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool", "U16": "uint16", "U32": "uint32", "U64": "uint64",
    "C64": "complex64",
}  # fmt: skip


def run(*arguments):
    start = time.monotonic()
    result = subprocess.run(arguments, capture_output=True, encoding="utf-8", timeout=10 * SECONDS)
    return result, time.monotonic() - start


def lines_of(safetensors, keys):
    """The lines that `list` prints: name, dtype, shape."""
    with open(safetensors, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    return [f"{key} {DTYPES[header[key]['dtype']]} {header[key]['shape']}" for key in keys]


def accepted(program, root, case, file):
    result, _ = run(program, "list", root / file["path"])
    if result.returncode != 0 or result.stderr:
        return f"exit {result.returncode}: {result.stderr}"
    lines = result.stdout.splitlines()
    if lines and all(line.startswith("module.") for line in lines) and not case["keys"][0].startswith("module."):
        lines = [line.removeprefix("module.") for line in lines]  # saved by DataParallel
    expected = lines_of(root / case["weights"], case["keys"])
    return "" if lines == expected else f"printed {lines} and not {expected}"


def tree(program, root, file):
    result, _ = run(program, "tree", root / file["path"])
    if file["kind"] == "module":
        return "" if result.returncode == 0 and "training = " in result.stdout else result.stderr or "no structure"
    return "" if result.returncode == 2 and result.stderr.startswith("error: ") else "state_dicts have no structure"


def refused(program, path, expect, canary):
    for command in ("list", "tree"):
        result, seconds = run(program, command, path)
        memory = 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # the most of all children so far
        if seconds > SECONDS or memory > BYTES:
            return f"{command}: took {seconds:.1f} s and at most {memory >> 20} MiB"
        if canary and any(pathlib.Path(canary).glob("*")):
            return f"{command}: something was created in {canary}"
        if result.returncode == 0 and expect == "either":
            continue
        if result.returncode != 2 or not result.stderr.startswith("error: ") or result.stderr.count("\n") != 1:
            return f"{command}: exit {result.returncode}, standard error: {result.stderr!r}"
        if command == "list" and result.stdout:
            return f"printed something before it refused the file: {result.stdout!r}"
    return ""


def checks(program, root, cases):
    for case in cases:
        for file in case.get("files", []):
            if "weights" in case and "keys" in case:
                yield f"list {file['path']}", accepted(program, root, case, file)
                yield f"tree {file['path']}", tree(program, root, file)
        for file in case.get("files_hostile", []):
            problem = refused(program, root / file["path"], file["expect"], case.get("canary_dir"))
            yield f"refuse {file['path']}: {file['why']}", problem
    nowhere = root / "nowhere.pt"
    yield "refuse a file that does not exist", refused(program, nowhere, "refuse", None)
    yield "refuse a folder", refused(program, root, "refuse", None)


def main():
    program, manifest = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    cases = json.loads(manifest.read_text(encoding="utf-8"))["cases"]
    count = 0
    for count, (name, problem) in enumerate(checks(program, manifest.parent, cases), 1):
        print(f"{'not ok' if problem else 'ok'} {count} - {name.replace('#', ' ')}")
        if problem:
            print(f"# {problem}")
    print(f"1..{count}")


main()
