#!/usr/bin/env python3
"""Writes test/fixtures/coco/rasters.json: annotations in COCO's three forms, and the rasters that pycocotools makes of them.

Uses the package pycocotools where it is installed; else the C code that it wraps, COCO's own common/maskApi.c, compiled:

  gcc -O2 -std=c99 -shared -fPIC -o libmaskapi.so maskApi.c -lm
  scripts/make_coco_fixtures.py libmaskapi.so
"""
import ctypes
import hashlib
import json
import math
import pathlib
import random
import sys

import numpy


class Rle(ctypes.Structure):
    _fields_ = [("h", ctypes.c_ulong), ("w", ctypes.c_ulong), ("m", ctypes.c_ulong), ("cnts", ctypes.POINTER(ctypes.c_uint))]


class MaskApi:
    """What pycocotools does around the C functions: frPyObjects, merge, decode."""

    def __init__(self, library):
        self.c = ctypes.CDLL(library)
        self.c.rleToString.restype = ctypes.c_void_p

    def decode(self, segmentation, w, h):
        if isinstance(segmentation, dict):
            rle = Rle()
            counts = segmentation["counts"]
            if isinstance(counts, str):
                self.c.rleFrString(ctypes.byref(rle), counts.encode(), ctypes.c_ulong(h), ctypes.c_ulong(w))
            else:
                rle = self.of_counts(counts, w, h)
        else:
            boxes = len(segmentation[0]) == 4
            parts = (Rle * len(segmentation))()
            for rle, part in zip(parts, segmentation):
                numbers = (ctypes.c_double * len(part))(*part)
                if boxes:
                    self.c.rleFrBbox(ctypes.byref(rle), numbers, ctypes.c_ulong(h), ctypes.c_ulong(w), ctypes.c_ulong(1))
                else:
                    self.c.rleFrPoly(ctypes.byref(rle), numbers, ctypes.c_ulong(len(part) // 2), ctypes.c_ulong(h), ctypes.c_ulong(w))
            rle = Rle()
            self.c.rleMerge(parts, ctypes.byref(rle), ctypes.c_ulong(len(parts)), 0)
        pixels = numpy.zeros(h * w, numpy.uint8)
        self.c.rleDecode(ctypes.byref(rle), pixels.ctypes.data_as(ctypes.c_void_p), ctypes.c_ulong(1))
        return pixels.reshape(w, h).T

    def of_counts(self, counts, w, h):
        rle = Rle()
        self.c.rleInit(ctypes.byref(rle), ctypes.c_ulong(h), ctypes.c_ulong(w), ctypes.c_ulong(len(counts)), (ctypes.c_uint * len(counts))(*counts))
        return rle

    def pack(self, counts, w, h):
        return ctypes.string_at(self.c.rleToString(ctypes.byref(self.of_counts(counts, w, h)))).decode()


class Pycocotools:
    def __init__(self):
        import pycocotools.mask

        self.mask = pycocotools.mask

    def decode(self, segmentation, w, h):
        if isinstance(segmentation, list):
            return self.mask.decode(self.mask.merge(self.mask.frPyObjects(segmentation, h, w)))
        if isinstance(segmentation["counts"], list):
            segmentation = self.mask.frPyObjects(segmentation, h, w)
        return self.mask.decode(segmentation)

    def pack(self, counts, w, h):
        packed = self.mask.frPyObjects({"size": [h, w], "counts": counts}, h, w)["counts"]
        return packed.decode() if isinstance(packed, bytes) else packed


def blob(r, w, h, corners, digits=2):
    """A star-shaped polygon that may stick out of the picture."""
    cx, cy, radius = r.uniform(0, w), r.uniform(0, h), r.uniform(2, 0.6 * max(w, h))
    angles = sorted(r.uniform(0, 2 * math.pi) for _ in range(corners))
    if r.random() < 0.5:
        angles.reverse()
    part = []
    for angle in angles:
        length = radius * r.uniform(0.3, 1)
        part += [round(cx + length * math.cos(angle), digits), round(cy + length * math.sin(angle), digits)]
    return part


def tangle(r, w, h, corners, digits=2):
    """Corners anywhere: the outline crosses itself."""
    return [round(r.uniform(0, (w, h)[i % 2]), digits) for i in range(2 * corners)]


def runs(r, w, h):
    counts, left = [], w * h
    while left > 0:
        run = min(left, 0 if r.random() < 0.1 and not counts else 1 + int(r.expovariate(1 / r.choice((3, 40, 900)))))
        counts.append(run)
        left -= run
    return counts


def main():
    api = MaskApi(sys.argv[1]) if len(sys.argv) > 1 else Pycocotools()
    r = random.Random(20)
    size = lambda: (r.randint(5, 130), r.randint(5, 130))
    cases = []
    add = lambda name, segmentation, w, h: cases.append({"name": name, "width": w, "height": h, "segmentation": segmentation})
    for i in range(12):
        w, h = size()
        add(f"polygon {i}", [blob(r, w, h, r.randint(3, 40))], w, h)
    for i in range(8):
        w, h = size()
        add(f"parts {i}", [blob(r, w, h, r.randint(3, 20)) for _ in range(r.randint(2, 5))], w, h)
    for i in range(6):
        w, h = size()
        add(f"tangle {i}", [tangle(r, w, h, r.randint(3, 12), r.choice((0, 1, 2)))], w, h)
    for i in range(4):
        w, h = size()
        add(f"negative {i}", [[round(v - 20.3, 2) for v in blob(r, w, h, 9)]], w, h)
    add("whole picture", [[0, 0, 0, 20, 30, 20, 30, 0]], 30, 20)
    add("to the last pixels' centres", [[0, 0, 0, 19, 29, 19, 29, 0]], 30, 20)
    add("half pixels", [[2.5, 2.5, 2.5, 9.5, 17.5, 9.5, 17.5, 2.5]], 20, 12)
    add("beside the picture", [[40, 3, 50, 3, 50, 9, 40, 9]], 30, 20)
    add("a line", [[3, 3, 20, 15, 3, 3]], 30, 20)
    add("a point thrice", [[5.2, 5.2, 5.2, 5.2, 5.2, 5.2]], 12, 12)
    add("corners twice", [[4, 4, 4, 4, 20, 4, 20, 4, 20, 15, 4, 15]], 30, 20)
    add("an odd number of numbers", [[4, 4, 20, 5, 18, 15, 3]], 30, 20)
    add("boxes", [[3.2, 4.1, 10.5, 6.6], [12, 1, 9.9, 3]], 30, 20)
    add("a box after a polygon", [[2, 2, 2, 9, 9, 9], [15, 3, 9, 9]], 30, 20)
    add("one column", [[0, 0, 0, 9, 1, 9, 1, 0]], 1, 9)
    for i in range(10):
        w, h = size()
        add(f"runs {i}", {"size": [h, w], "counts": runs(r, w, h)}, w, h)
    for i in range(12):
        w, h = (r.randint(100, 640), r.randint(100, 480)) if i < 4 else size()
        add(f"packed runs {i}", {"size": [h, w], "counts": api.pack(runs(r, w, h), w, h)}, w, h)
    for case in cases:
        pixels = numpy.ascontiguousarray(api.decode(case["segmentation"], case["width"], case["height"]))
        case["area"] = int(pixels.sum())
        case["sha256"] = hashlib.sha256(pixels.tobytes()).hexdigest()
    path = pathlib.Path(__file__).resolve().parent.parent / "test" / "fixtures" / "coco" / "rasters.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path.write_text(f"[\n{lines}\n]\n")
    print(f"{path}: {len(cases)} annotations")


if __name__ == "__main__":
    main()
