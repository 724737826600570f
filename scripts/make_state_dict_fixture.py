#!/usr/bin/env python3
"""Writes test/fixtures/models/state_dict.json: what PyTorch's state dict of a small S2AD holds, in its order: key, type and
shape of every tensor, and the values of the masks' blur. Needs torch and numpy (Debian: python3-torch, python3-numpy).

  scripts/make_state_dict_fixture.py
"""
import importlib.util
import json
import pathlib

root = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("s2am_reference", root / "reference" / "s2am_reference.py")
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)

CONFIG = {"arch": "s2ad", "width": 8, "levels": 5}
TYPES = {"torch.float32": "F32", "torch.int64": "I64"}

net = reference.UNet(CONFIG["arch"], CONFIG["width"], CONFIG["levels"])
tensors = {}
for key, value in net.state_dict().items():
    entry = {"dtype": TYPES[str(value.dtype)], "shape": list(value.shape)}
    if key.endswith("gaussianMask.weight"):
        entry["values"] = [float(v) for v in value.flatten()]
    tensors[key] = entry
out = root.parent / "test" / "fixtures" / "models" / "state_dict.json"
lines = [f"    {json.dumps(key)}: {json.dumps(entry)}" for key, entry in tensors.items()]
out.write_text("{\n  \"config\": " + json.dumps(CONFIG) + ",\n  \"tensors\": {\n" + ",\n".join(lines) + "\n  }\n}\n")
