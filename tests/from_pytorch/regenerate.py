"""Compares the files of this folder with what from_pytorch.py and PyTorch give, and reports it as TAP; skipped where
there is no PyTorch.   regenerate.py [--write]

With --write it writes them.
"""

import importlib.util
import json
import pathlib
import re
import struct
import subprocess
import sys

sys.dont_write_bytecode = True  # no __pycache__ in the source tree

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GENERATOR = ROOT / "examples" / "from_pytorch.py"

# name: (model, shape of the input, which of PyTorch's print and numbers are kept in this folder)
NETS = {
    "corners": ("tests/from_pytorch/nets.py:Corners", [2, 3, 9, 7], "text numbers"),
    "resnet18": ("torchvision.models:resnet18", [1, 3, 224, 224], ""),  # tests/text, tests/full_size
    "small_vgg": ("tests/from_pytorch/nets.py:small_vgg", [2, 3, 13, 9], "text numbers"),
    "unet": ("benchmarks/unet.py:UNet(3, 2)", [1, 3, 256, 256], "text"),  # tests/full_size
    "vgg16_bn": ("torchvision.models:vgg16_bn", [1, 3, 224, 224], "text"),
}


def generate(*arguments):
    command = [sys.executable, str(GENERATOR), *arguments]
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def text_of(net):
    """print(net), batch norms in the form of PyTorch before 2.15."""
    return re.sub(r"(affine=\w+), bias=\w+, ", r"\1, ", str(net)) + "\n"


def description(net):
    keys = [[key, list(tensor.shape)] for key, tensor in net.state_dict().items()]
    modules = [name for name, _ in net.named_modules()]
    return json.dumps(
        {"keys": keys, "modules": modules, "parameters": sum(parameter.numel() for parameter in net.parameters())}
    )


def uniform(key, count):
    """Numbers in [0, 1) from a key, as tests/full_size/hashed_weights.hpp has them."""
    import numpy as np

    state = 0xCBF29CE484222325
    for byte in key.encode():
        state = ((state ^ byte) * 0x100000001B3) & (2**64 - 1)
    with np.errstate(over="ignore"):
        z = np.uint64(state) + np.arange(count, dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)


def fill(net):
    """Weights from their keys, by the rules of tests/full_size/hashed_weights.hpp."""
    import numpy as np
    import torch

    norms = {key.rpartition(".")[0] for key in net.state_dict() if key.endswith("running_mean")}
    for key, tensor in net.state_dict().items():
        owner, _, name = key.rpartition(".")
        if name == "num_batches_tracked":
            tensor.fill_(1)
            continue
        u = uniform(key, tensor.numel())
        scale = np.float32(0.1)
        if name == "weight" and owner not in norms:
            scale = np.float32((6.0 / (tensor.numel() // len(tensor))) ** 0.5)
        shifted = owner in norms and name in ("weight", "running_var")
        values = u + np.float32(0.5) if shifted else (np.float32(2) * u - np.float32(1)) * scale
        tensor.copy_(torch.from_numpy(values.reshape(tuple(tensor.shape))))


def numbers(net, shape):
    """{input, output}: the output in float64 with weights made from their keys."""
    import torch

    x = torch.from_numpy(uniform("input", torch.Size(shape).numel()).reshape(shape)) * 2 - 1
    with torch.no_grad():
        fill(net)
        y = net.double()(x.double())
    return {"input": ("F32", x), "output": ("F64", y)}


def safetensors(tensors):
    header, data = {}, b""
    for name, (dtype, tensor) in tensors.items():
        content = tensor.numpy().tobytes()
        offsets = [len(data), len(data) + len(content)]
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": offsets}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def files():
    """(name, content) of all files."""
    sys.path.insert(1, str(GENERATOR.parent))
    from from_pytorch import made

    for name, (model, shape, kept) in NETS.items():
        run = generate(model, "--name", name, "--check", ",".join(map(str, shape)))
        yield f"{name}.hpp", run.stdout if run.returncode == 0 else run.stderr
        if not kept:
            continue
        net, _ = made(model if not model.startswith(("tests", "benchmarks")) else f"{ROOT}/{model}")
        yield f"{name}.txt", text_of(net)
        yield f"{name}.json", description(net)
        if "numbers" in kept:
            yield f"{name}.safetensors", safetensors(numbers(net, shape))
    output = HERE / "refused.hpp"
    run = generate("tests/from_pytorch/refused.py:Refused", "--output", str(output))
    whole = run.returncode == 1 and not run.stdout and not list(HERE.glob("refused.hpp*"))
    yield "refused.txt", run.stderr if whole else f"status {run.returncode}\n{run.stdout}{run.stderr}"


def alike(kept, content):
    """The same bytes; of numbers, outputs that differ by rounding at most."""
    if kept == content or isinstance(content, str):
        return kept == content
    import numpy as np

    size = struct.unpack("<Q", content[:8])[0] + 8
    outputs = json.loads(content[8:size])["output"]["data_offsets"][0] + size
    if kept[:outputs] != content[:outputs]:
        return False
    a, b = (np.frombuffer(each[outputs:], np.float64) for each in (kept, content))
    return a.shape == b.shape and np.abs(a - b).max() < 1e-12 * np.abs(b).max()


def main():
    missing = [name for name in ("torch", "torchvision", "numpy") if importlib.util.find_spec(name) is None]
    if missing:
        print(f"1..0 # SKIP {missing[0]} is not installed")
        return
    number = 0
    for number, (name, content) in enumerate(files(), 1):
        path = HERE / name
        binary = isinstance(content, bytes)
        if "--write" in sys.argv[1:]:
            path.write_bytes(content if binary else content.encode())
        kept = path.read_bytes() if path.exists() else b""
        same = alike(kept if binary else kept.decode(), content)
        print(f"{'ok' if same else 'not ok'} {number} - {name} is what is made today", flush=True)
        if not same and not binary:
            print("".join(f"#   {line}\n" for line in content.splitlines()), end="")
    print(f"1..{number}")


main()
