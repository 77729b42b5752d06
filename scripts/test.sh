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
status=0
# Tests and their simulators share the cores; busy-waiting tensor threads would take them from each other.
OMP_WAIT_POLICY=passive ctest --test-dir "$BUILD" --output-on-failure --no-tests=error -j "$(nproc)" "$@" 2>&1 |
  tee "$log" || status=1
# ctest says "N% tests passed, F tests failed out of T".
total="$(sed -n 's/.*tests failed out of \([0-9]*\).*/\1/p' "$log" | tail -n 1)"
failed="$(sed -n 's/.*tests passed, \([0-9]*\) tests failed.*/\1/p' "$log" | tail -n 1)"
[[ -n "$total" && -n "$failed" ]] || die "ctest printed no summary; its output is $log"
skipped="$(grep -c '\*\*\*Skipped' "$log" || true)"
printf '%d passed, %d failed, %d skipped\n' "$((total - failed - skipped))" "$failed" "$skipped"
exit "$status"
