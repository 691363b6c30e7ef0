# Wrong input: one clear message with place and remedy, the documented exit code, nothing half-written.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
write_tiny_config exp.yaml

# The command line.
expect 64 uir-train
says "no experiment file given"
expect 64 uir-train exp.yaml --no-such-flag
says "uir-train --help"
expect 66 uir-train absent.yaml
says "absent.yaml: cannot open"
expect 0 uir-train --help
expect 0 uir-train --version
expect 0 uir-train --set uir.weight=7 exp.yaml --print-config
says "reduction: released"
says "weight: 7"
expect 64 uir-train exp.yaml --stop-after=-3

# Paths: those of the file are relative to it, those of --set to the folder where they are typed.
mkdir elsewhere && cp exp.yaml elsewhere
expect 0 uir-train elsewhere/exp.yaml --print-config
says "run: \"$PWD/elsewhere/run\""
expect 0 uir-train elsewhere/exp.yaml --print-config --set paths.run=mine --set train.init.from=../start
says "run: \"$PWD/mine\""
says "index: \"$PWD/mine/index\""
says "from: \"$(dirname "$PWD")/start\""

# The config: all problems at once, with places.
cat >bad.yaml <<'EOF'
paths: {run: run}
head:
  type: combined
  scal: 64
  scale: -1
train: {epochs: many}
EOF
expect 78 uir-train bad.yaml
says "bad.yaml:4:3: head.scal: unknown key (did you mean 'scale'?)"
says "bad.yaml:5:10: head.scale: is '-1', expected greater than 0"
says "bad.yaml:6:17: train.epochs: is 'many', expected integer"
expect 78 uir-train exp.yaml --set train.device=cuda:99

# What is not there yet. An index is built where there is none; but not for what lacks something else.
expect 66 uir-extract exp.yaml
says "run uir-train first"
[ ! -e run ] || die "an index was built for nothing"
expect 0 uir-index exp.yaml
expect 66 uir-eval exp.yaml
says "run uir-extract first"

flip() { python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(-9, 2); b = f.read(1); f.seek(-9, 2); f.write(bytes([b[0] ^ 1]))' "$1"; }

# A damaged index: a file cut short, a bit flipped.
for damage in "truncate -s -1" flip; do
  cp -r run/index whole_index
  $damage run/index/labels.i64
  expect 65 uir-train exp.yaml
  says "run/index/labels.i64"
  says "uir-index"
  rm -rf run/index && mv whole_index run/index
done

# A run, then its checkpoints damaged: the previous one is used, and said so; all damaged: refused.
expect 75 uir-train exp.yaml --stop-after 10
flip "$(latest_of run)/model.safetensors"
expect 75 uir-train exp.yaml --resume --stop-after 6
says "warning: "
says "resuming at step 5"

# Resuming with another experiment or other data.
expect 78 uir-train exp.yaml --resume --set head.scale=20
says "was:  scale: 16"
says "now:  scale: 20"
grep -q 'scale: 16' run/config.yaml || die "a refused resume changed config.yaml"
expect 64 uir-train exp.yaml --resume --stop-after 2
says "the run is at step 6 already"
write_tiny_config other.yaml
sed -i 's/identities: 16/identities: 17/' other.yaml
expect 0 uir-index other.yaml --set paths.index=other_index
expect 78 uir-train other.yaml --set paths.index=other_index --resume
says "the data differs"
for model in run/checkpoints/*/model.safetensors; do flip "$model"; done
expect 65 uir-train exp.yaml --resume

# Images: cut, empty, no image, absent, outside the root; labels that cannot be.
"$UIR_BIN/make_faces" faces 4 4
cat >files.yaml <<'EOF'
paths: {run: files_run}
data:
  sources:
    - {name: faces, role: labeled, type: folder, root: faces}
model: {type: mobilefacenet, width: 0.0625, embedding_size: 32}
train: {epochs: 2, threads: 1, batch: {labeled: 4, unlabeled: 0}, log_every: 1}
EOF
expect 0 uir-index files.yaml
truncate -s 1500 faces/person_0001/person_0001_0002.jpg
expect 65 uir-train files.yaml
says "person_0001/person_0001_0002.jpg"
: >faces/person_0002/person_0002_0001.jpg
echo "no image" >faces/person_0003/person_0003_0004.jpg
expect 0 uir-index files.yaml --verify
says "person_0001/person_0001_0002.jpg"
says "person_0002/person_0002_0001.jpg"
says "person_0003/person_0003_0004.jpg"
rm -rf files_run/checkpoints
expect 0 uir-train files.yaml

list_config() {
  printf 'paths: {run: list_run}\ndata: {sources: [{name: l, role: labeled, type: list, list: l.txt, root: faces, format: path_label}]}\n' >list.yaml
  printf '%b' "$1" >l.txt
}
list_config 'person_0000/person_0000_0001.jpg\t0\nperson_0000/person_0000_9999.jpg\t0\n'
expect 66 uir-index list.yaml
says "person_0000_9999.jpg"
list_config 'person_0000/person_0000_0001.jpg\t0\nperson_0000/person_0000_0002.jpg\n'
expect 65 uir-index list.yaml
says "l.txt"
says "2"
list_config '../exp.yaml\t0\n'
expect 65 uir-index list.yaml
says "l.txt"
list_config 'person_0000/person_0000_0001.jpg\t-5\n'
expect 65 uir-index list.yaml

# Disk full (files limited to 40 KB): exit 74 naming the path, old output intact, nothing half-written.
write_tiny_config full.yaml full_run
expect 0 uir-index full.yaml
expect 75 uir-train full.yaml --stop-after 5
before=$(weights_of full_run)
code=0
(ulimit -f 40; exec uir-train full.yaml --resume) >out.txt 2>&1 || code=$?
[ $code = 74 ] || { cat out.txt >&2; die "exit code $code on a full disk, expected 74"; }
says "full_run/checkpoints"
[ "$(weights_of full_run)" = "$before" ] || die "a full disk damaged the old checkpoint"
[ -z "$(find full_run -name '*.tmp-*')" ] || die "a full disk left temporaries"
expect 0 uir-train full.yaml --resume
code=0
(ulimit -f 2; exec uir-extract full.yaml) >out.txt 2>&1 || code=$?
[ $code = 74 ] || { cat out.txt >&2; die "exit code $code on a full disk, expected 74"; }
expect 0 uir-extract full.yaml
expect 74 bash -c 'uir-eval full.yaml >/dev/full'
