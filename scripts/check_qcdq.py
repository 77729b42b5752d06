#!/usr/bin/env python3
"""Runs an exported QCDQ file in onnxruntime-web, which is none of ours, and compares it with the golden vectors of the same
network: every layer on equal inputs, and the answers of the whole network.

    scripts/check_qcdq.py NETWORK.qcdq.onnx FOLDER_OF_GOLDEN [--modules FOLDER]

The two come from `bittern export --format qcdq` and `--format golden` with the same options. A code that differs is an error
unless it is one off and its value lies so near to the middle between two codes that single precision or the rounding of ties
decides (they are counted). Exit status 1 when something differs, 77 when Python's onnx or onnxruntime-web is missing
(scripts/setup.sh --checks installs them).
"""

import argparse
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODULES = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "bittern" / "npm" / "node_modules"
# Distance from the middle between two codes within which single precision may round either way.
NEAR_TIE = 1e-3
SKIPPED = 77

try:
    import numpy as np
    import onnx
    import onnx.numpy_helper
    import onnx.utils
except ImportError as missing:
    print(f"skipped: Python's {missing.name} is missing (Debian: python3-onnx)")
    sys.exit(SKIPPED)


def skip(text):
    print("skipped:", text)
    sys.exit(SKIPPED)


class Model:
    """The file, with the places where a layer begins and ends."""

    def __init__(self, path):
        self.path = path
        self.model = onnx.load(str(path))
        onnx.checker.check_model(self.model, full_check=True)
        self.nodes = list(self.model.graph.node)
        self.constants = {c.name: onnx.numpy_helper.to_array(c) for c in self.model.graph.initializer}
        self.users = {}
        for node in self.nodes:
            for name in node.input:
                self.users.setdefault(name, []).append(node)

    def layers(self):
        return [node for node in self.nodes if node.op_type in ("Conv", "Gemm")]

    def codes_behind(self, node):
        """Name and scale of the codes of a layer's output; nothing where it gives the answer."""
        while True:
            users = self.users.get(node.output[0], [])
            if len(users) != 1 or users[0].op_type not in ("Relu", "QuantizeLinear", "Clip"):
                if node.op_type in ("QuantizeLinear", "Clip"):
                    return node.output[0], self.scale
                return None
            node = users[0]
            if node.op_type == "QuantizeLinear":
                self.scale = float(self.constants[node.input[1]])

    def scale_of(self, name):
        """Of the codes that a map is made of."""
        producers = {node.output[0]: node for node in self.nodes}
        node = producers[name]
        while node.op_type != "DequantizeLinear":
            node = producers[node.input[0]]
        return float(self.constants[node.input[1]])


