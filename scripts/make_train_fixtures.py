#!/usr/bin/env python3
"""Writes test/fixtures/training/*.safetensors: PyTorch's loss, gradients, running statistics and ten Adam losses, in float64.

Weights, input and target come from their names (see make_model_fixtures.py). Long gradients are sampled: element
i * stride of each, at most 512, which test/training_pytorch.test.ts compares.

  scripts/make_train_fixtures.py [ablations]     all, or those of the ablated networks alone
"""
import pathlib
import sys

import numpy
import torch
from make_model_fixtures import ABLATIONS, hashed, picture, reference, root, uniform

SAMPLES = 512
OUTERMOST = "model.model.down.0.weight"


def sampled(t, samples=SAMPLES):
    flat = t.detach().flatten()
    return flat[:: max(1, -(-flat.numel() // samples))].float().clone()


def train(arch, width, name, dtype, without=()):
    """Ten Adam steps on one batch named `name`: what the fixture holds, with whole gradients."""
    size, batch = 32, 2
    net = reference.UNet(arch, width, 5, without)
    skip = ("num_batches_tracked", "gaussianMask.weight")
    net.load_state_dict({k: v if k.endswith(skip) else hashed(k, v.shape) for k, v in net.state_dict().items()})
    net = net.to(dtype).train()
    x = picture(batch, size, size, f"input{name}").to(dtype).requires_grad_()
    values = uniform(f"target{name}", batch * 3 * size * size).astype(numpy.float32)
    target = torch.from_numpy(values).reshape(batch, 3, size, size).to(dtype)
    out, losses = {}, []
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for step in range(10):
        optimizer.zero_grad()
        y = net(x)
        loss = torch.nn.functional.mse_loss(y, target)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            out["train"] = y.detach().clone()
            out["grad_input"] = x.grad.clone()
            out.update({f"grad/{k}": p.grad.clone() for k, p in net.named_parameters()})
            out.update({f"running/{k}": v.clone() for k, v in net.state_dict().items() if "running_" in k})
        optimizer.step()
    out["losses"] = torch.tensor(losses, dtype=torch.float64)
    return out


def disagreement(a, b):
    """Largest relative difference of any gradient or loss."""
    apart = lambda x, y: ((x.double() - y.double()).norm() / y.double().norm().clamp(min=1e-20)).item()
    return max([apart(a[k], b[k]) for k in b if k.startswith("grad")] + ((a["losses"] - b["losses"]) / b["losses"]).abs().tolist())


def well_conditioned(arch, width, without=()):
    """A batch's number, what it gives, and how far float32 is apart.

    Adam divides a gradient by its own size, so one that is all rounding noise moves a weight as far as any other. A batch
    is taken on which PyTorch's own float32 agrees with its float64: then the comparison measures the engine."""
    for k in range(100):
        out = train(arch, width, f" {k}", torch.float64, without)
        noise = disagreement(train(arch, width, f" {k}", torch.float32, without), out)
        if noise < 1e-5:
            return k, out, noise
    raise SystemExit(f"{arch} without {without}: no well-conditioned batch found")


def main():
    folder = root.parent / "test" / "fixtures" / "training"
    folder.mkdir(parents=True, exist_ok=True)
    ablated = {}
    for name, (arch, width, without) in ABLATIONS.items():
        k, out, noise = well_conditioned(arch, width, without)
        # Of everything that lies before S2AM the whole nets' fixtures tell.
        kept = {key: sampled(v, 64) for key, v in out.items() if "attention" in key or key == f"grad/{OUTERMOST}"}
        kept.update({"losses": out["losses"].float(), "batch": torch.tensor([float(k)])})
        ablated.update({f"{name}/{key}": v for key, v in kept.items()})
        print(name, f"batch {k}, float32 apart by {noise:.1e}, losses", out["losses"][0].item(), out["losses"][-1].item())
    reference.save_safetensors(folder / "ablations.safetensors", ablated)
    for arch, width in () if sys.argv[1:] == ["ablations"] else (("unet", 8), ("s2asc", 16), ("s2ad", 8)):
        k, out, noise = well_conditioned(arch, width)
        kept = {key: sampled(v) if key.startswith("grad/") else v.float() for key, v in out.items()}
        kept["batch"] = torch.tensor([float(k)])
        reference.save_safetensors(folder / f"{arch}{width}.safetensors", kept)
        print(arch, width, f"batch {k}, float32 apart by {noise:.1e}, losses", out["losses"][0].item(), out["losses"][-1].item())


if __name__ == "__main__":
    main()
