#!/usr/bin/env python3
"""Prints HAQ's latencies beside ours; called by reproduce_haq_latency.sh, which says what for."""
import argparse
import json
import pathlib
import subprocess
import sys

# HAQ, Table 3: milliseconds of the uniform (PACT and original) rows.
BISMO = {
    ("mobilenet_v1", "bismo_edge"): {4: 45.45, 5: 57.75, 6: 70.67, 8: 96.20},
    ("mobilenet_v2", "bismo_edge"): {4: 52.15, 5: 66.94, 6: 82.49, 8: 115.84},
    ("mobilenet_v1", "bismo_cloud"): {4: 57.49, 5: 77.52, 6: 99.86, 8: 151.09},
    ("mobilenet_v2", "bismo_cloud"): {4: 74.46, 5: 99.43, 6: 127.07, 8: 189.82},
}
# HAQ, Tables 4 and 5: (weight bits, activation bits) to milliseconds and millijoules, MobileNet-V1.
BITFUSION = {(4, 4): (7.86, 13.47), (6, 4): (11.10, 16.57), (6, 6): (19.99, 26.80), (8, 8): (20.08, 31.03)}


class Bittern:
    """The command line, with the options that every call shares."""

    def __init__(self, options):
        self.binary = options.bittern
        self.extra = ["--model"] if options.model else ["--workers", str(options.workers)]
        if options.store and not options.model:
            self.extra += ["--store", options.store]

    def json(self, *arguments):
        out = subprocess.run([self.binary, *arguments, "--format", "json"], stdout=subprocess.PIPE)
        if out.returncode != 0:
            sys.exit(out.returncode)
        return json.loads(out.stdout)

    def middle_layers(self, network):
        return self.json("networks", network)["rows"][1:-1]

    def measure(self, network, variant, wbits, abits):
        names = ",".join(layer["layer"] for layer in self.middle_layers(network))
        print(f"{network} on {variant} at {wbits}/{abits} bits", file=sys.stderr)
        return self.json("measure", "--network", network, "--variant", variant, "--wbits", str(wbits),
                         "--abits", str(abits), "--layers", names, *self.extra)


