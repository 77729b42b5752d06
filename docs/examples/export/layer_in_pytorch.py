"""Computes every layer of an exported network in PyTorch, from `bittern export --format json` and `--format golden`:

    python3 layer_in_pytorch.py net.json net_golden
"""
import json
import pathlib
import sys

import numpy as np
import torch


def sums_of(layer, weights, x, bias):
    """Sums of codes, exact: double precision holds more than 32 bits."""
    if layer["op"] == "linear":
        x = x.reshape(x.shape[0], -1, 1, 1)
    top, bottom, left, right = layer["pads"]
    x = torch.nn.functional.pad(x, (left, right, top, bottom))
    return torch.nn.functional.conv2d(x, weights, bias, layer["stride"], 0, layer["dilation"], layer["groups"])


def codes_of(layer, sums):
    """What the next layer gets: a multiplier of 31 bits and a shift, halves rounded up."""
    multiplier = torch.tensor(layer["rescale"]["multiplier"]).view(-1, 1, 1)
    shift = torch.tensor(layer["rescale"]["shift"]).view(-1, 1, 1)
    half = torch.ones_like(shift) << (shift - 1)
    low = max(layer["output"]["low"], 0) if layer["relu"] else layer["output"]["low"]
    return ((sums.to(torch.int64) * multiplier + half) >> shift).clamp(low, layer["output"]["high"])


def main(policy, folder):
    layers = json.loads(pathlib.Path(policy).read_text())["layers"]
    files = json.loads((folder / "manifest.json").read_text())["layers"]
    wrong = 0
    for layer, file in zip(layers, files):
        array = {key: torch.from_numpy(np.load(folder / file[key]).astype(np.float64))
                 for key in ("weights", "bias", "input", "sums", "output") if file[key]}
        sums = sums_of(layer, array["weights"], array["input"], array["bias"])
        wrong += int((sums != array["sums"] + array["bias"].view(-1, 1, 1)).sum())
        if layer["output"]:
            wrong += int((codes_of(layer, sums) != array["output"]).sum())
    print(f"{len(layers)} layers in PyTorch, {wrong} values differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2])))
