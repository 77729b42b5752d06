#!/usr/bin/env bash
# Installs what Bittern needs on Debian 12 and 13, and nothing when all is there already (no network is needed then).
#
#   scripts/setup.sh             what building and running takes; as root or with sudo
#   scripts/setup.sh --checks    besides, what the tests, lint and scripts/check_deep.sh use
#   scripts/setup.sh --list      print the packages of the first kind; --checks --list: of both
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The one list of packages.
PACKAGES=(
  # tools
  g++ cmake ninja-build make ccache git pkg-config python3
  # simulation of the hardware; liblz4 and zlib are what Verilator's FST writer uses
  verilator libsystemc-dev liblz4-dev zlib1g-dev
  # libraries
  libtorch-dev libboost-dev libboost-filesystem-dev libboost-system-dev libyaml-cpp-dev libcli11-dev
  libspdlog-dev libfmt-dev nlohmann-json3-dev libsqlite3-dev liblzma-dev libturbojpeg0-dev libpng-dev libmatio-dev
  libonnx-dev libprotobuf-dev
  # the tests and benchmarks are part of every build
  libgtest-dev libgmock-dev libbenchmark-dev
)
CHECKS=(
  yosys iverilog                                       # synthesis, second simulator
  clang-format clang-tidy clang libclang-rt-dev        # lint; fuzzers
  chromium                                             # the HTML pages
  libonnx-testdata python3-onnx python3-torch          # ONNX's conformance data; models that exporters write
)

list=
checks=
for argument in "$@"; do
  case "$argument" in
    --list) list=1 ;;
    --checks) checks=1 ;;
    *) die "unknown argument '$argument'; there are --checks and --list" ;;
  esac
done
[[ -z "$checks" ]] || PACKAGES+=("${CHECKS[@]}")
if [[ -n "$list" ]]; then
  printf '%s\n' "${PACKAGES[@]}"
  exit 0
fi

command -v dpkg-query >/dev/null ||
  die "this is not a Debian system; install the equivalents of: ${PACKAGES[*]}"

# A runtime of ONNX that is none of ours, for scripts/check_qcdq.py: a package of npm, in the cache folder. Without npm, or
# without a network, the test that uses it is skipped.
install_runtime() {
  local folder="${XDG_CACHE_HOME:-$HOME/.cache}/bittern/npm" wanted=1.20.1
  [[ ! -f "$folder/node_modules/onnxruntime-web/package.json" ]] || return 0
  command -v npm >/dev/null || { say "setup: no npm, so no onnxruntime-web $wanted (one test is skipped)"; return 0; }
  mkdir -p "$folder"
  npm install --prefix "$folder" --no-audit --no-fund --ignore-scripts --loglevel=error "onnxruntime-web@$wanted" >/dev/null ||
    say "setup: onnxruntime-web $wanted could not be installed (one test is skipped)"
}
[[ -z "$checks" ]] || install_runtime

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
