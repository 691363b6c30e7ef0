# What PyTorch saves is read to the bit, and InsightFace's weights are extracted with and started from: embeddings are those
# that PyTorch computes, class centers those of the ranks.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
for torch_python in python3 /usr/bin/python3; do
  "$torch_python" -c 'import numpy, torch' 2>/dev/null && break
  torch_python=
done
[ -n "$torch_python" ] || { echo "SKIPPED: needs python3-torch (tools/packages.txt)"; exit 77; }

# Tensors of every type, view and container, and whole checkpoints with their optimizers.
mkdir files
"$torch_python" "$UIR_SOURCE/tests/oracle/torch_files.py" files
for file in files/*.pt; do
  "$UIR_BIN/torch_dump" "$file" >dump.txt || die "$file cannot be read"
  same dump.txt "${file%.pt}.txt"
done
[ "$(ls files/*.pt | wc -l)" = 30 ] || die "files are missing"
sed -i '1s/..$/ff/' files/state.zip.txt
if cmp -s files/state.zip.txt files/state.legacy.txt; then die "the comparison cannot fail"; fi

"$torch_python" "$UIR_SOURCE/tests/oracle/torch_weights.py" make .
cat >exp.yaml <<'END'
paths: {run: run}
data:
  sources:
    - {name: people, role: labeled, type: list, list: labels.lst, root: faces, format: path_label}
    - {name: test, role: test, type: folder, root: faces}
  augment: {mirror: false}
model: {type: mobilefacenet, width: 0.0625, embedding_size: 32}
train:
  epochs: 1
  threads: 1
  precision: float32
  batch: {labeled: 5, unlabeled: 0}
  optimizer: {type: sgd, weight_decay: 0}
  schedule: {type: step, base_lr: 1.0e-30, steps: [2]}
END
expect 0 uir-index exp.yaml

extract() {
  rm -rf run/embeddings
  expect 0 uir-extract exp.yaml --set extract.sets=[test] --set extract.weights="$1"
  "$torch_python" "$UIR_SOURCE/tests/oracle/torch_weights.py" compare . run/embeddings/test ||
    die "$1: other embeddings than PyTorch's"
}
extract bare.pth
says "loaded 333 of 333 tensors of the backbone"
says "assumed: RGB and (x - 127.5) / 127.5"
extract legacy.pth
extract prefixed.pt
says "PyTorch file, state_dict"
extract old.pth
says "loaded 283 of 333 tensors of the backbone"
says "without num_batches_tracked of 50 batch norms"
# As training tools leave it: behind prefixes, in dicts, with heads and settings beside it. The same to the bit.
extract_plain() { extract "$1" && same run/embeddings/test/embeddings.npy plain.npy; }
extract bare.pth
cp run/embeddings/test/embeddings.npy plain.npy
extract_plain lightning.ckpt
says "(PyTorch file, state_dict): loaded 333 of 333 tensors of the backbone, behind 'model.'"
says "left out what is not the backbone's: head.kernel, head.t"
extract_plain nested.pt
says "PyTorch file, net.backbone"
extract_plain ema.pt
says "behind 'ema.module.'"
extract_plain beside.pth
says "warning: weights: left out what is not the backbone's: head.kernel, head.t; if one of them stands between"
extract_plain first.pt
says "PyTorch file, model)"
says "left out what stands under other keys: model_ema"
extract ranks
says "rank 0 of 2 of InsightFace"
same_centers() {
  "$torch_python" - "$@" <<'END' || die "other class centers than the ranks'"
import sys
import numpy as np
found, expected = np.load("run/embeddings/class_centers/embeddings.npy"), np.load("centers.npy")
assert np.array_equal(found, expected[[int(i) for i in sys.argv[1:]]]), np.abs(found - expected).max()
END
}
same_centers 0 1 2 3 4

# Starting from them: a rate so small that one step leaves the class centers as they were.
start() {
  rm -rf run/checkpoints run/embeddings
  expect 75 uir-train exp.yaml --stop-after 1 --set train.init.from="$1" "${@:2}"
}
start bare.pth
says "loaded 333 of 333"
says "class centers at random: the weights bring none"
start ranks
says "class centers: 5 of 5 from 2 rank(s) of InsightFace"
says "class 4 center 4"
cp out.txt started.txt
expect 0 uir-extract exp.yaml --set extract.sets=[test]
same_centers 0 1 2 3 4
start ranks --nproc-per-node 2 --set train.batch.labeled=4
expect 0 uir-extract exp.yaml --set extract.sets=[test]
same_centers 0 1 2 3 4
start ranks --set train.init.centers=false
says "class centers at random (train.init.centers is false)"
start ranks/checkpoint_gpu_0.pt
says "class centers: 0 of 3 taken, all 5 start at random"

# Centers go by label, not by position: one label has no image.
sed 's/labels.lst/gap.lst/' exp.yaml >gap.yaml
expect 0 uir-index gap.yaml --set paths.index=gap_index
rm -rf run/checkpoints run/embeddings
expect 75 uir-train gap.yaml --set paths.index=gap_index --set train.init.from=ranks --stop-after 1
says "class centers: 4 of 5"
says "class 4 center 4"
expect 0 uir-extract gap.yaml --set paths.index=gap_index --set extract.sets=[test]
same_centers 0 1 3 4

# What does not fit is said, with the file and what to do.
expect 65 uir-extract exp.yaml --set extract.weights=incomplete.pth
says "incomplete.pth: the weights do not fit the network: missing 1 (conv_sep.layers.0.weight)"
expect 65 uir-extract exp.yaml --set extract.weights=bare.pth --set model.embedding_size=16
says "of another shape"
# refused WEIGHTS WORDS…: as data, with the file's name; by_all: by all that take weights.
takers="extract"
refused() {
  for taker in $takers; do
    case $taker in
      extract) expect 65 uir-extract exp.yaml --set extract.weights="$1" ;;
      export) expect 65 uir-export exp.yaml out.onnx --weights "$1" ;;
      train) expect 65 uir-train exp.yaml --set paths.run=other --set paths.index=run/index --set train.init.from="$1" ;;
    esac
    says "$(basename "$1"): "
    for words in "${@:2}"; do says "$words"; done
  done
  [ ! -e out.onnx ] || die "$1: exported all the same"
}
by_all() { takers="extract export train" refused "$@"; }
refused whole.pt "holds no dict but an object of 'torch_networks.MobileFaceNet'" "save model.state_dict() with torch.save"
refused in_dict.pt "'model' is an object of 'torch_networks.MobileFaceNet'" "save model.state_dict()"
by_all two.pt "two networks, behind the prefixes 'student.' and 'teacher.'"
refused deeper.pt "unknown 1 (features.layers.99.weight)"
refused quantised.pt "'conv_sep.layers.0.weight' (torch._utils._rebuild_qtensor) is a quantised tensor"
by_all script.pt "is a TorchScript program" "state_dict()"
refused arrays.npz "is an archive of NumPy arrays" "safetensors.numpy.save_file"
refused array.npy "is a NumPy array"
refused pickle.bin "is a Python pickle that torch.save did not write"
refused packed.pth.gz "is a gzip-compressed file" "unpack it"
refused packed.zip "without data.pkl" "'bare.pth'"
refused repacked.pth "is compressed (method 8)"
refused float8.safetensors 'unsupported dtype "F8_E4M3"' "float32"
expect 0 uir-export exp.yaml ours.pt --weights bare.pth
refused ours.pt "is a TorchScript program"
expect 0 uir-export exp.yaml ours.onnx --weights bare.pth
expect 0 uir-export exp.yaml back.pth --weights ours.onnx
printf '<!doctype html>\n<title>Sign in</title>' >page.pth
by_all page.pth "is a web page (HTML)"
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 5\n' 7 >pointer.pth
refused pointer.pth "is a Git-LFS pointer" "git lfs pull"
: >nothing.pth
refused nothing.pth "is an empty file"
mkdir distributed shards && touch distributed/__0_0.distcp
by_all distributed "is a distributed checkpoint of PyTorch" "holds its .metadata"
echo '{"weight_map": {"a": "model-00001-of-00002.safetensors"}}' >shards/model.safetensors.index.json
for what in shards shards/model.safetensors.index.json; do
  expect 66 uir-extract exp.yaml --set extract.weights=$what
  says "the shard 'model-00001-of-00002.safetensors' is not there"
done
refused run "is the folder of a run"
for how in "uir-extract exp.yaml --set extract.weights=absent.pth" "uir-export exp.yaml out.onnx --weights absent.pth"; do
  expect 66 $how
  says "absent.pth"
done
expect 65 uir-extract exp.yaml --set extract.weights=nothing.pt
says "nothing.pt: no state dict: it has the keys weights"
expect 65 uir-extract exp.yaml --set extract.weights=mixed
says "checkpoint_gpu_0.pt: 5 class centers, but of 7 over 2 ranks this one holds 4"
cp -r ranks holes && mv holes/checkpoint_gpu_1.pt holes/checkpoint_gpu_2.pt
expect 65 uir-extract exp.yaml --set extract.weights=holes
says "that of rank 1 is missing"
