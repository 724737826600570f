#!/usr/bin/env python3
"""Writes test/fixtures/models/*.safetensors: what PyTorch answers for networks whose weights are made from their keys.

Weights and inputs come from a counter-based generator that test/helpers/hashed.ts repeats to the bit, so that only
PyTorch's answers are stored. Needs torch and numpy (Debian: python3-torch, python3-numpy).

  scripts/make_model_fixtures.py [ablations]     all, or those of the ablated networks alone
"""
import importlib.util
import pathlib
import sys

import numpy
import torch

root = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("s2am_reference", root / "reference" / "s2am_reference.py")
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)


def uniform(name, count):
    """mulberry32, seeded by the FNV-1a hash of a name: float64 in [0, 1)."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    state = (seed + numpy.arange(1, count + 1, dtype=numpy.uint64) * 0x6D2B79F5) & 0xFFFFFFFF
    imul = lambda a, b: (a * b) & 0xFFFFFFFF
    t = imul(state ^ (state >> numpy.uint64(15)), state | numpy.uint64(1))
    t ^= (t + imul(t ^ (t >> numpy.uint64(7)), t | numpy.uint64(61))) & 0xFFFFFFFF
    return (t ^ (t >> numpy.uint64(14))).astype(numpy.float64) / 2**32


def hashed(key, shape):
    u = uniform(key, int(numpy.prod(shape)))
    if key.endswith("running_var"):
        v = 0.5 + u
    elif key.endswith("running_mean") or key.endswith("bias"):
        v = 0.1 * (2 * u - 1)
    elif len(shape) == 1:
        v = 0.75 + 0.5 * u
    else:
        v = (2 * u - 1) * numpy.sqrt(6 / numpy.prod(shape[1:]))
    return torch.from_numpy(v.astype(numpy.float32).reshape(shape))


def picture(batch, height, width, name="input"):
    rgb = torch.from_numpy(uniform(name, batch * 3 * height * width).astype(numpy.float32).reshape(batch, 3, height, width))
    yy, xx = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    mask = (((yy - height * 0.45) ** 2 + (xx - width * 0.55) ** 2) < (height * 0.3) ** 2).float()
    return torch.cat([rgb, mask.expand(batch, 1, height, width)], 1)


# By name: the arch, its width, and the parts that its S2AM lacks.
ABLATIONS = {
    "gates": ("s2ad", 8, ("gates",)),
    "mixed": ("s2ad", 8, ("mixed",)),
    "blur": ("s2ad", 8, ("blur",)),
    "learned": ("s2ad", 8, ("learned",)),
    "gates,mixed": ("s2ad", 8, ("gates", "mixed")),
    "gates,learned": ("s2ad", 8, ("gates", "learned")),
    "mixed,blur,learned": ("s2asc", 16, ("mixed", "blur", "learned")),
}


def network(arch, width, levels, without=()):
    net = reference.UNet(arch, width, levels, without).eval()
    skip = ("num_batches_tracked", "gaussianMask.weight")
    net.load_state_dict({k: v if k.endswith(skip) else hashed(k, v.shape) for k, v in net.state_dict().items()})
    return net


def main():
    folder = root.parent / "test" / "fixtures" / "models"
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    for arch, width in () if sys.argv[1:] == ["ablations"] else (("unet", 8), ("s2asc", 16), ("s2ad", 8)):
        with torch.no_grad():
            small, out = network(arch, width, 5), {}
            levels = [m for m in small.modules() if isinstance(m, reference.Level)]
            for k, level in enumerate(levels):
                level.register_forward_hook(lambda _m, _i, o, k=k: out.__setitem__(f"level/{k}", o.clone()))
            out["y"] = small(picture(2, 32, 64))
            reference.save_safetensors(folder / f"{arch}{width}_levels5.safetensors", out)
            full = network(arch, width, 8)(picture(1, 256, 256))
            # Every fourth pixel: each depends on the whole network.
            reference.save_safetensors(folder / f"{arch}{width}_levels8.safetensors", {"y": full[:, :, 1::4, 2::4].contiguous()})
            print(arch, width, float(full.abs().max()))
    ablated = {}
    for name, (arch, width, without) in ABLATIONS.items():
        net = network(arch, width, 5, without)
        with torch.no_grad():
            ablated[f"{name}/y"] = net(picture(1, 32, 32))
        # What a strict load asks for, a name a tensor's key.
        ablated.update({f"{name}/state/{key}": torch.tensor(value.shape, dtype=torch.int64) for key, value in net.state_dict().items()
                        if "attention" in key})
    reference.save_safetensors(folder / "ablations.safetensors", ablated)


if __name__ == "__main__":
    main()
