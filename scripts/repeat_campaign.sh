#!/usr/bin/env bash
# Runs a campaign with several seeds, one after the other, and prints means and standard errors: what one run found can be
# chance. Continues what an earlier call left; the build must be there (scripts/run.sh makes it).
#
#   scripts/repeat_campaign.sh CAMPAIGN SEED SEED... [--out DIR] [-- option of `bittern run`...]
#   scripts/repeat_campaign.sh lenet_mnist_haq_bismo_edge 1 2 3 4 5
#
# DIR (default out/CAMPAIGN-repeated) gets seed-N/, a result directory for each seed, and repeated.txt and repeated.json.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

bittern="$BUILD/bin/bittern"
[[ -x "$bittern" ]] || die "$bittern is not there; scripts/run.sh builds it"
exec python3 "$ROOT/scripts/repeat_campaign.py" "$bittern" "$@"
