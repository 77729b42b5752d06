#!/usr/bin/env bash
# Checks that need no build: generated files are fresh, every RTL module is clean in Verilator and accepted by yosys, the
# smallest variant can be synthesised, includes follow the arrows, formatting, shell syntax. Prints one line a check; exit
# status 1 when one fails.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
failures=0

# check NAME COMMAND...: runs it quietly; shows its output when it fails.
check() {
  local name="$1"
  shift
  if "$@" >"$scratch/log" 2>&1; then
    printf 'ok    %s\n' "$name"
  else
    printf 'FAIL  %s\n' "$name"
    sed 's/^/      /' "$scratch/log" | tail -n 40
    failures=$((failures + 1))
  fi
}

cores() { for top in rtl/*/*_top.sv; do basename "$(dirname "$top")"; done; }

packages_of() { ls rtl/shell/*_pkg.sv rtl/common/*_pkg.sv "rtl/$1"/*_pkg.sv 2>/dev/null; }

# All sources of a core, packages first.
sources_of() {
  packages_of "$1"
  ls rtl/common/*.sv rtl/shell/*.sv "rtl/$1"/*.sv | grep -v '_pkg\.sv$'
}

# Every module on its own, with its default parameters, and the top with those of every variant.
lint_with_verilator() {
  local core="$1" file module variant bad=0
  for file in rtl/common/*.sv rtl/shell/*.sv "rtl/$core"/*.sv; do
    case "$file" in *_pkg.sv) continue ;; esac
    module="$(basename "$file" .sv)"
    # shellcheck disable=SC2046
    verilator --lint-only -Wall --top-module "$module" rtl/lint.vlt -y rtl/common -y rtl/shell -y "rtl/$core" \
      $(packages_of "$core") "$file" || bad=1
  done
  for variant in $(grep -lE "^core: *$core *(#.*)?$" configs/variants/*.yaml); do
    # shellcheck disable=SC2046
    verilator --lint-only -Wall --top-module "${core}_top" rtl/lint.vlt $(python3 scripts/variant_file.py "$variant" --verilator) \
      $(sources_of "$core") || { echo "with the parameters of $variant"; bad=1; }
  done
  return "$bad"
}

# The form that is simulated, with the parameters of the smallest variant: a full-size array takes yosys minutes. The form
# that is synthesised is the next check.
lint_with_yosys() {
  local core="$1" parameters
  parameters="$(python3 scripts/variant_file.py "configs/variants/${core}_tiny.yaml" --yosys)"
  # shellcheck disable=SC2046
  yosys -q -p "read_verilog -sv $(echo $(sources_of "$core")); hierarchy -check -top ${core}_top $parameters; proc; check -assert"
}

check "generated register files" python3 scripts/gen_registers.py --check
for core in $(cores); do
  check "verilator -Wall, $core" lint_with_verilator "$core"
  check "yosys, $core" lint_with_yosys "$core"
done
check "synthesis, bismo_tiny" scripts/synth.sh bismo_tiny "$scratch/synth"
check "names of RTL" python3 scripts/check_names.py
check "includes" python3 scripts/check_includes.py
check "types" python3 scripts/check_types.py
mapfile -t cpp_files < <(git ls-files '*.h' '*.cpp')
# Every version formats a little otherwise; the tree is formatted with this one.
format_version=14
if clang-format --version | grep -q "version $format_version\."; then
  check "clang-format, ${#cpp_files[@]} files" clang-format --dry-run -Werror "${cpp_files[@]}"
else
  echo "skip  clang-format: the tree is formatted with version $format_version, here is $(clang-format --version)"
fi
mapfile -t shell_files < <(git ls-files 'scripts/*.sh' '.ci/run')
for file in "${shell_files[@]}"; do check "bash -n $file" bash -n "$file"; done

if ((failures > 0)); then
  printf 'lint: %d checks failed\n' "$failures"
  exit 1
fi
echo "lint: all good"
