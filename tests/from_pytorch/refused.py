"""What from_pytorch.py cannot translate: refused.txt has what it says."""

import torch
from torch import nn
from torch.nn import functional as F


class Decides(nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            return x
        return -x


class Refused(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"),
            nn.PReLU(),
            nn.PReLU(4),
        )
        self.union = nn.Linear(4, 4)
        self.tied = nn.Linear(4, 4)
        self.tied.weight = self.union.weight
        self.act = nn.ReLU(inplace=True)
        self.start = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(4, 4, 1))
        self.decides = Decides()

    def forward(self, x):
        x = self.features(x)
        y = (
            x.permute(0, 2, 3, 1)
            + F.dropout(x)
        )
        z = self.start(x)
        flat = x.view(2, -1)
        self.act(flat)
        cut = z[:, 1:] + torch.ones(1)
        return {"y": self.decides(y), "x": x, "cut": cut}
