"""Small networks for from_pytorch.py that together use all it translates."""

import torch
from torch import nn
from torch.nn import functional as F


def small_vgg():
    """torchvision's VGG with few channels."""
    from torchvision.models import vgg

    net = vgg.VGG(vgg.make_layers([4, "M", 8, 8, "M"], batch_norm=True), num_classes=10, init_weights=False)
    net.avgpool = nn.AdaptiveAvgPool2d((3, 2))
    net.classifier = nn.Sequential(nn.Linear(48, 16), nn.ReLU(True), nn.Dropout(), nn.Linear(16, 10))
    return net


class Linear(nn.Module):
    """A name that the library has too, and parameters of its own."""

    def __init__(self, features):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))
        self.register_buffer("shift", torch.zeros(features))
        self.register_buffer("scratch", torch.zeros(2), persistent=False)

    def forward(self, x, scale=None, *, twice=False):
        x = x * self.weight - self.shift
        return x + x if twice else x


class Residual(nn.Module):
    """Names of members that hide functions and options; operations in place; a shortcut that may be empty."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="zeros")
        self.relu = nn.LeakyReLU(0.2, inplace=True)
        self.cat = nn.Sequential() if inputs == outputs else nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x):
        out = self.conv(x)
        seen = out
        out += self.cat(x)
        self.relu(out)
        return F.relu(seen - 0.25) - F.gelu(out)


class Branches(nn.Module):
    """Several results; layers by position, by name and in a loop."""

    def __init__(self, channels):
        super().__init__()
        self.steps = nn.ModuleList([nn.Conv2d(channels, channels, 1) for _ in range(3)])
        wide = nn.Conv2d(channels, 4, (1, 3), padding=(0, 1))
        self.by_name = nn.ModuleDict({"wide": wide, "pool": nn.AvgPool2d(3, 1, 1)})
        self.norm = nn.GroupNorm(2, channels)

    def forward(self, x, flag=True):
        for step in self.steps:
            x = torch.tanh(step(x))
        if flag:
            x = self.norm(x)
        return self.by_name["wide"](x), self.by_name["pool"](x)


class Corners(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential()
        self.stem.add_module("residual", Residual(3, 4))
        self.stem.add_module("again", Residual(4, 4))
        self.branches = Branches(4)
        self.scaled = Linear(5)
        self.head = nn.ModuleList([nn.Linear(12, 5, bias=False), nn.LayerNorm(5)])

    def forward(self, x, unused=None):
        x = self.stem(x)
        wide, pool = self.branches(x, flag=True)
        small = F.max_pool2d(wide, 2)
        large = F.interpolate(small, scale_factor=2, mode="nearest")
        rows, columns = wide.size(2) - large.size(2), wide.size(-1) - large.size(-1)
        large = F.pad(large, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
        both = torch.cat((large, F.pad(pool, [1, -1, 0, 0]), x), dim=1)
        both = F.adaptive_avg_pool2d(-both / 2, (1, 1))
        y = self.head[0](both.view(both.size(0), -1))
        y = self.head[-1](F.dropout(y, 0.5, self.training))
        y = 1 - self.scaled(y, twice=True) * 3
        return y.softmax(dim=-1)
