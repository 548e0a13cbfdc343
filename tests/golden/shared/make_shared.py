"""Writes the state_dict of a Sequential that has one module under two names, and the same file with another value under
the second name; prints what PyTorch lists, prints and loads. Needs torch."""

import collections
import pathlib

import torch

HERE = pathlib.Path(__file__).parent


def net():
    first = torch.nn.Linear(4, 4)
    return torch.nn.Sequential(collections.OrderedDict([("first", first), ("1", torch.nn.ReLU()), ("second", first)]))


def main():
    torch.manual_seed(0)
    model = net()
    torch.save(model.state_dict(), HERE / "state_dict.pt")
    changed = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    changed["second.weight"][0, 0] = 7
    torch.save(changed, HERE / "changed.pt")
    print(model)
    for item in model.named_modules():
        print(item)
    print([name for name, _ in model.named_parameters()], list(model.state_dict()), sep="\n")
    other = net()
    other.load_state_dict(torch.load(HERE / "changed.pt"))
    print(other.first.weight[0, 0].item())


main()
