#!/usr/bin/env python3
"""What lamina writes, read by PyTorch and by safetensors: every bit, name, dtype and the order. Speaks TAP.

    check_written.py PROGRAM MANIFEST [--evidence FILE]

PROGRAM is the example `checkpoint`, which converts each file of the manifest that PyTorch reads to both formats. The
check runs where PyTorch is installed: in this Python, or in the virtual environment that benchmarks/run.sh made or
LAMINA_PEERS names. --evidence writes what was checked as JSON.
"""
import argparse
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def find_torch():
    """Runs this script again in an environment that has PyTorch, if this one has not."""
    if importlib.util.find_spec("torch"):
        return True
    for folder in (os.environ.get("LAMINA_PEERS"), ROOT / "build" / "peers"):
        python = pathlib.Path(folder or "nowhere") / "bin" / "python"
        if python.exists() and not os.environ.get("LAMINA_CHECK_AGAIN"):
            os.environ["LAMINA_CHECK_AGAIN"] = "1"
            os.execv(python, [str(python), *sys.argv])
    return False


def weights_of(content):
    """The state_dict in what torch.load gave."""
    import torch

    for key in ("state_dict", "model_state_dict", "model", "net"):
        if isinstance(content.get(key), dict):
            content = content[key]
            break
    return {name: tensor for name, tensor in content.items() if isinstance(tensor, torch.Tensor)}


def difference(expected, got, ordered, any_nan=False):
    """What differs, down to the last bit; with any_nan, one NaN is as good as another."""
    import torch

    if (list(expected) if ordered else sorted(expected)) != (list(got) if ordered else sorted(got)):
        return f"names: {list(got)} and not {list(expected)}"
    for name, a in expected.items():
        b = got[name]
        if a.dtype != b.dtype or a.shape != b.shape:
            return f"{name}: {b.dtype} {list(b.shape)} and not {a.dtype} {list(a.shape)}"
        a, b = (x.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1) for x in (a, b))
        if any_nan and a.dtype.is_floating_point:
            a, b = (torch.where(x.isnan(), torch.full_like(x, float("nan")), x) for x in (a, b))
        if not torch.equal(a.view(torch.uint8), b.view(torch.uint8)):
            return f"{name}: other bits"
    return ""


def convert(program, *arguments):
    result = subprocess.run([program, "convert", *map(str, arguments)], capture_output=True, encoding="utf-8")
    if result.returncode != 0:
        raise RuntimeError(result.stderr)


def checks(program, manifest, folder):
    import torch

    try:
        import safetensors
        import safetensors.torch
    except ImportError:
        safetensors = None
    cases = json.loads(manifest.read_text(encoding="utf-8"))["cases"]
    for case in cases:
        for file in case.get("files", []):
            if file.get("torch") != "weights_only" or "hostile" in case["kind"]:
                continue
            path = manifest.parent / file["path"]
            content = torch.load(path, weights_only=True, map_location="cpu")
            expected = weights_of(content)
            out = folder / "out.pt"
            convert(program, path, out)
            written = torch.load(out, weights_only=True)
            problem = difference(expected, weights_of(written), ordered=True)
            metadata = getattr(content, "_metadata", None)
            if not problem and metadata and dict(getattr(written, "_metadata", {})) != dict(metadata):
                problem = "other versions of modules"
            mapped = torch.load(out, weights_only=True, mmap=True)
            yield f"{file['path']} as .pt", len(expected), problem or difference(expected, weights_of(mapped), True)
            half = folder / "half.pt"
            convert(program, path, half, "--dtype", "bfloat16", "--add", "module")
            narrow = {f"module.{k}": v.bfloat16() if v.dtype.is_floating_point else v for k, v in expected.items()}
            yield f"{file['path']} as .pt in bfloat16", len(expected), difference(
                narrow, weights_of(torch.load(half, weights_only=True)), ordered=True, any_nan=True
            )
            if safetensors:
                table = folder / "out.safetensors"
                convert(program, path, table)
                read = safetensors.torch.load_file(table)
                yield f"{file['path']} as .safetensors", len(expected), difference(expected, read, ordered=False)
    versions = {"torch": torch.__version__, "safetensors": safetensors.__version__ if safetensors else None}
    return versions


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("manifest", type=pathlib.Path)
    parser.add_argument("--evidence", type=pathlib.Path)
    options = parser.parse_args()
    if not find_torch():
        print("1..1\nok 1 - what is written is read by PyTorch # SKIP PyTorch is not installed")
        return
    count, done = 0, []
    with tempfile.TemporaryDirectory() as folder:
        run = checks(options.program, options.manifest.resolve(), pathlib.Path(folder))
        while True:
            try:
                name, tensors, problem = next(run)
            except StopIteration as end:
                versions = end.value
                break
            count += 1
            print(f"{'not ok' if problem else 'ok'} {count} - {name}")
            if problem:
                print(f"# {problem}")
            done.append({"written": name, "tensors": tensors, "equal": not problem})
    print(f"1..{count}")
    if options.evidence:
        lines = ",\n    ".join(json.dumps(one, ensure_ascii=False) for one in done)
        options.evidence.write_text(f'{{\n  "versions": {json.dumps(versions)},\n  "files": [\n    {lines}\n  ]\n}}\n')


main()
