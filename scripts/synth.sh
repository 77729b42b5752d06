#!/bin/sh
# Synthesises the whole top of a variant (shell and core) with yosys for its FPGA family, and prints LUT, FF, BRAM36 and DSP
# beside the budget in the variant's YAML (a variant without `synthesis:` is counted in UltraScale+ cells). Counts are estimates before placement; there is no timing.
#
#     scripts/synth.sh VARIANT [folder for the log and the netlist statistics, default build/synth] [--by-module]
#
# --by-module maps every module once and multiplies, instead of flattening the whole design: minutes instead of an hour for large
# arrays, and somewhat higher counts, because nothing is shared or simplified across modules.
#
# Exit status 1 when something is over budget.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
if [ $# -lt 1 ]; then
  echo "usage: scripts/synth.sh VARIANT [folder] [--by-module]; variants: $(ls "$root/configs/variants" | sed 's/\.yaml$//' | tr '\n' ' ')" >&2
  exit 2
fi
exec python3 "$root/scripts/synth.py" "$root" "$@"
