"""What is compared: nets, their inputs and batches."""

from typing import NamedTuple


class Case(NamedTuple):
    net: str
    batch: int
    item: tuple[int, ...]  # extents of one item of the batch

    @property
    def name(self) -> str:
        """The name of its library and of its ONNX file."""
        return f"{self.net}_{self.batch}"

    @property
    def extents(self) -> tuple[int, ...]:
        return (self.batch, *self.item)


CASES = [
    Case("resnet50", 1, (3, 224, 224)),
    Case("resnet50", 16, (3, 224, 224)),
    Case("resnet18", 1, (3, 224, 224)),
    Case("unet", 1, (3, 256, 256)),
    Case("mlp", 64, (784,)),
    Case("mlp", 1, (784,)),
]
NETS = list(dict.fromkeys(case.net for case in CASES))
