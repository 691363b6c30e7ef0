# --json: every line on standard error is an object (docs/programs.md), and the last one says how it ended. Without it: words, with no
# escape sequences but those that overwrite status lines on a terminal.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
write_tiny_config exp.yaml

# told PROGRAM CODE "PHASE|PHASE…" ARGUMENTS…: runs it with --json and checks its lines.
told() {
  local program=$1 want=$2 phases=$3 code=0
  shift 3
  "$program" "$@" --json >out.txt 2>lines.txt || code=$?
  [ "$code" = "$want" ] || { cat lines.txt >&2; die "exit code $code, expected $want: $program $*"; }
  check "$program" "$want" "$phases"
}
check() {
  local phases=()
  [ -z "$3" ] || IFS='|' read -ra phases <<<"$3"
  python3 "$UIR_SOURCE/tests/cli/check_json_lines.py" lines.txt "$1" "$2" "${phases[@]}" >error.txt || { cat lines.txt >&2; die "lines of $1"; }
}

told uir-index 0 "indexing people|indexing strangers" exp.yaml
told uir-train 0 training exp.yaml --set train.log_every=1
[ "$(grep -c '"phase":"training"' lines.txt)" = 30 ] || die "training did not tell each of its 30 steps"
expect 0 uir-index exp.yaml --verify --set paths.run=words
! grep -F $'\x1b' out.txt || die "an escape sequence, and no terminal"
told uir-extract 0 "extracting strangers" exp.yaml
told uir-eval 0 "scoring all pairs" exp.yaml
told uir-export 0 "" exp.yaml model.onnx
told uir-train 0 "" --print-config exp.yaml
[ -s out.txt ] || die "nothing on standard output"

# Errors, wherever they happen; a name that is no UTF-8.
told uir-train 66 "" absent.yaml
grep -q '^absent.yaml: ' error.txt || die "the error is not told: $(cat error.txt)"
told uir-train 64 "" exp.yaml --no-such-flag
told uir-train 78 "" exp.yaml --set head.scal=3
told uir-index 66 "" $'\xe4.yaml'
grep -qF 'xe4.yaml' error.txt || die "the name is not told: $(cat error.txt)"
told uir-identify 66 "" film.mkv --gallery absent --model absent --detector absent
told uir-identify 66 "" at absent.timeline 3
code=0; uir-identify --json at absent.timeline 3 2>lines.txt || code=$?
check uir-identify 66 ""
code=0; uir eval --json compare absent.npy b.npy --list l.txt 2>lines.txt || code=$?
check uir-eval 66 ""

# Stopped: alone, and of two ranks, of which the first tells the progress and the launcher the end.
stop_while_training() {
  uir-train exp.yaml --set train.epochs=1000 --set train.log_every=1 --set paths.run=stopped --set paths.index=run/index --json "$@" >out.txt 2>lines.txt &
  local pid=$!
  code=0
  for _ in $(seq 600); do [ "$(grep -c '"phase":"training"' lines.txt)" -lt 3 ] || break; sleep 0.05; done
  kill -TERM $pid
  wait $pid || code=$?
  [ $code = 75 ] || { cat lines.txt >&2; die "exit code $code after SIGTERM"; }
}
stop_while_training
check uir-train 75 ""
stop_while_training --nproc-per-node 2 --resume
[ "$(grep -c exit_code lines.txt)" = 1 ] || die "several ranks told the end"
tail -n 1 lines.txt | grep -qF '{"program":"uir-train","exit_code":75}' || { cat lines.txt >&2; die "the launcher did not tell the end"; }
python3 -c 'import json; steps = [x["done"] for x in map(json.loads, open("lines.txt")) if "phase" in x]; assert sorted(set(steps)) == steps, steps'

# In words: on a terminal a status line is overwritten, unless NO_COLOR or TERM say that it should not. Nothing is coloured.
watch() {  # watch FILE VARIABLE=VALUE: what a terminal is sent until a status line has been shown
  env TERM=xterm NO_COLOR= "$2" python3 "$UIR_SOURCE/tests/cli/watch_terminal.py" " repetitions, " uir-eval --validate-intervals >"$1"
}
watch overwritten.txt X= & watches=($!)
watch no_color.txt NO_COLOR=1 & watches+=($!)
watch dumb.txt TERM=dumb & watches+=($!)
for watch in "${watches[@]}"; do wait "$watch" || die "no status line on a terminal"; done
grep -qF $'\x1b[K' overwritten.txt || die "a status line cannot be overwritten"
! grep -F $'\x1b' no_color.txt dumb.txt || die "an escape sequence, with NO_COLOR or on a dumb terminal"
! sed 's/\x1b\[K//g' overwritten.txt | grep -F $'\x1b' || die "an escape sequence that overwrites nothing"
