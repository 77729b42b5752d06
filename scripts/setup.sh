#!/usr/bin/env bash
# Installs what Bittern needs on Debian 12, and nothing when all is there already (no network is needed then).
#
#   scripts/setup.sh             install what is missing, as root or with sudo
#   scripts/setup.sh --list      print the packages
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The one list of packages.
PACKAGES=(
  # tools
  g++ cmake ninja-build make ccache git pkg-config python3 clang-format
  # hardware: simulation, synthesis, second simulator
  verilator libsystemc-dev yosys iverilog
  # libraries
  libtorch-dev libboost-dev libboost-filesystem-dev libboost-system-dev libyaml-cpp-dev libcli11-dev
  libspdlog-dev libfmt-dev nlohmann-json3-dev libsqlite3-dev zlib1g-dev
  # tests and benchmarks
  libgtest-dev libgmock-dev libbenchmark-dev
)

case "${1:-}" in
  "") ;;
  --list) printf '%s\n' "${PACKAGES[@]}"; exit 0 ;;
  *) die "unknown argument '$1'; there is only --list" ;;
esac

command -v dpkg-query >/dev/null ||
  die "this is not a Debian system; install the equivalents of: ${PACKAGES[*]}"

missing=()
for package in "${PACKAGES[@]}"; do
  status="$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)"
  [[ "$status" == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  say "setup: all ${#PACKAGES[@]} packages are there"
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || die "not root and no sudo; as root: apt-get install ${missing[*]}"
  as_root=(sudo)
fi
say "setup: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
say "setup: done"
