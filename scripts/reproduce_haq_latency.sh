#!/usr/bin/env bash
# Latencies of HAQ (Wang et al., CVPR 2019) beside ours: MobileNet-V1 and V2 at uniform 4, 5, 6 and 8 bits on bismo_cloud
# (batch 16) and bismo_edge (batch 1), Table 3; MobileNet-V1 on bitfusion_paper as ratios to 8/8 bits, Tables 4 and 5. The
# first and the last layer are left out, as in HAQ's numbers. Our cycles come from RTL, through `bittern measure`: the first
# time that is about 300 million simulated cycles, ten minutes of one core; every layer is kept in the
# store at once, so a second call, or one after an interruption, simulates only what is missing.
#
#   scripts/reproduce_haq_latency.sh                      everything, RTL
#   scripts/reproduce_haq_latency.sh --model              a quick look: closed form, nothing is simulated
#   scripts/reproduce_haq_latency.sh --model --layers     ... and every layer beside the law of HAQ's published table
#   Further options: --variants A,B --networks A,B --bits 4,8 --store FILE --workers N --no-build
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

build_first=1
arguments=()
for argument in "$@"; do
  if [[ "$argument" == --no-build ]]; then build_first=0; else arguments+=("$argument"); fi
done
if ((build_first)); then build programs >&2; fi
exec python3 "$ROOT/scripts/reproduce_haq_latency.py" --bittern "$BUILD/bin/bittern" ${arguments[@]+"${arguments[@]}"}