def ceil_div(a, b):
    return -(-a // b)


def law(layer, wbits, abits, rows, pack, batch):
    """Leading term of HAQ's published table for one layer, in cycles, and what binds: every image alone; activations and
    weights come as one word of 256 bits a cycle each; rows x rows dot products of 256 bits a cycle. A lower bound."""
    channels, _, _ = (int(x) for x in layer["input"].split("x"))
    filters, height, width = (int(x) for x in layer["output"].split("x"))
    kernel = layer["kernel"].split("x")
    pixels = height * width
    if layer["kind"] == "depthwise":
        groups = ceil_div(channels, pack)
        terms = {"activations": abits * pixels * groups, "weights": wbits * filters}
    else:
        words = ceil_div(channels * int(kernel[0]) * int(kernel[1]), 256)
        terms = {"compute": wbits * abits * ceil_div(pixels, rows) * ceil_div(filters, rows) * words,
                 "activations": abits * pixels * words, "weights": wbits * filters * words}
    binds = max(terms, key=terms.get)
    return batch * terms[binds], binds


def print_table(heading, rows):
    widths = [max(len(str(row[i])) for row in [heading, *rows]) for i in range(len(heading))]
    for row in [heading, ["-" * width for width in widths], *rows]:
        cells = [str(c).ljust(w) if i == 0 else str(c).rjust(w) for i, (c, w) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip())
    print()


def percent(ours, published):
    return f"{100 * (ours / published - 1):+.1f} %"


def print_layers(bittern, measured, wbits, abits, rows, pack, batch):
    out = []
    for layer, got in zip(bittern.middle_layers(measured["network"]), measured["layers"]["rows"]):
        bound, binds = law(layer, wbits, abits, rows, pack, batch)
        waits = [f"{got[key]:.1f}" for key in ("run_pct", "wait_lhs_pct", "wait_rhs_pct", "wait_result_pct")]
        out.append([layer["layer"], got["cycles"], bound, binds, f"{got['cycles'] / bound:.3f}", *waits])
    print(f"{measured['network']} on {measured['variant']} at {wbits}/{abits} bits, {measured['origin']}")
    print_table(["layer", "cycles", "law", "law: bound by", "ratio", "run %", "wait lhs %", "wait rhs %", "wait result %"], out)


def bismo_rows(bittern, options):
    latencies, ratios, origins = [], [], set()
    for (network, variant), published in BISMO.items():
        if network not in options.networks or variant not in options.variants:
            continue
        ours = {}
        for bits in options.bits:
            measured = bittern.measure(network, variant, bits, bits)
            origins.add(f"{measured['origin']} {measured['rtl_hash'][:16]}".strip())
            total = measured["layers"]["total"]
            ours[bits] = total["latency_us"] / 1000
            row = [f"{network} {variant} {bits}/{bits}"]
            row += [f"{ours[bits]:.2f}", f"{published[bits]:.2f}", f"{ours[bits] / published[bits]:.4f}"]
            row += [percent(ours[bits], published[bits]), total["cycles"]]
            latencies.append(row)
            if options.layers:
                cloud = variant == "bismo_cloud"
                print_layers(bittern, measured, bits, bits, *((16, 16, 16) if cloud else (8, 1, 1)))
        for bits in options.bits:
            if bits < 8 and 8 in ours:
                pair = ours[8] / ours[bits], published[8] / published[bits]
                ratios.append([f"{network} {variant} 8/{bits}", f"{pair[0]:.3f}", f"{pair[1]:.3f}", percent(*pair)])
    if latencies:
        print(f"HAQ Table 3, middle layers at 200 MHz; ours: {', '.join(sorted(origins))}")
        print_table(["network variant bits", "ours ms", "HAQ ms", "ratio", "off by", "cycles"], latencies)
        print("Ratios of latencies between bits")
        print_table(["network variant bits", "ours", "HAQ", "off by"], ratios)


def chip_uj(measured):
    """Energy without device memory, by the first of the two prices of its bits."""
    total = measured["layers"]["total"]
    return total["energy_uj"] - 8e-6 * measured["dram_anchors"][0]["value"] * (total["bytes_read"] + total["bytes_written"])


def bitfusion_rows(bittern):
    measured = {bits: bittern.measure("mobilenet_v1", "bitfusion_paper", *bits) for bits in BITFUSION}
    totals = {bits: m["layers"]["total"] for bits, m in measured.items()}
    base, base_published = totals[8, 8], BITFUSION[8, 8]
    rows = []
    for bits, (milliseconds, millijoules) in BITFUSION.items():
        latency = totals[bits]["latency_us"] / base["latency_us"]
        energy = totals[bits]["energy_uj"] / base["energy_uj"]
        published = milliseconds / base_published[0], millijoules / base_published[1]
        rows.append([f"mobilenet_v1 {bits[0]}/{bits[1]}", f"{totals[bits]['latency_us'] / 1000:.3f}",
                     f"{latency:.4f}", f"{published[0]:.4f}", percent(latency, published[0]),
                     f"{energy:.4f}", f"{published[1]:.4f}", percent(energy, published[1]),
                     f"{chip_uj(measured[bits]) / chip_uj(measured[8, 8]):.4f}"])
    m = measured[8, 8]
    print(f"HAQ Tables 4 (latency) and 5 (energy), BitFusion, relative to 8/8 bits; ours: {m['origin']} "
          f"{m['rtl_hash'][:16]}, batch {m['batch']}, {m['clock_mhz']:g} MHz, energy table {m['energy_table']}")
    print_table(["network bits", "ours ms", "latency ours", "HAQ", "off by", "energy ours", "HAQ", "off by", "on chip"],
                rows)


def main():
    names = lambda text: text.split(",")
    parser = argparse.ArgumentParser(prog="reproduce_haq_latency.sh")
    parser.add_argument("--bittern", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--model", action="store_true", help="closed form instead of RTL")
    parser.add_argument("--layers", action="store_true", help="every layer beside the law of HAQ's table (BISMO)")
    parser.add_argument("--variants", type=names, default=["bismo_cloud", "bismo_edge", "bitfusion_paper"])
    parser.add_argument("--networks", type=names, default=["mobilenet_v1", "mobilenet_v2"])
    parser.add_argument("--bits", type=lambda text: [int(x) for x in names(text)], default=[4, 5, 6, 8])
    parser.add_argument("--store", help="measurement store, as of bittern measure")
    parser.add_argument("--workers", type=int, default=0, help="simulations at once; 0: one a processor")
    options = parser.parse_args()
    bad = [bits for bits in options.bits if bits not in (4, 5, 6, 8)]
    if bad:
        parser.error(f"--bits {bad[0]}: HAQ published 4, 5, 6 and 8")
    if options.model:
        print("Quick look: cycles of the closed form (origin model), nothing was simulated.\n")
    bittern = Bittern(options)
    bismo_rows(bittern, options)
    if "bitfusion_paper" in options.variants and "mobilenet_v1" in options.networks:
        device = pathlib.Path(options.bittern).parent / "bittern-device-bitfusion_paper"
        if device.exists():
            bitfusion_rows(bittern)
        else:
            print(f"HAQ Tables 4 and 5 are left out: {device} is not built.")


main()
