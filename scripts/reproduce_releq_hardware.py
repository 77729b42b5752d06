#!/usr/bin/env python3
"""Prints ReLeQ's hardware figures beside ours; called by reproduce_releq_hardware.sh, which says what for."""
import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile

# ReLeQ, IEEE Micro 2020, Table 1: weight bits layer by layer, completed where the printed list does not fit the network; the
# speed-up that the text gives for Figure 4b (other networks are in the figure only).
NETWORKS = {
    "lenet": ([2, 2, 3, 2], 4.0, ""),
    "simplenet": ([5] * 5, None, ""),
    "svhn8": ([8] + [4] * 6 + [8], None, "printed for 10 layers, 8 in ReLeQ's code: 8, fours, 8"),
    "vgg11": ([8, 5, 8, 5, 6, 6, 6, 6, 8], None, ""),
    "vgg16": ([8, 8, 8] + [6, 8] * 6 + [8], None, ""),
    "alexnet": ([8] + [4] * 6 + [8], None, "7 bits printed for 8 layers (Table 2 has 8)"),
    "resnet20": ([8, 2, 2, 3, 2, 2, 2, 3, 2, 3, 3, 3, 2, 2, 2, 2, 3, 2, 2, 2, 2, 8], 3.0,
                 "23 bits printed for 22 layers: one of the last 2s left out"),
    "mobilenet_v1": ([8, 5, 6, 6, 4, 4, 7, 8, 4, 6, 8, 5, 5, 8, 6, 7, 7, 7, 6, 8, 6, 8, 8, 6, 7, 5, 5, 7], 1.2,
                     "30 bits printed for 28 layers: the first 28"),
}
# ReLeQ, Table 2: the bits of ADMM, and ReLeQ's speed-up and energy improvement over them.
ADMM = {"lenet": ([5, 3, 2, 3], 1.86, 1.87), "alexnet": ([8, 5, 5, 5, 5, 3, 3, 8], 1.22, 1.25)}
ACTIVATION_BITS = 8


class Bittern:
    """The command line, with the options that every call shares."""

    def __init__(self, options):
        self.binary = options.bittern
        self.extra = ["--model"] if options.model else ["--workers", str(options.workers)]
        if options.store and not options.model:
            self.extra += ["--store", options.store]
        self.origins = set()

    def json(self, *arguments):
        out = subprocess.run([self.binary, *arguments, "--format", "json"], stdout=subprocess.PIPE)
        if out.returncode != 0:
            sys.exit(out.returncode)
        return json.loads(out.stdout)

    def layers(self, network):
        return self.json("networks", network)["rows"]

    def measure(self, network, variant, bits):
        """Rows of `bittern measure`, one a layer, with the steps of the array and the energy without device memory added."""
        print(f"{network} on {variant} at {bits} bits", file=sys.stderr)
        names = [layer["layer"] for layer in self.layers(network)]
        if len(names) != len(bits):
            sys.exit(f"{network} has {len(names)} layers, {len(bits)} bits are given")
        policy = {"network": network, "layers": [
            {"name": name, "weight_bits": b, "activation_bits": ACTIVATION_BITS} for name, b in zip(names, bits)]}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "policy.json"
            path.write_text(json.dumps(policy))
            measured = self.json("measure", "--network", network, "--variant", variant, "--policy", str(path), *self.extra)
        self.origins.add(f"{measured['origin']} {measured['rtl_hash'][:16]}".strip())
        self.table = measured["energy_table"]
        rows = measured["layers"]["rows"]
        dram_uj_a_byte = 8 * measured["dram_anchors"][0]["value"] / 1e6
        for row, counters in zip(rows, measured["counters"]["layers"]):
            row["steps"] = counters["exec_run"]
            row["chip_uj"] = row["energy_uj"] - dram_uj_a_byte * (row["bytes_read"] + row["bytes_written"])
        return rows


def total(rows, key):
    return sum(row[key] for row in rows)


def ratio(a, b, key):
    return total(a, key) / total(b, key)


def print_table(heading, rows):
    widths = [max(len(str(row[i])) for row in [heading, *rows]) for i in range(len(heading))]
    for row in [heading, ["-" * width for width in widths], *rows]:
        cells = [str(c).ljust(w) if i == 0 else str(c).rjust(w) for i, (c, w) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip())
    print()


