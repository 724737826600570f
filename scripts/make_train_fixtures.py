#!/usr/bin/env python3
"""Writes test/fixtures/training/*.safetensors: PyTorch's loss, gradients, running statistics and ten Adam losses, in float64.

Weights, input and target come from their names (see make_model_fixtures.py). Long gradients are sampled: element
i * stride of each, at most 512, which test/training_pytorch.test.ts compares.

  scripts/make_train_fixtures.py
"""
import pathlib

import numpy
import torch
from make_model_fixtures import hashed, picture, reference, root, uniform

SAMPLES = 512


def sampled(t):
    flat = t.detach().flatten()
    return flat[:: max(1, -(-flat.numel() // SAMPLES))].float().clone()


def main():
    folder = root.parent / "test" / "fixtures" / "training"
    folder.mkdir(parents=True, exist_ok=True)
    size, batch = 32, 2
    for arch, width in (("unet", 8), ("s2asc", 16), ("s2ad", 8)):
        net = reference.UNet(arch, width, 5)
        skip = ("num_batches_tracked", "gaussianMask.weight")
        net.load_state_dict({k: v if k.endswith(skip) else hashed(k, v.shape) for k, v in net.state_dict().items()})
        net = net.double().train()
        x = picture(batch, size, size).double().requires_grad_()
        target = torch.from_numpy(uniform("target", batch * 3 * size * size).astype(numpy.float32)).reshape(batch, 3, size, size).double()
        out = {}
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        losses = []
        for step in range(10):
            optimizer.zero_grad()
            y = net(x)
            loss = torch.nn.functional.mse_loss(y, target)
            loss.backward()
            losses.append(loss.item())
            if step == 0:
                out["train"] = y.detach().float().clone()
                out["grad_input"] = x.grad.float().clone()
                out.update({f"grad/{k}": sampled(p.grad) for k, p in net.named_parameters()})
                out.update({f"running/{k}": v.float().clone() for k, v in net.state_dict().items() if "running_" in k})
            optimizer.step()
        out["losses"] = torch.tensor(losses, dtype=torch.float32)
        reference.save_safetensors(folder / f"{arch}{width}.safetensors", out)
        print(arch, width, len(out), losses[0], losses[-1])


if __name__ == "__main__":
    main()
