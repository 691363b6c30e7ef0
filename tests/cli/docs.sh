# The documentation is true: docs/config.md is what the programs say, and every command shown in README.md and docs/
# (fenced blocks marked "sh") runs, in order, in a folder that holds a folder tree of faces.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"

expect 0 uir-train --describe-config
same out.txt "$UIR_SOURCE/docs/config.md" || die "docs/config.md is stale: run tools/approve"

for config in "$UIR_SOURCE"/configs/*.yaml; do
  expect 0 uir-train "$config" --print-config
done

blocks=0
for page in "$UIR_SOURCE"/README.md "$UIR_SOURCE"/docs/*.md; do
  awk '/^```sh$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$page" >page.sh
  [ -s page.sh ] || continue
  blocks=$((blocks + 1))
  awk '/^```yaml exp.yaml$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$page" >exp.yaml
  rm -rf faces web runs && "$UIR_BIN/make_faces" faces 12 8 && "$UIR_BIN/make_faces" web 30 1 500
  "$UIR_BIN/make_faces" test 8 4 800
  (set -e; . ./page.sh) >out.txt 2>&1 || { cat out.txt >&2; die "a command of $page fails"; }
done
[ $blocks -ge 1 ] || die "no page shows a command"
