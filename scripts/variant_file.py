#!/usr/bin/env python3
"""What the build, lint and synthesis need of a variant file. The host's own, stricter reader is host/variant.

    scripts/variant_file.py configs/variants/bismo_edge.yaml --cmake       name;core;axi_checks;Name=value;...
    scripts/variant_file.py configs/variants/bismo_edge.yaml --verilator   -GName=value ...
    scripts/variant_file.py configs/variants/bismo_edge.yaml --yosys       -chparam Name value ...
"""

import pathlib
import re
import sys

# What every top has (docs/rtl.md).
SHELL = ("NumReadPorts", "NumWritePorts", "PortWidth", "MaxBurstBeats")
# The widths of the simulated memory ports.
PORT_WIDTHS = (64, 256)


class VariantError(Exception):
    """What is wrong with a file; the message starts with its path."""


def read_variant(path):
    """A dictionary: name, core, axi_checks, rtl (parameters in the order of the file), synthesis (a dictionary, or None)."""
    path = pathlib.Path(path)
    variant = {"name": None, "core": None, "axi_checks": False, "rtl": {}, "synthesis": None}
    block = None
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", raw).rstrip()
        if not line or line.lstrip().startswith("#"):
            continue
        entry = re.fullmatch(r"( *)(\w+):(?: +(.*))?", line)
        if entry and not entry.group(1):
            block, value = entry.group(2), entry.group(3)
            if block in ("name", "core"):
                variant[block] = value
            elif block == "axi_checks":
                variant[block] = value == "true"
            elif block == "synthesis":
                variant[block] = {}
        elif block == "rtl":
            if not entry or not re.fullmatch(r"\d+", entry.group(3) or ""):
                raise VariantError(f"{path}:{number}: cannot read '{line.strip()}' under rtl: expected '  Name: integer'")
            variant["rtl"][entry.group(2)] = int(entry.group(3))
        elif block == "synthesis" and entry:
            value = entry.group(3) or ""
            if value.startswith("{"):
                value = {name: int(number) for name, number in re.findall(r"(\w+): *(\d+)", value)}
            variant["synthesis"][entry.group(2)] = value
    if variant["name"] != path.stem:
        raise VariantError(f"{path}: name is '{variant['name']}', expected '{path.stem}' as the file is called")
    if not variant["core"]:
        raise VariantError(f"{path}: there is no 'core:'")
    for needed in SHELL:
        if needed not in variant["rtl"]:
            raise VariantError(f"{path}: rtl: has no {needed}, which every top needs")
    if variant["rtl"]["PortWidth"] not in PORT_WIDTHS:
        raise VariantError(f"{path}: PortWidth must be 64 or 256, the widths of the simulated memory ports")
    return variant


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in ("--cmake", "--verilator", "--yosys"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        variant = read_variant(sys.argv[1])
    except (OSError, VariantError) as error:
        print(error, file=sys.stderr)
        return 2
    rtl = variant["rtl"].items()
    if sys.argv[2] == "--cmake":
        head = [variant["name"], variant["core"], str(int(variant["axi_checks"]))]
        print(";".join(head + [f"{name}={value}" for name, value in rtl]), end="")
    elif sys.argv[2] == "--verilator":
        print(" ".join(f"-G{name}={value}" for name, value in rtl))
    else:
        print(" ".join(f"-chparam {name} {value}" for name, value in rtl))
    return 0


if __name__ == "__main__":
    sys.exit(main())
