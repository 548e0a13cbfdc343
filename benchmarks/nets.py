"""The nets in PyTorch, and the files from which all engines get the same ones.

nets.py FOLDER NAME...    writes FOLDER/NET.pth and FOLDER/CASE.onnx for nets of these names
"""

import contextlib
import pathlib
import sys

import torch
import torchvision
from torch import nn

from cases import CASES, Case
from unet import UNet


def build(net: str) -> nn.Module:
    match net:
        case "resnet50":
            return torchvision.models.resnet50()
        case "resnet18":
            return torchvision.models.resnet18()
        case "unet":
            return UNet(3, 2)
        case "mlp":
            return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    raise ValueError(net)


def load(case: Case, folder: pathlib.Path) -> nn.Module:
    net = build(case.net)
    net.load_state_dict(torch.load(folder / f"{case.net}.pth"))
    return net.eval()


def make_input(extents: tuple[int, ...], seed: int = 1) -> torch.Tensor:
    return torch.randn(extents, generator=torch.Generator().manual_seed(seed))


def settle_norms(net: nn.Module, x: torch.Tensor) -> None:
    """Batch norms as training leaves them: weights and biases of their own, and the statistics of what goes through."""
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, std=0.2)
            layer.momentum = 1.0  # the statistics of the next batch, and of no other
    net.train()(x)


def write_net(case: Case, path: pathlib.Path, seed: int = 0) -> None:
    torch.manual_seed(seed)
    net = build(case.net)
    settle_norms(net, torch.randn(4, *case.item))
    torch.save(net.state_dict(), path)


def write_onnx(case: Case, path: pathlib.Path) -> None:
    net = load(case, path.parent)
    with contextlib.redirect_stdout(sys.stderr):
        torch.onnx.export(
            net, (make_input(case.extents),), path, dynamo=True, external_data=False, verbose=False
        )


def is_stale(path: pathlib.Path) -> bool:
    """True if the file is not there, or older than the code that writes it."""
    here = pathlib.Path(__file__).resolve().parent
    changed = max((here / name).stat().st_mtime for name in ("nets.py", "unet.py", "cases.py"))
    return not path.exists() or path.stat().st_mtime < changed


def write_weights(cases: list[Case], folder: pathlib.Path) -> None:
    """Writes the weights of nets that are missing."""
    for case in cases:
        path = folder / f"{case.net}.pth"
        if is_stale(path):
            print(f"writing {path.name}", file=sys.stderr)
            write_net(case, path)


def write_missing(case: Case, folder: pathlib.Path) -> None:
    write_weights([case], folder)
    path = folder / f"{case.name}.onnx"
    if is_stale(path):
        print(f"writing {path.name}", file=sys.stderr)
        write_onnx(case, path)


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        for case in CASES:
            if case.net in sys.argv[2:]:
                write_missing(case, folder)


if __name__ == "__main__":
    main()
