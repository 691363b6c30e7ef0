# tools/device_check.sh on the CPU: every part runs and passes with tiny sizes; a part that fails, hangs, misses its target or is
# skipped is named with the right word, the parts after it run all the same, and the check ends with 1.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
export DEVICE=cpu BIN="$UIR_BIN"
check() { OUT=$PWD/out "$UIR_SOURCE/tools/device_check.sh" "$@"; }
# result PART: what the report says of it.
result() { python3 -c 'import json, sys; print(*[p["result"] for p in json.load(open("out/device_check.json"))["parts"] if p["name"] == sys.argv[1]])' "$1"; }

# Whole, but for PyTorch, which may be missing.
MAY_SKIP="step_r50 step_r100" expect 0 check
for part in build tests ranks memory resume extract head search; do
  [ "$(result $part)" = passed ] || { cat out.txt >&2; die "$part: $(result $part)"; }
  grep -qE "^$part +passed " out.txt || { cat out.txt >&2; die "the table lacks $part"; }
done
grep -q '"equal_to_the_bit": true' out/resume.json || die "the resumed run's numbers are not noted"

# Each kind of failure.
export PARTS="build tests memory ranks search"
DEVICE_CHECK_PLANT="build:fail tests:hang memory:miss ranks:skip" expect 1 check
says "build failed: planted failure"
says "tests cut off: after its limit of 1 s"
says "memory missed: planted 1, target at least 2"
says "ranks skipped: planted reason"
says "left out, not asked for: resume extract step_r50 head step_r100"
says "device check on cpu: 1 of 5 parts passed; not: build tests memory ranks;"
for expected in build:failed "tests:cut off" memory:missed ranks:skipped search:passed; do
  [ "$(result "${expected%:*}")" = "${expected#*:}" ] || die "${expected%:*}: $(result "${expected%:*}"), expected ${expected#*:}"
done

# What fails by itself: programs that are not there, time that is up, a part that finds a wrong number.
mkdir empty
BIN=$PWD/empty PARTS="build ranks" expect 1 check
says "build failed: $PWD/empty/uir-index is missing"
says "ranks skipped: uir-index is not built"
PARTS="ranks head" expect 1 check 0
says "ranks skipped: no time left of 0 minutes"
mkdir broken
cp -r "$UIR_BIN" "$UIR_BIN/../libexec" broken
cat >broken/bin/uir-train <<'EOF'
#!/bin/sh
case "$*" in *stopped*) set -- "$@" --set train.seed=9 ;; esac
exec uir-train "$@"
EOF
BIN=$PWD/broken/bin TESTS=$UIR_BIN/../tests PARTS=resume expect 1 check
says "resume failed: the resumed run's checkpoint differs from the whole run's"

# Words that are none.
PARTS=everything expect 64 check
says "no part 'everything'; there are: build tests"
expect 64 check soon
