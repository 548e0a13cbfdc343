"""Writes extra_input.safetensors, extra_output.safetensors and new_head.safetensors: what PyTorch computes, in float64,
for the models around a ResNet of examples/around_a_net.hpp. Needs torch and torchvision.

Weights are those of hashed_weights.hpp; those of the layers around the net are a hundredth of it, so that Softmax does
not end in ones and zeros. Inputs are uniform numbers from the same hash of the words "picture" and "number".
"""

import json
import math
import pathlib
import struct

import numpy
import torch
import torchvision

HERE = pathlib.Path(__file__).parent


def uniform(key, n):
    """u(key, i) for i < n."""
    hash_value = 0xCBF29CE484222325
    for byte in key.encode():
        hash_value = ((hash_value ^ byte) * 0x100000001B3) & (2**64 - 1)
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(hash_value) + numpy.arange(n, dtype=numpy.uint64) + numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    return (z >> numpy.uint64(40)).astype(numpy.float32) * numpy.float32(2.0**-24)


def fill(model, small):
    """Fills the state_dict; weights and biases of the modules named in `small` are a hundredth."""
    norms = {name for name, module in model.named_modules() if isinstance(module, torch.nn.BatchNorm2d)}
    for key, tensor in model.state_dict().items():
        owner, name = key.rsplit(".", 1)
        if name == "num_batches_tracked":
            tensor.fill_(1)
            continue
        u = uniform(key, tensor.numel())
        if owner in norms and name in ("weight", "running_var"):
            values = u + numpy.float32(0.5)
        else:
            fan_in = tensor.numel() // tensor.shape[0]
            scale = math.sqrt(6 / fan_in) if owner not in norms and name == "weight" else 0.1
            values = (2 * u - 1) * numpy.float32(scale)
        if owner in small:
            values = values * numpy.float32(0.01)
        tensor.copy_(torch.from_numpy(values.reshape(tuple(tensor.shape))))
    return model.eval()


class ExtraInput(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torchvision.models.resnet18()
        self.relu = torch.nn.ReLU()
        self.dropout = torch.nn.Dropout()
        self.fc_add = torch.nn.Linear(1001, 10)
        self.output = torch.nn.Softmax(dim=1)

    def forward(self, x, number):
        features = self.dropout(self.relu(self.net(x)))
        return self.output(self.fc_add(torch.cat([features, number.unsqueeze(1)], dim=1)))


class ExtraOutput(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torchvision.models.resnet18()
        self.relu = torch.nn.ReLU()
        self.dropout = torch.nn.Dropout()
        self.fc1 = torch.nn.Linear(1000, 10)
        self.output = torch.nn.Softmax(dim=1)

    def forward(self, x):
        features = self.net(x)
        return self.output(self.fc1(self.dropout(self.relu(features)))), features


def new_head():
    model = torchvision.models.resnet50()
    head = torch.nn.Sequential()
    head.add_module("fc1", torch.nn.Linear(2048, 128))
    head.add_module("relu1", torch.nn.ReLU())
    head.add_module("dropout1", torch.nn.Dropout(0.5))
    head.add_module("fc2", torch.nn.Linear(128, 10))
    head.add_module("output", torch.nn.Softmax(dim=1))
    model.fc = head
    return model


def save(name, tensors):
    """Writes a .safetensors file of float32 tensors."""
    header, data = {}, b""
    for key, tensor in tensors.items():
        values = tensor.detach().float().contiguous().numpy().tobytes()
        header[key] = {
            "dtype": "F32",
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(values)],
        }
        data += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (HERE / f"{name}.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    torch.set_num_threads(1)
    picture = torch.from_numpy(2 * uniform("picture", 2 * 3 * 48 * 40).reshape(2, 3, 48, 40) - 1)
    number = torch.from_numpy(10 * uniform("number", 2))
    with torch.inference_mode():
        model = fill(ExtraInput(), {"fc_add"}).double()
        y = model(picture.double(), number.double())
        save("extra_input", {"input": picture, "number": number, "output": y})
        model = fill(ExtraOutput(), {"fc1"}).double()
        y, features = model(picture.double())
        save("extra_output", {"output": y, "features": features})
        model = fill(new_head(), {"fc.fc1", "fc.fc2"}).double()
        save("new_head", {"output": model(picture.double())})
    print(y, features.abs().max())


main()
