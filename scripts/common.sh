# shellcheck shell=bash
# Shared by the scripts; sourced, not run.
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
BUILD="${BITTERN_BUILD:-$ROOT/build/release}"

say() { printf '== %s\n' "$*"; }
die() { printf '%s: error: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Minutes with one decimal since SECONDS was $1.
minutes_since() { awk -v seconds="$((SECONDS - $1))" 'BEGIN {printf "%.1f", seconds / 60}'; }

# Parallel jobs: one per core, but a file that includes LibTorch takes up to 2 GiB of memory.
jobs_for_build() {
  local cores memory_gib
  cores="$(nproc)"
  memory_gib="$(awk '/^MemAvailable:/ {print int($2 / 1048576)}' /proc/meminfo)"
  local by_memory=$((memory_gib / 2))
  if ((by_memory < 1)); then by_memory=1; fi
  if ((by_memory < cores)); then echo "$by_memory"; else echo "$cores"; fi
}

# Warnings are errors on continuous integration, not for users, whose compiler may know new ones.
configure() {
  local werror=OFF
  [[ "${CI:-}" != true ]] || werror=ON
  say "configure $BUILD"
  (cd "$ROOT" && cmake --preset release -B "$BUILD" "-DBITTERN_WERROR=$werror" >"$BUILD.configure.log" 2>&1) ||
    { tail -n 40 "$BUILD.configure.log" >&2; die "configuring failed; the whole log is $BUILD.configure.log"; }
}

# build [target...]: everything when no target is named.
build() {
  mkdir -p "$(dirname "$BUILD")"
  configure
  local targets=()
  if (($# > 0)); then targets=(--target "$@"); fi
  say "build with $(jobs_for_build) jobs"
  cmake --build "$BUILD" -j "$(jobs_for_build)" "${targets[@]}"
}
