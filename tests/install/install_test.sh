#!/usr/bin/env bash
# Installs a build into an empty prefix, builds the example project against it, and runs what was installed from another folder:
# as root as the user nobody, and with source tree and build folder out of sight.
#
#   install_test.sh <build folder> <source folder> <variant to run>
set -euo pipefail
build="$1"
source="$2"
variant="$3"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
prefix="$work/prefix"
mkdir -p "$work/home" "$work/elsewhere"
chmod 755 "$work"

step() { printf -- '-- %s\n' "$*"; }

step "install"
cmake --install "$build" --prefix "$prefix" >"$work/install.log"
for file in bin/bittern "bin/bittern-device-$variant" share/bittern/configs/variants/bismo_edge.yaml include/bittern/bittern.h \
  share/man/man1/bittern-measure.1 share/bash-completion/completions/bittern share/zsh/site-functions/_bittern \
  share/fish/vendor_completions.d/bittern.fish; do
  [[ -s "$prefix/$file" ]] || { echo "$file was not installed"; exit 1; }
done

step "campaigns find what they name: all configs are there"
diff -r "$source/configs" "$prefix/share/bittern/configs"

step "nothing that was installed is told to look into the build or the source folder"
if readelf -d "$prefix"/bin/* | grep -E 'R(UN)?PATH' | grep -F -e "$build" -e "$source"; then exit 1; fi
if grep -rlF -e "$build" -e "$source" "$prefix/include" "$prefix/lib"*/*/*/cmake "$prefix/lib"*/cmake "$prefix/share" 2>/dev/null; then
  echo "these files name the build or the source folder"
  exit 1
fi

step "build the example project"
mkdir "$work/example"
cp -r "$prefix"/share/doc/bittern/docs/examples/measure "$work/example/source"
cmake -S "$work/example/source" -B "$work/example/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$prefix" >"$work/configure.log" ||
  { cat "$work/configure.log"; exit 1; }
cmake --build "$work/example/build" >"$work/build.log" || { cat "$work/build.log"; exit 1; }
cp "$work/example/build/measure" "$work/measure"

cat >"$work/elsewhere/campaign.yaml" <<END
name: installed
network: lenet
variant: $variant
data: {dataset: synthetic, train_images: 400, validation_images: 100, test_images: 100}
model: {epochs: 1}
evaluator: {calibration_images: 32}
constraints:
  - {resource: latency, ratio: 0.6}
search: {episodes: 6, warmup: 3, min_bits: 2, max_bits: 4, hidden: [32, 32], pin_first_last: false}
final: {epochs: 1}
END
cat >"$work/commands.sh" <<'END'
set -euo pipefail
prefix="$1"
variant="$2"
work="$3"
cd "$work/elsewhere"
id -un
"$prefix/bin/bittern" --version
"$prefix/bin/bittern" variants >variants.txt
grep -q "^$variant " variants.txt
"$prefix/bin/bittern" networks lenet >/dev/null
"$prefix/bin/bittern" measure --network lenet --variant "$variant" --wbits 2 --abits 2 --layers fc2 | tee measured.txt
grep -q rtl measured.txt
"$work/measure" lenet bitfusion_nowhere 2>error.txt && exit 1
grep -q "has no 'bitfusion_nowhere'" error.txt
"$work/measure" lenet "$variant" | tee measured.txt
grep -q '(rtl)' measured.txt
if [[ -x "$prefix/bin/bittern-agent" ]]; then
  "$prefix/bin/bittern" run campaign.yaml --out result >run.txt
  test -s result/report.html
fi
test -s "$HOME/.cache/bittern/measurements.db"
END

environment=(env -i PATH=/usr/bin:/bin HOME="$work/home" LC_ALL=C.UTF-8 TMPDIR=/tmp)
command=("${environment[@]}" bash "$work/commands.sh" "$prefix" "$variant" "$work")
if ((EUID != 0)); then
  echo "not root: everything runs as this user, with source and build in sight"
else
  chown -R 65534:65534 "$work/home" "$work/elsewhere"
  command=(setpriv --reuid=65534 --regid=65534 --clear-groups "${command[@]}")
  if unshare --mount true 2>/dev/null; then
    # shellcheck disable=SC2016
    hide='mount -t tmpfs none "$1" && mount -t tmpfs none "$2" && shift 2 && cd / && exec "$@"'
    command=(unshare --mount bash -c "$hide" hide "$build" "$source" "${command[@]}")
  else
    echo "mount namespaces are not allowed here: source and build stay in sight"
  fi
fi
step "run it"
"${command[@]}"
step "all good"
