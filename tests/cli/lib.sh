# What the command-line cases share. Sourced; runs in a scratch folder that is removed at the end.
# Expects UIR_BIN (folder of the programs) and UIR_SOURCE (root of the sources).
set -euo pipefail
: "${UIR_BIN:?}" "${UIR_SOURCE:?}"
export PATH="$UIR_BIN:$PATH"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

# No case ends without a word: `set -e` alone says nothing. (Under pipefail, `| head` fails now and then: use sed -n.)
trap 'echo "FAILED: line $LINENO: $BASH_COMMAND" >&2' ERR
die() { echo "FAILED: $*" >&2; exit 1; }

# expect CODE COMMAND…: runs it, output to out.txt, and compares the exit code.
expect() {
  local want=$1 code=0
  shift
  "$@" >out.txt 2>&1 || code=$?
  [ "$code" = "$want" ] || { cat out.txt >&2; die "exit code $code, expected $want: $*"; }
}

# says TEXT: the last command's output holds the text.
says() { grep -qF -- "$1" out.txt || { cat out.txt >&2; die "output lacks: $1"; }; }

# same FILE FILE: identical contents.
same() { cmp -s "$1" "$2" || die "$1 and $2 differ"; }

# A network and data so small that a run takes seconds.
write_tiny_config() {
  cat >"$1" <<EOF
paths: {run: ${2:-run}}
data:
  sources:
    - {name: people, role: labeled, type: synthetic, identities: 16, images_per_identity: 10, held_out: 0.2}
    - {name: passers_by, role: unlabeled, type: synthetic, identities: 30, images_per_identity: 2, first_identity: 100}
    - {name: strangers, role: test, type: synthetic, identities: 10, images_per_identity: 4, first_identity: 200}
model: {type: mobilefacenet, width: 0.0625, embedding_size: 32}
head: {type: combined, m2: 0.2, scale: 16}
uir: {weight: 1}
train:
  epochs: 3
  threads: 1  # so small that a second one only waits
  batch: {labeled: 12, unlabeled: 4}
  schedule: {type: linear, base_lr: 0.1}
  checkpoint: {every_steps: 5}
  log_every: 5
eval:
  protocols:
    - {name: pairs, type: all_pairs, set: strangers, far: [0.1]}
    - {name: open_set, type: open_set, set: strangers, far: [0.1]}
    - {name: centers, type: separation}
    - {name: rejection, type: rejection, known: [people.held_out], strangers: [strangers]}
EOF
}

# sha256 of what a run learned: weights, class centers and optimizer state of its latest checkpoint.
latest_of() { local name rest; read -r name rest <"$1/checkpoints/latest"; echo "$1/checkpoints/$name"; }
weights_of() { (cd "$(latest_of "$1")" && cat ./*.safetensors | sha256sum); }
