# Installed like a tool: `uir` over all programs, manual pages, Bash's completion, and find_package(uir) outside the tree.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
write_tiny_config exp.yaml
programs="index train extract eval export identify"

# uir is the program that it names.
expect 0 uir --help
for program in $programs; do
  description=$("uir-$program" --help | sed -n 1p)
  uir --help | grep -F -- "$description" >/dev/null || die "uir --help does not say what uir-$program does: $description"
  uir-$program --help >want.txt
  expect 0 uir "$program" --help
  same out.txt want.txt
  expect 0 uir help "$program"
  same out.txt want.txt
done
[ "$(cd "$UIR_BIN" && echo uir-*)" = "$(printf 'uir-%s\n' $programs | sort | xargs)" ] || die "bin/ holds other programs than uir knows"
uir --help >want.txt
expect 0 uir help
same out.txt want.txt
uir-index align --help >want.txt
expect 0 uir help index align
same out.txt want.txt
uir-train exp.yaml --set head.scale=8 --print-config >want.txt
expect 0 uir train exp.yaml --set head.scale=8 --print-config
same out.txt want.txt
uir-train --version | sed 's/uir-train/uir/' >want.txt
expect 0 uir --version
same out.txt want.txt
expect 64 uir
says "no program given"
expect 64 uir traim exp.yaml
says "uir: no program is called 'traim' (did you mean 'train'?); see uir --help"
expect 64 uir help indx
says "did you mean 'index'?"
expect 64 uir train exp.yaml --no-such-flag
says "uir-train: "
ldd "$UIR_BIN/uir" >libraries.txt
! grep -E 'lib(torch|opencv|avcodec)' libraries.txt || die "uir loads it"

# One process: its id, what follows it, its exit code; and found beside itself, through a link too.
mkdir -p alone/bin links
cp "$UIR_BIN/uir" alone/bin
ln -s "$PWD/alone/bin/uir" links/uir
expect 66 alone/bin/uir train exp.yaml
says "$PWD/alone/bin/uir-train: cannot start"
printf '#!/bin/sh\necho "process $$ <$*>"\nexit 75\n' >alone/bin/uir-train
chmod +x alone/bin/uir-train
expect 75 bash -c 'echo $$ >pid.txt; exec links/uir train --set "a=b  c" help'
says "process $(cat pid.txt) <--set a=b  c help>"

# An installation.
cmake --install "$UIR_BIN/.." --prefix "$PWD/prefix" >install.txt
expect 0 prefix/bin/uir index exp.yaml
[ -s prefix/share/doc/uir/docs/config.md ] || die "no documentation is installed"

# Manual pages: without complaints, and every option has its entry.
for program in uir $(printf 'uir-%s ' $programs); do
  page=prefix/share/man/man1/$program.1
  [ -s "$page" ] || die "no manual page of $program"
  if command -v groff >/dev/null; then
    groff -man -ww -z -Tutf8 "$page" >complaints.txt 2>&1 || true
    [ ! -s complaints.txt ] || { cat complaints.txt >&2; die "groff complains about $page"; }
  fi
  if command -v mandoc >/dev/null; then
    mandoc -Tlint -W warning "$page" >complaints.txt 2>&1 || true
    [ ! -s complaints.txt ] || { cat complaints.txt >&2; die "mandoc complains about $page"; }
  fi
  for option in $("$program" --help | grep -oE '^  (-h,)?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
    grep -qF -- "\\fB${option//-/\\-}\\fR" "$page" || die "$page lacks $option"
  done
done
command -v groff >/dev/null || echo "SKIPPED: groff is missing (tools/test_packages.txt)"
command -v mandoc >/dev/null || echo "SKIPPED: mandoc is missing (tools/test_packages.txt)"
grep -q 'SS uir\\-index align' prefix/share/man/man1/uir-index.1 || die "the manual page of uir-index lacks its commands"

# Completion: what is offered, and what Bash makes of it.
offers() {  # offers WORD… : sorted, with the last word as the beginning
  bash -c '. prefix/share/bash-completion/completions/"$1"; COMP_LINE="$*" COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    "_${1//-/_}"; printf "%s\n" "${COMPREPLY[@]}"' - "$@" | sort | xargs
}
[ "$(offers uir '')" = "$(printf -- '%s\n' $programs help --help --json --version | sort | xargs)" ] || die "uir offers $(offers uir '')"
[ "$(offers uir-index a)" = "align alone" ] || die "uir-index a: $(offers uir-index a)"
[ "$(offers uir-train --set train.batch.)" = "train.batch.accumulation= train.batch.labeled= train.batch.unlabeled=" ] || die "--set: $(offers uir-train --set train.batch.)"
[ "$(offers uir-index align --faces '')" = "all central largest" ] || die "--faces: $(offers uir-index align --faces '')"
[ "$(offers uir-index align --threads '')" = "" ] || die "files are offered in place of a number"
[ "$(offers uir-index overlap --print)" = "--print-config" ] || die "a command lacks the program's options"
[ "$(offers uir-index align --print)" = "" ] || die "align offers options that it does not have"
mkdir -p "some faces"
expect 0 python3 "$UIR_SOURCE/tests/cli/drive_completion.py" prefix/share/bash-completion/completions \
  "uir tra -> uir train " "uir train --print-con -> uir train --print-config " "uir help ev -> uir help eval " \
  "uir-train exp. -> uir-train exp.yaml " "uir-train exp.yaml --set paths.data_ -> uir-train exp.yaml --set paths.data_root=" \
  "uir-train --set train.precision=b -> uir-train --set train.precision=bf16 " \
  "uir-train --set=model.type=mob -> uir-train --set=model.type=mobilefacenet " \
  "uir-train --set data.sources.3.role=unl -> uir-train --set data.sources.3.role=unlabeled " \
  "uir-train --set paths.run=some -> uir-train --set paths.run=some\\ faces/" \
  "uir index align --faces c -> uir index align --faces central " "uir-export exp.yaml --weights prefix/sh -> uir-export exp.yaml --weights prefix/share/"

# A program of somebody else. LibTorch and OpenCV are not looked for where they are not needed.
configure() { cmake -S "$UIR_SOURCE/tests/install" -B "$@" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_PREFIX_PATH="$PWD/prefix"; }
expect 0 configure light -DCMAKE_DISABLE_FIND_PACKAGE_Torch=ON -DCMAKE_DISABLE_FIND_PACKAGE_OpenCV=ON
expect 0 cmake --build light
python3 - <<'END'
import struct, random
random.seed(3)
for name in ("a.npy", "b.npy"):
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (24, 8), }".ljust(117) + "\n"
    values = [(i // 4 == j) + random.gauss(0, 0.3) for i in range(24) for j in range(8)]
    open(name, "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header.encode() + struct.pack(f"<{len(values)}f", *values))
open("people.txt", "w").write("".join(f"person{i // 4}\n" for i in range(24)))
END
uir eval compare a.npy b.npy --list people.txt --far 0.1 >want.txt
expect 0 light/compare_networks a.npy b.npy people.txt
same out.txt want.txt
expect 0 configure whole -DWHOLE=ON
expect 0 cmake --build whole --target index_faces
expect 0 whole/index_faces exp.yaml
printf 'cmake_minimum_required(VERSION 3.25)\nproject(x CXX)\nfind_package(uir REQUIRED COMPONENTS evall)\n' >CMakeLists.txt
expect 1 cmake -S . -B wrong -DCMAKE_PREFIX_PATH="$PWD/prefix"
says "uir has no component 'evall'"
