#!/usr/bin/env bash
# exact_sums.sh PROGRAM PROGRAM: both print the same; the second needs fused multiply-add.
set -euo pipefail
grep -qw fma /proc/cpuinfo || { echo "skipped: this processor has no fused multiply-add"; exit 77; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$1" >"$out/plain"
"$2" >"$out/fused"
[ "$(wc -l <"$out/plain")" -gt 30000 ]
cmp "$out/plain" "$out/fused"
