#!/usr/bin/env bash
# Debian packages uir and libuir-dev, into build/deb.
#   tools/make_deb.sh                    of this machine's release, from build/release, which is built
#   tools/make_deb.sh bookworm|trixie    of that release: built in a debootstrap; then installed into a fresh one and tried there (root)
# MIRROR is where packages come from (default: debootstrap's). The debootstraps are build/deb/SUITE.build, which is kept for the next time,
# and build/deb/SUITE.clean, which is removed.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=${1:-} out=$PWD/build/deb
here=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
mkdir -p "$out"
in_root() { chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive bash -euc "$2"; }
bootstrap() { [ -e "$1/usr/bin/apt-get" ] || debootstrap --variant=minbase "${@:2}" "$suite" "$1" ${MIRROR:+"$MIRROR"} >"$1.log" || { tail "$1.log" >&2; exit 1; }; }

if [ -z "$suite" ]; then
  tools/build.sh release --target programs
  cpack --config build/release/CPackConfig.cmake -B "$out/work" >"$out/cpack.log" || { cat "$out/cpack.log" >&2; exit 1; }
  mv "$out"/work/*.deb "$out"
  rm -rf "$out/work"
  ls -1 "$out"/*.deb
  exit 0
fi

# Built where its release is: here, or in a debootstrap that gets the sources of this commit.
if [ "$suite" = "$here" ]; then
  tools/make_deb.sh
else
  bootstrap "$out/$suite.build"
  mkdir -p "$out/$suite.build/src"
  git archive HEAD | tar -x -C "$out/$suite.build/src"
  in_root "$out/$suite.build" 'apt-get update -qq; apt-get install -y -qq dpkg-dev file >/dev/null; cd /src; tools/setup.sh; tools/make_deb.sh'
  cp "$out/$suite.build"/src/build/deb/*.deb "$out"
fi

# Tried where nothing else is.
clean=$out/$suite.clean
rm -rf "$clean"
bootstrap "$clean"
mkdir "$clean/packages"
cp "$out"/*.deb "$clean/packages"
in_root "$clean" 'apt-get update -qq; apt-get install -y -qq --no-install-recommends /packages/*.deb >/dev/null
  uir --version; uir-train --version; cd /tmp
  printf "paths: {run: run}\ndata: {sources: [{name: people, role: labeled, type: synthetic, identities: 4}]}\n" >exp.yaml
  uir train exp.yaml --print-config >/dev/null
  uir index exp.yaml
  [ -s /usr/share/bash-completion/completions/uir-train ] && [ -s /usr/share/doc/uir/copyright ]'
rm -rf "$clean"
echo "packages of $suite: built, installed and tried"
