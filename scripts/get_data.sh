#!/usr/bin/env bash
# Fetches data sets and checks what came: scripts/get_data.sh --help.
exec python3 -B "$(dirname "${BASH_SOURCE[0]}")/get_data.py" "$@"
