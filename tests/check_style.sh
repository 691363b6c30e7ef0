#!/usr/bin/env bash
# Limits of size in lib/ and apps/, and of comments' width everywhere; what is over them is listed. Needs universal-ctags for functions.
set -euo pipefail
cd "${UIR_SOURCE:-$(dirname "$0")/..}"
export LC_ALL=C.UTF-8
longest_file=450 longest_function=50 ninth_decile=16 comment_columns=110 wide_comments=20
failed=0
complain() { printf '%s\n' "$@"; failed=1; }

mapfile -t files < <(find lib apps -name '*.h' -o -name '*.cc' | sort)
[ ${#files[@]} -gt 100 ] || complain "only ${#files[@]} files found: the check looks in the wrong place"

long=$(wc -l "${files[@]}" | awk -v most=$longest_file '$2 != "total" && $1 > most {print "  " $2 ": " $1}')
[ -z "$long" ] || complain "files above $longest_file lines:" "$long"

wide=$(find lib apps tests tools -name '*.h' -o -name '*.cc' |
  xargs grep -HnE "^.{$((comment_columns + 1)),}" | grep -E ':[0-9]+:(.*[^:"])?// ' | cut -c1-120 || true)
count=$(grep -c . <<<"$wide" || true)
[ "$count" -le $wide_comments ] || complain "$count comment lines wider than $comment_columns columns, at most $wide_comments may be:" "$wide"

if ! command -v ctags >/dev/null; then
  echo "universal-ctags is missing: functions were not measured"
  [ $failed = 0 ] && exit 77 || exit 1
fi
lengths=$(ctags --languages=C++ --kinds-C++=f --fields=+ne -f - "${files[@]}" 2>/dev/null | awk -F'\t' '
  { line = end = 0
    for (i = 4; i <= NF; i++) { if ($i ~ /^line:/) line = substr($i, 6); if ($i ~ /^end:/) end = substr($i, 5) }
    print end - line + 1, $2 ":" line, $1 }' | sort -n)
functions=$(grep -c . <<<"$lengths")
[ "$functions" -gt 1000 ] || complain "only $functions functions found: ctags saw too little"
long=$(awk -v most=$longest_function '$1 > most {print "  " $2 " " $3 ": " $1}' <<<"$lengths")
[ -z "$long" ] || complain "functions above $longest_function lines:" "$long"
decile=$(awk -v at=$((functions * 9 / 10)) 'NR == at {print $1}' <<<"$lengths")
[ "$decile" -le $ninth_decile ] || complain "one function in ten is longer than $decile lines, $ninth_decile is the limit"

[ $failed = 0 ] && echo "${#files[@]} files, $functions functions, nine in ten of at most $decile lines; $count wide comment lines"
exit $failed