def own_channel_steps(layer, bits, columns=16, filters=128, lanes=16):
    """Steps of a layer when filters of a depthwise layer have a channel of their own: the reading behind MobileNet's 1.2."""
    channels, _, _ = (int(x) for x in layer["input"].split("x"))
    outputs, height, width = (int(x) for x in layer["output"].split("x"))
    kernel = [int(x) for x in layer["kernel"].split("x")] if layer["kernel"] != "-" else [1, 1]
    if layer["kind"] == "depthwise":
        channels = 1
    up = lambda a, b: -(-a // b)
    return up(height * width, columns) * up(channels, lanes) * up(outputs, filters) * kernel[0] * kernel[1] * bits


def against_eight_bits(bittern, variant, networks):
    rows, steps, speed, chip, energy = [], [], [], [], []
    for network in networks:
        bits, published, _ = NETWORKS[network]
        eight = bittern.measure(network, variant, [8] * len(bits))
        mixed = bittern.measure(network, variant, bits)
        ideal = 8 * total(eight, "macs") / sum(row["macs"] * b for row, b in zip(eight, bits))
        steps.append(ratio(eight, mixed, "steps"))
        speed.append(ratio(eight, mixed, "cycles"))
        chip.append(ratio(eight, mixed, "chip_uj"))
        energy.append(ratio(eight, mixed, "energy_uj"))
        rows.append([network, f"{ideal:.3f}", total(eight, "steps"), f"{steps[-1]:.3f}", total(eight, "cycles"),
                     f"{speed[-1]:.3f}", f"{chip[-1]:.3f}", f"{energy[-1]:.3f}", f"{ratio(eight, mixed, 'energy_high_uj'):.3f}",
                     published or "figure"])
    mean = lambda values: f"{math.exp(sum(map(math.log, values)) / len(values)):.3f}"
    rows.append(["geometric mean", "", "", mean(steps), "", mean(speed), mean(chip), mean(energy), "", "2.0 (energy 2.7)"])
    print(f"ReLeQ's bits against 8 bits on {variant}, batch 1; ours: {', '.join(sorted(bittern.origins))}, energy table {bittern.table}")
    print_table(["network", "MAC x bits", "steps at 8", "speed-up, steps", "cycles at 8", "speed-up, cycles", "energy on chip",
                 "with low DRAM", "high DRAM", "ReLeQ"], rows)
    for network in networks:
        if NETWORKS[network][2]:
            print(f"  {network}: {NETWORKS[network][2]}")
    if "mobilenet_v1" in networks and variant == "stripes_releq":
        layers, bits = bittern.layers("mobilenet_v1"), NETWORKS["mobilenet_v1"][0]
        eight = sum(own_channel_steps(layer, 8) for layer in layers)
        mixed = sum(own_channel_steps(layer, b) for layer, b in zip(layers, bits))
        print(f"  mobilenet_v1, if every filter of a depthwise layer had a channel of its own (not what the RTL does, "
              f"docs/stripes.md): {eight} steps at 8 bits, speed-up {eight / mixed:.3f}")
    print()


def against_admm(bittern, variant, networks):
    rows = []
    for network in networks:
        if network not in ADMM:
            continue
        admm_bits, speed, energy = ADMM[network]
        admm = bittern.measure(network, variant, admm_bits)
        releq = bittern.measure(network, variant, NETWORKS[network][0])
        kinds = [layer["kind"] for layer in bittern.layers(network)]
        for name, keep in (("all layers", lambda kind: True), ("convolutions", lambda kind: kind == "conv")):
            a = [row for row, kind in zip(admm, kinds) if keep(kind)]
            r = [row for row, kind in zip(releq, kinds) if keep(kind)]
            rows.append([f"{network}, {name}", f"{ratio(a, r, 'steps'):.3f}", f"{ratio(a, r, 'cycles'):.3f}", f"{speed:.2f}",
                         f"{ratio(a, r, 'chip_uj'):.3f}", f"{ratio(a, r, 'energy_uj'):.3f}", f"{ratio(a, r, 'energy_high_uj'):.3f}", f"{energy:.2f}"])
    if rows:
        print(f"ReLeQ's bits against ADMM's on {variant}")
        print_table(["network, layers", "speed-up, steps", "speed-up, cycles", "ReLeQ", "energy on chip", "with low DRAM", "high DRAM",
                     "ReLeQ"], rows)


def main():
    names = lambda text: text.split(",")
    parser = argparse.ArgumentParser(prog="reproduce_releq_hardware.sh")
    parser.add_argument("--bittern", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--model", action="store_true", help="closed form instead of RTL")
    parser.add_argument("--variants", type=names, default=["stripes_releq"], metavar="A,B")
    parser.add_argument("--networks", type=names, default=list(NETWORKS), metavar="A,B")
    parser.add_argument("--store", help="measurement store")
    parser.add_argument("--workers", type=int, default=0, help="simulations at once; 0: one for each processor")
    options = parser.parse_args()
    for network in options.networks:
        if network not in NETWORKS:
            parser.error(f"no bits for network '{network}', expected some of {', '.join(NETWORKS)}")
    bittern = Bittern(options)
    for variant in options.variants:
        bittern.origins.clear()
        against_eight_bits(bittern, variant, options.networks)
        against_admm(bittern, variant, options.networks)


if __name__ == "__main__":
    main()
