# Training and extraction by two ranks: killed, stopped and resumed to the same final weights, bit for bit.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
write_tiny_config exp.yaml
train() { uir-train --nproc-per-node 2 exp.yaml --set paths.index=index --set train.epochs=12 --set train.log_every=1 "$@"; }

# Without an index rank 0 builds it, and the others wait: longer than a collective may take.
expect 0 train --set paths.run=whole
says "index: no index yet: indexing first; the other ranks (1) wait for rank 0"
says "2 ranks; 16 identities"
want=$(weights_of whole)
steps=$(wc -l <whole/log.jsonl)

# What cannot be indexed ends all ranks, and is said once.
sed 's#type: synthetic, identities: 16, images_per_identity: 10,#type: folder, root: nowhere,#' exp.yaml >nowhere.yaml
expect 66 uir-train --nproc-per-node 2 nowhere.yaml --set paths.run=refused
[ "$(grep -c "cannot open the folder" out.txt)" = 1 ] || die "an error of indexing is not said once"
[ ! -e refused/index ] || die "a refused index left something"

# A batch that the ranks cannot share is refused before anything is written.
expect 78 train --set paths.run=uneven --set train.batch.labeled=13
says "cannot be shared evenly by 2 ranks"

# A stop signal to one rank alone stops both in the same step.
(code=0; train --set paths.run=signalled >signalled.txt 2>&1 || code=$?; echo $code >code.txt) &
for _ in $(seq 600); do grep -q '^step 3/' signalled.txt 2>/dev/null && break; sleep 0.05; done
pkill -TERM -n -f "uir-train exp.yaml.*paths.run=signalled"
wait
[ "$(cat code.txt)" = 75 ] || { cat signalled.txt >&2; die "exit code $(cat code.txt) after SIGTERM, expected 75"; }
expect 0 train --set paths.run=signalled --resume
[ "$(weights_of signalled)" = "$want" ] || die "weights differ after SIGTERM and resume"

# kill -9, 25 times: of the launcher, with which its ranks end, or of a rank.
for attempt in $(seq 25); do
  # A short timeout: a rank that is killed before the ranks met is missed only then.
  (exec setsid uir-train --nproc-per-node 2 exp.yaml --set train.ranks.timeout_s=3 --set paths.index=index --set train.epochs=12 --set train.log_every=1 \
    --set paths.run=killed --resume >killed.txt 2>&1) &
  pid=$!
  sleep "1.$((RANDOM % 10))"
  if [ $((attempt % 2)) = 0 ]; then
    kill -KILL $pid 2>/dev/null || true
  else
    pkill -KILL -n -f "uir-train exp.yaml.*paths.run=killed" || true
  fi
  wait $pid 2>/dev/null || true
done
expect 0 train --set paths.run=killed --resume
[ "$(weights_of killed)" = "$want" ] || die "weights differ after kill -9 and resume"
[ "$(wc -l <killed/log.jsonl)" = "$steps" ] || die "lines lost or repeated in the log of the killed run"

# A checkpoint of two ranks serves one, and the other way round; the tools say that the last bits differ.
expect 75 train --set paths.run=changing --stop-after 20
expect 75 uir-train exp.yaml --set paths.index=index --set train.epochs=12 --set paths.run=changing --resume --stop-after 40
says "not the same to the last bit"
expect 0 train --set paths.run=changing --resume
[ "$(wc -l <changing/log.jsonl)" = "$steps" ] || die "the run with changing ranks has another number of steps"

# Embeddings do not depend on the number of ranks.
expect 0 uir-extract exp.yaml --set paths.index=index --set paths.run=whole --set extract.batch=7
mv whole/embeddings alone
expect 0 uir-extract --nproc-per-node 2 exp.yaml --set paths.index=index --set paths.run=whole --set extract.batch=7
for set in people.held_out strangers; do
  for file in embeddings.npy embeddings_mirrored.npy classes.npy items.tsv manifest.json; do
    same "whole/embeddings/$set/$file" "alone/$set/$file"
  done
done
