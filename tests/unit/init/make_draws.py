"""Makes draws.pth: numbers that PyTorch draws.   make_draws.py (torch 2.15, AVX-512)"""

import pathlib

import torch
from torch import nn

numbers = {}


def draw(name, tensor, function, seed=0):
    torch.manual_seed(seed)
    function(tensor)
    numbers[name] = tensor.detach().clone()


init = nn.init
draw("uniform", torch.empty(100), lambda t: init.uniform_(t, -0.3, 0.7), seed=2**35 + 7)
draw("uniform_f64", torch.empty(50, dtype=torch.float64), lambda t: init.uniform_(t, -0.3, 0.7))
for size in (7, 15, 16, 17, 40):
    draw(f"normal_{size}", torch.empty(size), lambda t: init.normal_(t, 0.5, 2.0), seed=size)
draw("normal_f64_40", torch.empty(40, dtype=torch.float64), lambda t: init.normal_(t, 0.5, 2.0))
torch.manual_seed(3)  # an odd number of normal draws leaves one for later
numbers["mixed"] = torch.cat([torch.empty(3).normal_(), torch.empty(2).uniform_(), torch.empty(4).normal_()])
weight = (6, 4, 3, 2)
draw("kaiming_uniform", torch.empty(weight), lambda t: init.kaiming_uniform_(t, a=0.2))
draw("kaiming_uniform_out", torch.empty(weight), lambda t: init.kaiming_uniform_(t, mode="fan_out", nonlinearity="relu"))
draw("kaiming_normal", torch.empty(weight), lambda t: init.kaiming_normal_(t, mode="fan_out", nonlinearity="relu"))
draw("xavier_uniform", torch.empty(weight), lambda t: init.xavier_uniform_(t, gain=5 / 3))
draw("xavier_normal", torch.empty(weight), lambda t: init.xavier_normal_(t))

torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(3, 4, (3, 2), groups=1, bias=False),
    nn.BatchNorm2d(4),
    nn.Conv2d(4, 6, 3, groups=2),
    nn.GroupNorm(2, 6),
    nn.ReLU(),
    nn.ConvTranspose2d(6, 4, 2, stride=2),
    nn.Flatten(),
    nn.Linear(16, 5),
    nn.LayerNorm(5),
    nn.Linear(5, 2, bias=False),
)
numbers.update({"net." + key: value for key, value in net.state_dict().items()})

torch.save(numbers, pathlib.Path(__file__).parent / "draws.pth")
