#!/usr/bin/env bash
# ReLeQ's hardware figures (Elthakeb et al., IEEE Micro 2020, Figure 4b and Table 2) beside ours: its published weight bits on a
# weight-serial Stripes (stripes_releq) against 8 bits, speed-up and energy of every network, and against the bits of ADMM.
# Activations have 8 bits throughout. Cycles come from RTL, through `bittern measure`; every layer is kept in the store, so a
# second call simulates nothing. docs/reproduction.md discusses the table.
#
#   scripts/reproduce_releq_hardware.sh             everything, RTL
#   scripts/reproduce_releq_hardware.sh --model     closed form: nothing is simulated
#   Further options: --variants A,B --networks A,B --store FILE --workers N --no-build
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

build_first=1
arguments=()
for argument in "$@"; do
  if [[ "$argument" == --no-build ]]; then build_first=0; else arguments+=("$argument"); fi
done
if ((build_first)); then build programs >&2; fi
exec python3 "$ROOT/scripts/reproduce_releq_hardware.py" --bittern "$BUILD/bin/bittern" ${arguments[@]+"${arguments[@]}"}
