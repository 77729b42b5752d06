#!/usr/bin/env bash
# Sets up, builds everything, and runs all tests.
#
#   scripts/test.sh                  all tests
#   scripts/test.sh -R host/base     arguments go to ctest
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$ROOT/scripts/setup.sh" --checks
build
say "test"
log="$BUILD.test.log"
junit="$BUILD.test.xml"
rm -f "$junit"
# Tests and their simulators share the cores; busy-waiting tensor threads would take them from each other.
OMP_WAIT_POLICY=passive ctest --test-dir "$BUILD" --output-on-failure --no-tests=error --output-junit "$junit" \
  --test-output-size-passed 100000 -j "$(nproc)" "$@" 2>&1 | tee "$log" || true
[[ -s "$junit" ]] || die "ctest wrote no summary; its output is $log"
# On continuous integration everything is there that tests need: a skip that tests/allowed_skips.txt does not allow fails.
strict=()
[[ "${CI:-}" != true ]] || strict=(--strict)
exec python3 "$ROOT/scripts/test_summary.py" "$junit" "${strict[@]}"
