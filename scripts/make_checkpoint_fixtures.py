#!/usr/bin/env python3
"""Makes test/fixtures/checkpoints: small PyTorch checkpoints of every kind the reader has to know, and expected.json
with the values PyTorch itself gives for every tensor. Needs torch 1.13 or later and numpy.

  python3 scripts/make_checkpoint_fixtures.py
"""
import json
import pathlib

import numpy
import torch
from torch import nn

OUT = pathlib.Path(__file__).resolve().parent.parent / "test" / "fixtures" / "checkpoints"


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(self.bn(self.conv(x)).mean((2, 3)))


def trained():
    """A net and its Adam, both with a state that one step has moved."""
    torch.manual_seed(0)
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    net(torch.randn(2, 3, 8, 8)).square().mean().backward()
    optimizer.step()
    return net, optimizer


def layouts():
    """One tensor for every dtype, and for every way a tensor can lie in its storage."""
    base = torch.arange(24, dtype=torch.float32)
    shared = torch.arange(10, dtype=torch.float32) / 8
    return {
        "half": torch.tensor([0.0, -0.0, 1.5, 65504.0, 6e-8, 6.2e-5, float("inf"), float("nan")]).half(),
        "bfloat16": torch.tensor([[1.0, -2.5], [3.1415927, 1e38]]).bfloat16(),
        "double": torch.tensor([1 / 3, -1e-300, 1e300], dtype=torch.float64),
        "int64": torch.tensor([-1, 2**53, -(2**40)]),
        "int32": torch.tensor([[2**31 - 1], [-(2**31)]], dtype=torch.int32),
        "int16": torch.tensor([-32768, 32767], dtype=torch.int16),
        "int8": torch.tensor([-128, 127], dtype=torch.int8),
        "uint8": torch.tensor([0, 255], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(7.25),
        "empty": torch.zeros(0, 3),
        "transposed": base.view(4, 6).t(),
        "permuted": base.view(2, 3, 4).permute(2, 0, 1),
        "every_second": base[1::2],
        "column": base.view(4, 6)[:, 2:4],
        "channels_last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "shared.a": shared[:4],
        "shared.b": shared[4:],
        "shared.all": shared,
        "parameter": nn.Parameter(torch.randn(3)),
        "ones_in_shape": base[:4].view(1, 4, 1),
    }


def values(tensor):
    flat = tensor.detach().double() if tensor.is_floating_point() else tensor.detach().long()
    return {"dtype": str(tensor.dtype), "shape": list(tensor.shape), "values": [repr(v) for v in flat.flatten().tolist()]}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    expected = {}

    def save(name, checkpoint, state_dict, legacy=False):
        torch.save(checkpoint, OUT / name, _use_new_zipfile_serialization=not legacy)
        expected[name] = {k.removeprefix("module."): values(v) for k, v in state_dict.items()}

    net, optimizer = trained()
    state = net.state_dict()
    for name, legacy in (("train_zip.pth.tar", False), ("train_legacy.pth.tar", True)):
        best = torch.tensor(27.5) if legacy else numpy.float64(27.5)
        save(name, {"epoch": 12, "arch": "rascv2", "state_dict": state, "best_acc": best, "optimizer": optimizer.state_dict()}, state, legacy)
    parallel = nn.DataParallel(net).state_dict()
    save("parallel_legacy.pth", {"state_dict": parallel, "best_acc": 1.0}, parallel, True)
    save("bare_zip.pth", parallel, parallel)
    for name, legacy in (("layouts_zip.pth", False), ("layouts_legacy.pth", True)):
        tensors = layouts()
        save(name, {"state_dict": tensors}, tensors, legacy)
    torch.save(net, OUT / "whole_module.pth")
    (OUT / "expected.json").write_text(json.dumps(expected, indent=None, separators=(",", ":")) + "\n")
    print({p.name: p.stat().st_size for p in sorted(OUT.iterdir())})


if __name__ == "__main__":
    main()
