#!/usr/bin/env bash
# Tries the two commands (scripts/run.sh, scripts/test.sh) on another Debian: builds a clean root of it with debootstrap, clones
# the committed tree into it and runs both there. As root; the first time it fetches about 1 GiB of packages, which are kept.
# Takes as long as building and testing do; not part of continuous integration.
#
#   scripts/check_platform.sh SUITE [option...]     trixie, bookworm, sid or what debootstrap knows else
#
#   --base FOLDER     where root, packages, compiler cache and logs are kept; default $BITTERN_PLATFORM_BASE, else
#                     ${XDG_CACHE_HOME:-~/.cache}/bittern/platform/SUITE. Never inside the tree
#   --mirror URL      default http://deb.debian.org/debian
#   --reuse           take the root as the last call left it, instead of building it anew
#   --only run|test   only one of the two commands
#   --shell           no command, but a shell in the root, in the clone
#
# $BITTERN_DATA, when set, is seen inside, read-only. Prints one line a command; exit status 1 when one failed. All mounts and
# processes live in namespaces of their own and go with the script, however it ends.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

base=
mirror=http://deb.debian.org/debian
reuse=
only=
shell=
suite="${1:-}"
[[ -n "$suite" && "$suite" != -* ]] || die "say which Debian, for example: scripts/check_platform.sh trixie"
arguments=("$@")
shift
while (($# > 0)); do
  case "$1" in
    --base) base="${2:?--base needs a folder}"; shift ;;
    --mirror) mirror="${2:?--mirror needs an address}"; shift ;;
    --reuse) reuse=1 ;;
    --only) only="${2:?--only needs run or test}"; shift ;;
    --shell) shell=1; reuse=1 ;;
    *) die "unknown option '$1'; the first lines of $0 say what there is" ;;
  esac
  shift
done
[[ -z "$only" || "$only" == run || "$only" == test ]] || die "--only is run or test, not '$only'"
((EUID == 0)) || die "a root can only be built and entered as root"
command -v debootstrap >/dev/null || die "debootstrap is missing; apt-get install debootstrap"
base="$(realpath -m "${base:-${BITTERN_PLATFORM_BASE:-${XDG_CACHE_HOME:-$HOME/.cache}/bittern/platform/$suite}}")"
[[ "$base/" != "$ROOT/"* ]] || die "$base lies inside the tree; name another folder with --base"

if [[ -z "${BITTERN_PLATFORM_INSIDE:-}" ]]; then
  # Mounts and processes of their own: both end with this script, killed or not.
  BITTERN_PLATFORM_INSIDE=1 exec unshare --mount --pid --fork --kill-child --mount-proc "$0" "${arguments[@]}"
fi

root="$base/root"
logs="$base/logs"
mkdir -p "$base"/{packages,archives/partial,ccache} "$logs"
exec 9>"$base/lock"
flock -n 9 || die "$base is in use by another call"

# inside COMMAND: a shell command in the root, with nothing of the environment outside.
inside() {
  local data=()
  [[ -z "${BITTERN_DATA:-}" ]] || data=(BITTERN_DATA=/mnt)
  chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive CCACHE_DIR=/var/cache/ccache "${data[@]}" /bin/bash -c "$1"
}

if [[ -z "$reuse" || ! -d "$root/usr" ]]; then
  say "root of $suite in $root"
  rm -rf --one-file-system "$root"
  debootstrap --variant=minbase --cache-dir="$base/packages" "$suite" "$root" "$mirror" >"$logs/debootstrap.log" 2>&1 ||
    { tail -n 20 "$logs/debootstrap.log" >&2; die "debootstrap failed; its whole log is $logs/debootstrap.log"; }
  # A mirror may be a snapshot, whose lists are older than they say they should be.
  echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/99snapshot"
  # The packages are kept outside, so that the next root is quick.
  echo 'APT::Keep-Downloaded-Packages "true";' >"$root/etc/apt/apt.conf.d/99keep"
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
mount --make-rprivate /
mkdir -p "$root/var/cache/ccache" "$root/var/cache/apt/archives/partial"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$base/archives" "$root/var/cache/apt/archives"
mount --bind "$base/ccache" "$root/var/cache/ccache"
if [[ -n "${BITTERN_DATA:-}" ]]; then
  mount --bind "$BITTERN_DATA" "$root/mnt"
  mount -o remount,bind,ro "$root/mnt"
fi

if [[ -z "$shell" || ! -d "$root/root/bittern" ]]; then
  [[ -z "$(git -C "$ROOT" status --porcelain)" ]] || say "what is not committed is not part of the clone"
  # What a person has who was never here: no clone, no measurements.
  rm -rf "$root/root/bittern" "$root/root/.cache/bittern"
  git clone --quiet --no-hardlinks "$ROOT" "$root/root/bittern"
fi
if [[ -n "$shell" ]]; then
  inside 'cd /root/bittern && exec bash -i'
  exit
fi

failures=0
# command_inside NAME: runs scripts/NAME.sh and prints how it went.
command_inside() {
  local start=$SECONDS verdict=passed log="$logs/$1.log"
  inside "cd /root/bittern && scripts/$1.sh" >"$log" 2>&1 || { verdict=FAILED; failures=1; }
  printf '%s: scripts/%-8s %s in %d min: %s (%s)\n' "$suite" "$1.sh" "$verdict" "$(((SECONDS - start + 59) / 60))" \
    "$(tail -n 1 "$log")" "$log"
}
for name in run test; do
  [[ -n "$only" && "$only" != "$name" ]] || command_inside "$name"
done
# Afterwards: before, the tools are not installed.
inside '. /etc/os-release; echo "tools: $PRETTY_NAME"
  dpkg-query -W -f "\${Package} \${Version}\n" g++ cmake verilator libsystemc-dev libtorch-dev yosys iverilog libboost-dev 2>/dev/null' |
  paste -sd ';' | sed "s/;/, /g; s/^/$suite: /"
exit "$failures"