def run(modules, folder, jobs):
    """Types and extents of the outputs of every job."""
    (folder / "jobs.json").write_text(json.dumps(jobs))
    done = subprocess.run(["node", str(ROOT / "tests" / "scripts" / "onnx_runtime.js"), str(modules), str(folder / "jobs.json")],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{jobs[0]['model']}: onnxruntime-web: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def compare_layer(place, entry, got, scale, sum_scale, golden):
    """Values that differ, and those of them that are ties; `got` are the codes of the other runtime."""
    wanted = np.load(golden / entry["output"]).astype(np.int64)
    sums = np.load(golden / entry["sums"]).astype(np.float64)
    bias = np.load(golden / entry["bias"]).astype(np.float64)
    shape = [1, -1, 1, 1]
    exact = (sums + bias.reshape(shape)) * np.asarray(sum_scale, dtype=np.float64).reshape(shape) / scale
    differ = got.reshape(wanted.shape).astype(np.int64) != wanted
    distance = np.abs(exact - np.floor(exact) - 0.5)
    tie = differ & (np.abs(got.reshape(wanted.shape) - wanted) == 1) & (distance <= NEAR_TIE)
    wrong = differ & ~tie
    if wrong.any():
        first = np.unravel_index(np.argmax(wrong), wrong.shape)
        print(f"layer {place} {entry['name']}: {int(wrong.sum())} of {wrong.size} codes differ; first at {list(map(int, first))}: "
              f"expected {wanted[first]}, got {got.reshape(wanted.shape)[first]} (value {exact[first]:.6f})")
    return wanted.size, int(wrong.sum()), int(tie.sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("golden", type=pathlib.Path)
    parser.add_argument("--modules", type=pathlib.Path, default=MODULES)
    options = parser.parse_args()
    if shutil.which("node") is None or not (options.modules / "onnxruntime-web").is_dir():
        skip("onnxruntime-web is missing; scripts/setup.sh --checks installs it where there is npm")

    model = Model(options.model)
    manifest = json.loads((options.golden / "manifest.json").read_text())
    noted = {p.key: p.value for p in model.model.metadata_props}
    if noted.get("bittern.integers") != manifest["integers"]:
        sys.exit(f"{options.model} and {options.golden} are of different networks: export both with the same options")
    layers = model.layers()
    assert len(layers) == len(manifest["layers"]), "the file has another number of layers"

    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        jobs, compared = [], []
        for place, (node, entry) in enumerate(zip(layers, manifest["layers"])):
            behind = model.codes_behind(node)
            if behind is None:
                continue
            part, values = folder / f"layer{place}.onnx", folder / f"layer{place}.in"
            onnx.utils.extract_model(str(model.path), str(part), [node.input[0]], [behind[0]])
            codes = np.load(options.golden / entry["input"]).astype(np.float32)
            if node.op_type == "Gemm":
                codes = codes.reshape(codes.shape[0], -1)
            (codes * np.float32(model.scale_of(node.input[0]))).astype("<f4").tofile(values)
            out = str(folder / f"layer{place}.out")
            jobs.append({"model": str(part), "inputs": {node.input[0]: {"file": str(values), "dims": list(codes.shape)}},
                         "outputs": {behind[0]: out}})
            weight = model.constants[[n for n in model.nodes if n.output[0] == node.input[1]][0].input[1]]
            compared.append((place, entry, behind, out, np.asarray(weight, dtype=np.float64) * model.scale_of(node.input[0])))
        pixels = np.load(options.golden / manifest["pixels"]).astype(np.float32) / np.float32(255)
        pixels.astype("<f4").tofile(folder / "pixels")
        jobs.append({"model": str(model.path), "inputs": {"pixels": {"file": str(folder / "pixels"), "dims": list(pixels.shape)}},
                     "outputs": {"logits": str(folder / "logits")}})
        made = run(options.modules, folder, jobs)

        total = wrong = ties = 0
        for (place, entry, (name, scale), out, unit), types in zip(compared, made):
            kind = {"int8": np.int8, "uint8": np.uint8}[types[name]["type"]]
            counts = compare_layer(place, entry, np.fromfile(out, dtype=kind).astype(np.int64), scale, unit, options.golden)
            total, wrong, ties = total + counts[0], wrong + counts[1], ties + counts[2]
        logits = np.load(options.golden / manifest["logits"])
        answers = np.fromfile(folder / "logits", dtype="<f4").reshape(len(logits), -1)[:, -logits.shape[1]:]
    same = int((answers.argmax(1) == logits.argmax(1)).sum())
    print(f"{model.path.name} in onnxruntime-web: {len(compared)} layers on equal inputs, {total} codes: {wrong} wrong, {ties} ties; "
          f"the whole network gives the same class on {same} of {len(logits)} images ({len(set(logits.argmax(1)))} classes), logits differ by at most "
          f"{float(np.abs(answers - logits).max()):.3g} of {float(np.abs(logits).max()):.3g}")
    return 1 if wrong or math.floor(0.99 * len(logits)) > same else 0


if __name__ == "__main__":
    sys.exit(main())
