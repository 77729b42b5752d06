#!/usr/bin/env bash
# Sets up, builds, and runs a campaign.
#
#   scripts/run.sh                              the quickstart: synthetic digits, a few minutes
#   scripts/run.sh CAMPAIGN.yaml [option...]    options as of `bittern run`, for example --out DIR
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

campaign="$ROOT/configs/campaigns/quickstart.yaml"
if (($# > 0)) && [[ "$1" != -* ]]; then
  campaign="$1"
  shift
fi
[[ -f "$campaign" ]] || die "$campaign: no such file; campaigns are in configs/campaigns"
"$ROOT/scripts/setup.sh"
build programs
say "bittern run $campaign $*"
# --resume: what an earlier call finished or was stopped in is continued, not refused.
exec "$BUILD/bin/bittern" run "$campaign" --resume "$@"
