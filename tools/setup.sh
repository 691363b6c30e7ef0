#!/usr/bin/env bash
# Installs the packages of tools/packages.txt that are missing, with --tests also those of test_packages.txt. Without root it prints the
# command and stops (exit 69).
set -euo pipefail
cd "$(dirname "$0")/.."

lists=(tools/packages.txt)
[ "${1:-}" != --tests ] || lists+=(tools/test_packages.txt)
missing=()
while read -r package; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done < <(grep -hv '^#' "${lists[@]}")
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
  printf 'These packages are missing; install them and run this again:\n  sudo apt-get install %s\n' "${missing[*]}" >&2
  exit 69
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
