#!/usr/bin/env python3
"""Makes the table of accuracies in docs/inference.md: in floating point, simulated, in integers and through the RTL.

    scripts/inference_table.py --models DIRECTORY --data DIRECTORY [--bittern FILE] [--variant NAME] [--rtl-images N]
                               [--networks NAME,...] [--rows KIND,...] [--options WORDS]

DIRECTORY of models: the checkpoints named below; of data: mnist, cifar10 and ilsvrc as docs/data.md has them. Each row is one
`bittern evaluate --evaluator integer --test`, and one `bittern infer` of the first N test images (0: none). Mixed policies are
configs/policies/<network>_mixed.json. A network whose checkpoint is not there is left out, which is said.
"""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Network -> checkpoint, data set, how its images are shared out (data sets of test images alone: some calibrate), and the ways
# in which it is quantised, options of `bittern evaluate` and `bittern infer`.
ILSVRC = ["--train-images", "64", "--validation-images", "36", "--calibration-images", "64"]
PLAIN = ""
CHANNELS = "--per-channel --re-estimate"
MOBILE = "--per-channel --equalise --re-estimate"
NETWORKS = {
    "lenet5": ("lenet5_mnist_28.safetensors", "mnist", [], [PLAIN]),
    "resnet20": ("resnet20_cifar10_convshortcut.safetensors", "cifar10", [], [PLAIN, CHANNELS]),
    "resnet20a": ("resnet20_cifar10_optionA.safetensors", "cifar10", [], [PLAIN, CHANNELS]),
    "mobilenet_v1_025": ("mobilenet_v1_0.25_224_float.safetensors", "ilsvrc", ILSVRC, [MOBILE]),
    "mobilenet_v1_05_160": ("mobilenet_v1_0.5_160_folded.safetensors", "ilsvrc", ILSVRC, [MOBILE]),
    "mobilenet_v2_tf": ("mobilenet_v2_1.0_224_folded.safetensors", "ilsvrc", ILSVRC, [MOBILE]),
}
# Word of the row -> options of bits.
ROWS = {"8/8": ["--wbits", "8", "--abits", "8"], "mixed": None}


def bits_of(network, row):
    return ROWS[row] or ["--policy", str(ROOT / f"configs/policies/{network}_mixed.json")]


def run(command):
    print("+ " + " ".join(command), file=sys.stderr)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"inference_table: {' '.join(command[:3])} ended with status {done.returncode}")
    return json.loads(done.stdout)


def with_error(percent, error):
    return f"{percent:.2f} ± {error:.2f}"


def rtl_cell(answer):
    if answer is None:
        return "-"
    if answer["difference"] is not None:
        raise SystemExit(f"inference_table: {answer['network']}: the RTL differs: {answer['difference']}")
    correct = round(answer["accuracy"] * answer["images"] / 100)
    return f"{correct} of {answer['images']}, 0 differences, {answer['cycles']} cycles"


def line_of(arguments, network, row, options, source):
    common = [*source, *options.split(), *bits_of(network, row)]
    rows = {line["network"]: line
            for line in run([arguments.bittern, "evaluate", *common, "--evaluator", "integer", "--test",
                             "--format", "json"])["rows"] if line["part"] == "test"}
    infer = None
    if arguments.rtl_images > 0:
        infer = run([arguments.bittern, "infer", *common, "--variant", arguments.variant,
                     "--images", str(arguments.rtl_images), "--format", "json"])
    cells = [with_error(rows[kind]["top1"], rows[kind]["top1_error"]) for kind in ("full precision", "fake-quant", "integer")]
    return (f"| `{network}` | {row} | {options} | {rows['integer']['images']} | " + " | ".join(cells) +
            f" | {rows['integer']['agreement']:.2f} % | {rtl_cell(infer)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", required=True, type=pathlib.Path)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--bittern", default=str(ROOT / "build/release/bin/bittern"))
    parser.add_argument("--variant", default="bismo_edge")
    parser.add_argument("--rtl-images", type=int, default=2)
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--options", help="other options of quantisers for all networks, as one word: '--per-channel --equalise'")
    arguments = parser.parse_args()
    print("| network | bits | options | images | float | fake-quant | integer | alike | RTL |")
    print("|---|---|---|---|---|---|---|---|---|")
    for network in arguments.networks.split(","):
        checkpoint, dataset, images, ways = NETWORKS[network]
        if not (arguments.models / checkpoint).is_file():
            print(f"inference_table: {network}: {arguments.models / checkpoint} is not there: left out", file=sys.stderr)
            continue
        source = ["--network", network, "--checkpoint", str(arguments.models / checkpoint), "--dataset", dataset,
                  "--data", str(arguments.data / dataset), *images]
        for options in ways if arguments.options is None else [arguments.options]:
            for row in arguments.rows.split(","):
                print(line_of(arguments, network, row, options, source), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
