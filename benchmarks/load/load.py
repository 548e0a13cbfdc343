"""Loads and saves the weights of a ResNet-50 (102 MB) with lamina and with PyTorch in turns.   load.py LIBRARY

Each turn loads into a net that is there already. The file is in the page cache: what is measured is reading it, not the
disk. What lamina loaded is saved again and compared with PyTorch's tensors bit for bit.
"""

import ctypes
import os
import pathlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import torch
import torchvision

ROUNDS = 15

try:
    import safetensors.torch as safetensors
except ImportError:
    safetensors = None


def seconds_of(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(title: str, calls: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> None:
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(seconds_of(call))
    print(f"{title:<34}{'best ms':>9}{'median ms':>11}")
    for name, spent in times.items():
        print(f"  {name:<32}{1000 * min(spent):9.1f}{1000 * statistics.median(spent):11.1f}")
    lamina, *peers = (statistics.median(spent) for spent in times.values())
    print(f"  fastest peer / lamina: {min(peers) / lamina:.2f}\n")


def check(path: str, expected: dict[str, torch.Tensor]) -> None:
    got = torch.load(path, weights_only=True)
    assert list(got) == list(expected)
    for name, tensor in expected.items():
        assert got[name].dtype == tensor.dtype and got[name].shape == tensor.shape, name
        assert torch.equal(got[name].reshape(-1).view(torch.uint8), tensor.reshape(-1).view(torch.uint8)), name


def main() -> None:
    library = ctypes.CDLL(str(pathlib.Path(sys.argv[1])))
    net = torchvision.models.resnet50()
    with tempfile.TemporaryDirectory() as folder:
        pth, table, written = (os.path.join(folder, name) for name in ("net.pth", "net.safetensors", "written.pth"))
        torch.save(net.state_dict(), pth)
        print(f"ResNet-50, {os.path.getsize(pth) / 1e6:.0f} MB, torch {torch.__version__}\n")

        def load(path: str) -> None:
            library.lamina_load(path.encode())

        measure(
            "load .pth",
            {
                "lamina load": lambda: load(pth),
                "torch.load + load_state_dict": lambda: net.load_state_dict(torch.load(pth, weights_only=True)),
                "the same with mmap=True": lambda: net.load_state_dict(torch.load(pth, weights_only=True, mmap=True)),
            },
        )
        library.lamina_save(written.encode())
        check(written, net.state_dict())
        if safetensors:
            safetensors.save_file(net.state_dict(), table)
            measure(
                "load .safetensors",
                {
                    "lamina load": lambda: load(table),
                    "load_file + load_state_dict": lambda: net.load_state_dict(safetensors.load_file(table)),
                },
            )

        def saved_durably() -> None:
            torch.save(net.state_dict(), pth)
            with open(pth, "rb") as file:
                os.fsync(file.fileno())

        measure(
            "save .pth, on the disk (fsync)",
            {
                "lamina save": lambda: library.lamina_save(written.encode()),
                "torch.save + fsync": saved_durably,
            },
            5,
        )


main()
