#!/usr/bin/env bash
# The checks that take hours and are no part of continuous integration. Run it before a release.
#
#   scripts/check_deep.sh [stage...] [--minutes N]     default: all stages; N minutes for each fuzz target (default 5)
#
#   asan      all tests under AddressSanitizer and UndefinedBehaviorSanitizer (smallest variant of each core)
#   tsan      tests of what has threads under ThreadSanitizer: protocol, device pool, measurements, worker pool
#   tidy      clang-tidy with clang's analyzer on the sources, and clang-tidy on the tests
#   fuzz      every libFuzzer target of tests/fuzz, from the inputs that fuzz_seeds writes; what was found is kept in
#             build/fuzz/corpus, what failed in build/fuzz/failed
#   kill      scripts/check_kill.py: 30 campaigns killed at random
#   docs      scripts/check_docs.py --slow: also the samples of the pages that take minutes
#
# All stages run even when one fails. Ends with a line a stage, its minutes, and a verdict; exit status 1 when one failed.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"

ALL=(asan tsan tidy fuzz kill docs)
stages=()
minutes=5
while (($# > 0)); do
  case "$1" in
    --minutes) minutes="${2:?--minutes needs a number}"; shift ;;
    asan | tsan | tidy | fuzz | kill | docs) stages+=("$1") ;;
    *) die "unknown stage or option '$1'; stages are: ${ALL[*]}" ;;
  esac
  shift
done
[[ "$minutes" =~ ^[0-9]+$ ]] || die "--minutes is a whole number, not '$minutes'"
((${#stages[@]} > 0)) || stages=("${ALL[@]}")

# preset NAME: configures and builds it.
preset() {
  mkdir -p build
  cmake --preset "$1" >"build/$1.configure.log" 2>&1 || { tail -n 40 "build/$1.configure.log"; return 1; }
  cmake --build --preset "$1" -j "$(jobs_for_build)"
}

# counted PRESET: its tests, with the closing lines of scripts/test.sh. Sanitizers make tests slow, so each gets more time.
counted() {
  local junit="$ROOT/build/$1.test.xml"
  rm -f "$junit"
  OMP_WAIT_POLICY=passive ctest --preset "$1" --timeout 1800 -j "$(nproc)" --output-junit "$junit" \
    --test-output-size-passed 100000 || true
  [[ -s "$junit" ]] && python3 scripts/test_summary.py "$junit"
}

stage_asan() { preset asan && counted asan; }
stage_tsan() { preset tsan && counted tsan; }

stage_tidy() {
  local bad=0
  configure || return 1
  cmake --build "$BUILD" -j "$(jobs_for_build)" || return 1  # generated headers
  python3 scripts/tidy.py "$BUILD" --analyzer || bad=1
  python3 scripts/tidy.py "$BUILD" --tests || bad=1
  return "$bad"
}

stage_fuzz() {
  local bad=0 target name
  preset fuzz || return 1
  rm -rf build/fuzz/failed
  build/fuzz/fuzz/fuzz_seeds build/fuzz/corpus || return 1
  for target in build/fuzz/fuzz/*_fuzz; do
    name="$(basename "$target" _fuzz)"
    mkdir -p "build/fuzz/failed/$name" "build/fuzz/corpus/$name"
    if "$target" -max_total_time="$((minutes * 60))" -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 -verbosity=1 \
      -artifact_prefix="build/fuzz/failed/$name/" "build/fuzz/corpus/$name" >"build/fuzz/$name.log" 2>&1; then
      echo "fuzz $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log") inputs in $minutes min, none failed"
    else
      echo "fuzz $name: FAILED, see build/fuzz/$name.log and build/fuzz/failed/$name"
      tail -n 30 "build/fuzz/$name.log"
      bad=1
    fi
  done
  return "$bad"
}

stage_kill() { configure && cmake --build "$BUILD" --target programs -j "$(jobs_for_build)" && python3 scripts/check_kill.py --keep; }

stage_docs() { configure && cmake --build "$BUILD" --target programs -j "$(jobs_for_build)" && python3 scripts/check_docs.py --slow --build "$BUILD"; }

"$ROOT/scripts/setup.sh" --checks
lines=()
failed=()
for stage in "${stages[@]}"; do
  say "deep check: $stage"
  start=$SECONDS
  verdict=ok
  "stage_$stage" || { verdict=FAILED; failed+=("$stage"); }
  lines+=("$(printf '%-6s %6.1f min  %s' "$stage" "$(minutes_since "$start")" "$verdict")")
done
printf '%s\n' "${lines[@]}"
if ((${#failed[@]} > 0)); then
  echo "deep checks: FAILED in ${failed[*]}"
  exit 1
fi
echo "deep checks: all good (${stages[*]})"
