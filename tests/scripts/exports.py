"""What the tests of exported files have in common: a network that was trained for a few seconds."""

import os
import pathlib
import subprocess
import sys

BITTERN = pathlib.Path(os.environ["BITTERN_BIN"]) / "bittern"
SIZES = ["--train-images", "800", "--validation-images", "100"]

# Every kind of layer: with a shortcut that is stored, a depthwise one, a pool and a concatenation.
NETWORK = """name: mixed
input: [1, 28, 28]
layers:
  - conv: {name: stem, out: 8, kernel: 3, stride: 2, pad: 1}
  - conv: {name: body, out: 8, kernel: 3, pad: 1, relu: false}
  - add: {name: joined, from: [body, stem]}
  - relu: {name: active, from: joined}
  - depthwise: {name: depth, from: active, kernel: 3, pad: 1}
  - conv: {name: point, out: 12, kernel: 1}
  - concat: {name: both, from: [point, active]}
  - pool: {name: pooled, from: both, kind: average, kernel: 2}
  - conv: {name: grouped, out: 10, kernel: 3, groups: 2, stride: 2}
  - linear: {name: head, out: 10, relu: false}
"""


def bittern(*arguments):
    """Runs a command; ends the test with its message when it fails."""
    done = subprocess.run([str(BITTERN), *map(str, arguments), "-q"], capture_output=True, text=True, check=False)
    if "built without LibTorch" in done.stderr or "this build has no agent" in done.stderr:
        print("skipped: this build has no agent")
        sys.exit(77)
    if done.returncode != 0:
        sys.exit(f"bittern {' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout


def trained(folder):
    """Options for commands that take the network."""
    network = folder / "mixed.yaml"
    network.write_text(NETWORK)
    weights = folder / "mixed.safetensors"
    bittern("train", "--network", network, "--dataset", "synthetic", "--epochs", "12", "--batch", "32", *SIZES, "--out", weights)
    return ["--network", network, "--checkpoint", weights, "--dataset", "synthetic", *SIZES]
