"""Work of synth.sh: reads the variant, runs yosys synth_xilinx, prints the table."""

import collections
import glob
import os
import re
import subprocess
import sys

from variant_file import read_variant

# Tops may have this parameter: 1 builds arrays from small modules, which is what synthesis shares and maps best.
STRUCTURAL = "Structural"


def synthesis_of(path):
    """Core, RTL parameters, family, part and budget of a variant."""
    variant = read_variant(path)
    # Machines that were published as ASICs have no part to fit into; their counts are for comparison.
    synthesis = variant["synthesis"] or {"family": "xcup", "part": "no part", "budget": {}}
    return {"core": variant["core"], "parameters": variant["rtl"], **synthesis}


def read_cells(text):
    """Cell counts of the last `stat` in a yosys log: the flattened top, or the sum over the hierarchy."""
    block = text[text.rindex("Number of cells:") :]
    cells = collections.Counter()
    for line in block.splitlines()[1:]:
        found = re.match(r"^\s+([A-Za-z][A-Za-z0-9_]*)\s+(\d+)$", line)
        if not found:
            break
        cells[found.group(1)] += int(found.group(2))
    return cells


def used(cells):
    """Resources as the vendor counts them. A distributed RAM takes the LUTs that it is made of."""
    luts = sum(count for name, count in cells.items() if re.match(r"^LUT[1-6]$", name))
    # Yosys keeps inverters apart (they end in the LUT behind them), so INV is not counted.
    ram_luts = {"RAM32M": 4, "RAM64M": 4, "RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4, "RAM32M16": 8, "RAM64M8": 8}
    luts += sum(per * cells[name] for name, per in ram_luts.items())
    luts += sum(count for name, count in cells.items() if name.startswith("SRL"))
    ffs = sum(count for name, count in cells.items() if re.match(r"^FD[RCSP]E(_1)?$", name))
    bram = cells["RAMB36E1"] + cells["RAMB36E2"] + 0.5 * (cells["RAMB18E1"] + cells["RAMB18E2"])
    dsp = cells["DSP48E1"] + cells["DSP48E2"]
    return {"LUT": luts, "FF": ffs, "BRAM36": bram, "DSP": dsp}


def main():
    root = sys.argv[1]
    by_module = "--by-module" in sys.argv
    arguments = [argument for argument in sys.argv[2:] if argument != "--by-module"]
    if not 1 <= len(arguments) <= 2 or arguments[0].startswith("-"):
        print("synth: expected a variant and, at most, a folder and --by-module; see the head of scripts/synth.sh", file=sys.stderr)
        return 2
    variant = arguments[0]
    folder = arguments[1] if len(arguments) > 1 else os.path.join(root, "build", "synth")
    path = os.path.join(root, "configs", "variants", variant + ".yaml")
    if not os.path.exists(path):
        known = sorted(os.path.basename(p)[:-5] for p in glob.glob(os.path.join(root, "configs", "variants", "*.yaml")))
        sys.exit(f"synth: there is no variant '{variant}': expected one of {', '.join(known)}")
    config = synthesis_of(path)
    core = config["core"]
    top = core + "_top"
    sources = []
    for room in ("common", "shell", core):
        sources += glob.glob(os.path.join(root, "rtl", room, "*.sv"))
    sources.sort(key=lambda p: (not p.endswith("_pkg.sv"), p))
    with open(os.path.join(root, "rtl", core, top + ".sv"), encoding="utf-8") as file:
        structural = STRUCTURAL in file.read()

    parameters = dict(config["parameters"])
    if structural:
        parameters[STRUCTURAL] = 1
    settings = " ".join(f"-set {name} {value}" for name, value in parameters.items())
    flatten = "" if by_module else "-flatten "
    script = "; ".join(
        [
            f"read_verilog -sv {' '.join(sources)}",
            f"chparam {settings} {top}",
            # Without MUXF7/8: yosys 0.23 feeds them through LUTs that do nothing else.
            f"synth_xilinx -top {top} -family {config['family']} {flatten}-noiopad -nowidelut",
            "stat",
        ]
    )
    os.makedirs(folder, exist_ok=True)
    log = os.path.join(folder, variant + ".log")
    # Hundreds of warnings about unused address bits of block RAMs: they stay in the log.
    result = subprocess.run(["yosys", "-q", "-l", log, "-p", script], check=False, stderr=subprocess.DEVNULL)
    if result.returncode != 0:
        sys.exit(f"synth: yosys failed, see {log}")
    with open(log, encoding="utf-8") as file:
        cells = read_cells(file.read())
    if cells["$mem_v2"] or cells["$mem"]:
        sys.exit(f"synth: a memory was not mapped, see {log}")

    budget = config["budget"]
    fits = True
    print(f"{variant}: {top} for {config['part']} ({config['family']}), yosys estimate"
          + (", module by module" if by_module else ""))
    print(f"{'':8s} {'used':>10s} {'budget':>10s} {'share':>8s}")
    for name, count in used(cells).items():
        if name not in budget:
            print(f"{name:8s} {count:10g} {'-':>10s} {'-':>8s}")
            continue
        fits = fits and count <= budget[name]
        print(f"{name:8s} {count:10g} {budget[name]:10d} {100 * count / budget[name]:7.1f}%{'' if count <= budget[name] else '  OVER'}")
    return 0 if fits else 1


if __name__ == "__main__":
    sys.exit(main())
