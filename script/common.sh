# Sourced by the other scripts: where the tree and the build are, and how they say things.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${ARGENT_BUILD:-$root/build}
case $build in /*) ;; *) build=$root/$build ;; esac
say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { say "$*"; exit 1; }
