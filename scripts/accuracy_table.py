#!/usr/bin/env python3
"""Makes a table of accuracies, as `evaluator: {kind: table}` reads it, of a campaign that scored many policies.

    scripts/accuracy_table.py DIRECTORY > accuracies.csv

DIRECTORY is that of the campaign (or of one of its cells). Policies of weights alone (all activations alike) give the columns
b0, b1, ...; others w0, a0, w1, a1, .... Lines that begin with # say where the numbers come from; the campaign's key
full_precision takes the accuracy that they name.
"""
import json
import pathlib
import sys


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 0 if sys.argv[1:] == ["--help"] else 2
    folder = pathlib.Path(sys.argv[1])
    try:
        lines = [json.loads(line) for line in (folder / "episodes.jsonl").read_text().splitlines()]
        result = json.loads((folder / "result.json").read_text())
    except (OSError, ValueError) as error:
        print(f"accuracy_table: {error}: expected the directory of a campaign that is done", file=sys.stderr)
        return 2
    accuracies = {}
    for line in lines:
        accuracies[tuple(map(tuple, line["policy"]))] = line["accuracy"]
    weights_only = len({a for policy in accuracies for _, a in policy}) == 1
    layers = len(next(iter(accuracies)))
    data = result["provenance"]
    print(f"# {result['campaign']}: {result['network']} on {result['dataset']}, {len(accuracies)} policies, validation accuracy in percent")
    print(f"# full precision {result['baseline']['validation_accuracy_percent']}, {result['validation_images']} validation images, seed {result['seed']}")
    for key in ("accuracy", "data", "full-precision weights", "processor", "bittern"):
        if key in data:
            print(f"# {key}: {data[key]}")
    if weights_only:
        print(",".join([f"b{i}" for i in range(layers)] + ["accuracy"]))
    else:
        print(",".join([f"{kind}{i}" for i in range(layers) for kind in "wa"] + ["accuracy"]))
    for policy in sorted(accuracies):
        bits = [w for w, _ in policy] if weights_only else [b for pair in policy for b in pair]
        print(",".join(map(str, bits)) + f",{accuracies[policy]:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
