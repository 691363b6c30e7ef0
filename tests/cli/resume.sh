# A run that is stopped, killed or signalled continues to the same final weights, bit for bit.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
write_tiny_config exp.yaml
expect 0 uir-index exp.yaml --set paths.index=index
train() { uir-train exp.yaml --set paths.index=index --set train.log_every=1 "$@"; }

expect 0 train --set paths.run=whole
want=$(weights_of whole)
steps=$(wc -l <whole/log.jsonl)

# Stopped on request after any step, checkpoint or not.
expect 75 train --set paths.run=stopped --stop-after 7
says "stopped at step 7"
expect 64 train --set paths.run=stopped
says "holds a run at step 7; continue it with --resume"
expect 0 train --set paths.run=stopped --resume
[ "$(weights_of stopped)" = "$want" ] || die "resumed weights differ"
[ "$(wc -l <stopped/log.jsonl)" = "$steps" ] || die "the resumed log has another number of lines"

# Resuming what is finished changes nothing.
expect 0 train --set paths.run=stopped --resume
[ "$(weights_of stopped)" = "$want" ] || die "resuming a finished run changed it"

# Another experiment, other data: refused with what differs; what does not enter the weights may.
expect 78 train --set paths.run=stopped --resume --set train.seed=99 --set train.max_nonfinite_steps=3
says "cannot resume, the experiment differs:"
says "now:  seed: 99"
! grep -q max_nonfinite_steps out.txt || die "an option that may differ was held against the run"

# SIGTERM saves and exits 75.
(exec "$UIR_BIN/uir-train" exp.yaml --set paths.index=index --set train.log_every=1 --set paths.run=signalled >signalled.txt 2>&1) &
pid=$!
for _ in $(seq 600); do grep -q '^step 3/' signalled.txt 2>/dev/null && break; sleep 0.05; done
kill -TERM $pid
code=0; wait $pid || code=$?
[ $code = 75 ] || { cat signalled.txt >&2; die "exit code $code after SIGTERM, expected 75"; }
expect 0 train --set paths.run=signalled --resume
[ "$(weights_of signalled)" = "$want" ] || die "weights differ after SIGTERM and resume"

# kill -9 again and again.
for attempt in 1 2 3 4 5 6 7 8; do
  (exec "$UIR_BIN/uir-train" exp.yaml --set paths.index=index --set paths.run=killed --resume >killed.txt 2>&1) &
  pid=$!
  sleep "0.$((RANDOM % 9 + 1))"
  sleep "$((attempt / 3))"
  kill -KILL $pid 2>/dev/null || true
  wait $pid 2>/dev/null || true
done
expect 0 train --set paths.run=killed --resume
[ "$(weights_of killed)" = "$want" ] || die "weights differ after kill -9 and resume"
[ "$(wc -l <killed/log.jsonl)" = "$steps" ] || die "lines lost or repeated in the log of the killed run"

# Extraction continues where it was killed, and the store is the same byte for byte.
cat >many.yaml <<'EOF'
paths: {run: whole, index: many_index}
data: {sources: [{name: many, role: test, type: synthetic, identities: 300, images_per_identity: 4}]}
model: {type: mobilefacenet, width: 0.0625, embedding_size: 32}
train: {threads: 1}
extract: {batch: 7}  # the last batch is not full
EOF
expect 0 uir-index many.yaml
expect 0 uir-extract many.yaml
mv whole/embeddings undisturbed
(exec "$UIR_BIN/uir-extract" many.yaml >extract.txt 2>&1) &
pid=$!
for _ in $(seq 600); do [ -n "$(find whole/embeddings -name '*.npy' -size +80k 2>/dev/null)" ] && break; sleep 0.02; done
kill -KILL $pid 2>/dev/null || die "the extraction ended before it could be killed"
wait $pid 2>/dev/null || true
expect 0 uir-extract many.yaml
says "continuing at image"
same whole/embeddings/class_centers/embeddings.npy undisturbed/class_centers/embeddings.npy
for file in embeddings.npy embeddings_mirrored.npy classes.npy items.tsv manifest.json; do
  same whole/embeddings/many/$file undisturbed/many/$file
done
