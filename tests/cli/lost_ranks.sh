# A rank that dies, hangs or fails: the others end within the timeout + 5 s with exit code 69 and name it.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
export TMPDIR=$scratch
timeout_ms=2000

now_ms() { date +%s%3N; }

# start RANKS folder|tcp [FAILING_RANK [watched|stuck]]: their pids in the array pids, their output in rank<N>.txt.
start() {
  local ranks=$1 place=$2 rank
  pids=()
  rm -f rank*.txt
  export UIR_MEETING= WORLD_SIZE=$ranks LOCAL_WORLD_SIZE=$ranks
  if [ "$place" = folder ]; then
    unset MASTER_ADDR MASTER_PORT
    UIR_MEETING=$(mktemp -d)
  else
    unset UIR_MEETING
    export MASTER_ADDR=127.0.0.1 MASTER_PORT
    MASTER_PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  fi
  for ((rank = 0; rank < ranks; ++rank)); do
    RANK=$rank LOCAL_RANK=$rank all_reduce_loop $timeout_ms "${@:3}" >rank$rank.txt 2>&1 &
    pids+=($!)
  done
  local deadline=$(($(now_ms) + 10000))
  until grep -qs running rank0.txt; do
    [ "$(now_ms)" -lt $deadline ] || { cat rank*.txt >&2; die "the ranks do not start"; }
    sleep 0.02
  done
}

# survivors_say LOST TEXT LIMIT_MS: every other rank ends with 69 within the time, and says TEXT but no other rank.
survivors_say() {
  local lost=$1 text=$2 limit=$3 rank code begin
  begin=$(now_ms)
  for rank in "${!pids[@]}"; do
    [ "$rank" != "$lost" ] || continue
    code=0
    wait "${pids[$rank]}" || code=$?
    [ $code = 69 ] || { cat rank*.txt >&2; die "rank $rank ends with $code, not 69"; }
    grep -qF "$text" rank$rank.txt || { cat rank*.txt >&2; die "rank $rank does not say: $text"; }
    [ "$(grep -oE 'rank [0-9] of [0-9] was lost' rank$rank.txt | sort -u | wc -l)" -le 1 ] ||
      { cat rank$rank.txt >&2; die "rank $rank names others too"; }
  done
  local took=$(($(now_ms) - begin))
  [ $took -le "$limit" ] || die "the others took $took ms, more than $limit"
  echo "${#pids[@]} ranks, $text: $took ms"
}

for place in folder tcp; do
  for lost in 0 2; do
    start 4 $place
    kill -9 "${pids[$lost]}"
    # Whose process has ended is known at once in the folder; over TCP after a roll call.
    survivors_say $lost "rank $lost of 4" 5000
  done
done

start 3 folder
kill -STOP "${pids[1]}"
survivors_say 1 "rank 1 of 3 was lost: it does not answer" $((timeout_ms + 5000))
kill -9 "${pids[1]}"

# The rank that keeps the TCP store hangs: the store does not even refuse.
start 2 tcp
kill -STOP "${pids[0]}"
survivors_say 0 "rank 0 of 2" $((timeout_ms + 5000))
kill -9 "${pids[0]}"

for place in folder tcp; do
  for failing in 0 1; do
    start 3 $place $failing
    survivors_say $failing "rank $failing of 3 failed: faces.idx: record 7 is cut off" 5000
    code=0
    wait "${pids[$failing]}" || code=$?
    [ $code = 65 ] || die "the rank that failed ends with $code, not 65"
  done
done

# Ranks that wait for a device run no collective: the watch tells them.
for place in folder tcp; do
  start 4 $place -1 watched
  kill -9 "${pids[2]}"
  survivors_say 2 "rank 2 of 4" 5000
  start 3 $place 1 watched
  survivors_say 1 "rank 1 of 3 failed: faces.idx: record 7 is cut off" 5000
done

# Work of a device that a rank never joins, though its connections stand: the others do not wait for ever.
for place in folder tcp; do
  start 4 $place 2 stuck
  survivors_say 2 "rank 2 of 4 was lost: it does not answer" $((timeout_ms + 5000))
  kill -9 "${pids[2]}"
done
