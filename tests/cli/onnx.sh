# ONNX networks as the network of an extraction: the same embeddings as the weights that they were made of, decided
# once, refused by name.
. "$UIR_SOURCE/tests/cli/lib.sh"

write_tiny_config exp.yaml
expect 0 uir-index exp.yaml
expect 0 uir-train exp.yaml --set train.epochs=1 --set train.precision=float32
float32=(--set train.precision=float32 --set extract.sets=[strangers])
expect 0 uir-extract exp.yaml "${float32[@]}"
mv run/embeddings/strangers own
expect 0 uir-export exp.yaml net.onnx --check-images 2
expect 0 uir-export exp.yaml inside.onnx --normalize --fold-batch-norms --check-images 2

# difference FOLDER FOLDER: largest difference of two stores' embeddings, relative to the largest number.
difference() {
  od -A n -v -t f4 -w4 -j 128 "$1/embeddings.npy" >a.txt
  od -A n -v -t f4 -w4 -j 128 "$2/embeddings.npy" >b.txt
  paste a.txt b.txt | awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > m) m = d; a = $1 < 0 ? -$1 : $1; if (a > s) s = a } END { print m / s }'
}
agrees() { awk -v d="$(difference "$1" "$2")" -v limit="$3" 'BEGIN { exit !(d <= limit && d == d) }' || die "$1 and $2 differ by $(difference "$1" "$2")"; }

for network in net inside; do
  expect 0 uir-extract exp.yaml "${float32[@]}" --set extract.weights=$network.onnx
  says "ONNX network of uir"
  says "its metadata"
  says "engine: "
  agrees own run/embeddings/strangers 1e-5
  grep -q '"engine"' run/embeddings/strangers/manifest.json || die "the manifest does not say which engine"
  expect 0 uir-extract exp.yaml "${float32[@]}" --set extract.weights=$network.onnx
  says "up to date"
  says "onnx.json"
done
# Engines that this build lacks are refused by name.
for engine in openvino onnxruntime opencv; do
  rm -rf run/embeddings/strangers
  if uir-extract exp.yaml "${float32[@]}" --set extract.weights=net.onnx --set extract.onnx.engine=$engine >out.txt 2>&1; then
    agrees own run/embeddings/strangers 1e-5
  else
    says "extract.onnx.engine: $engine, but this build has none"
    [ $engine != opencv ] || die "every build has OpenCV"
  fi
done
grep -q OpenCV run/embeddings/strangers/manifest.json || die "OpenCV was asked for"
rm -r run/embeddings/strangers
expect 0 uir-extract exp.yaml "${float32[@]}" --set extract.weights=net.onnx --set extract.onnx.engine=libtorch
agrees own run/embeddings/strangers 1e-5
expect 0 uir-eval exp.yaml --set eval.protocols='[{name: pairs, type: all_pairs, set: strangers, far: [0.1]}]'
expect 0 uir-extract exp.yaml --nproc-per-node 2 "${float32[@]}" --set extract.weights=net.onnx --set extract.onnx.engine=libtorch
agrees own run/embeddings/strangers 1e-5

# Strangers who are known: such a network has no class centers, so faces of the known people stand for them.
known=(--set paths.run=known --set paths.index=run/index)
expect 0 uir-extract exp.yaml --set extract.weights=net.onnx --set extract.sets=[people,people.held_out,passers_by] "${known[@]}"
expect 66 uir-index overlap exp.yaml "${known[@]}"
says "--centers SET"
expect 0 uir-index overlap exp.yaml --centers people "${known[@]}"
[ -s known/overlap/overlap.json ] || die "no overlap was reported"

# Two precisions side by side are warned about.
expect 0 uir-extract exp.yaml --set extract.sets=[strangers] --set extract.weights=net.onnx --set extract.onnx.engine=libtorch \
  --set train.precision=bf16 --set paths.run=short --set paths.index=run/index
agrees run/embeddings/strangers short/embeddings/strangers 0.05
expect 0 uir-eval exp.yaml --set eval.protocols='[{name: pairs, type: all_pairs, set: strangers, far: [0.1]}]' \
  --set eval.models='[{name: long, run: run}, {name: short, run: short}]'
says "different precision (short: BFloat16, long: Float)"

# Into training: a file that is one of our networks becomes weights, as it is or folded, with its normalisation or without.
for network in net inside; do
  expect 0 uir-export --weights $network.onnx $network.pth
  says "ONNX network"
  rm -r run/embeddings/strangers
  expect 0 uir-extract exp.yaml "${float32[@]}" --set extract.weights=$network.pth
  agrees own run/embeddings/strangers 1e-5
done
expect 64 uir-export --weights net.onnx net.onnx
says "name another file"
expect 0 uir-train exp.yaml --set paths.run=tuned --set paths.index=run/index --set train.init.from=inside.onnx --set train.epochs=1
says "ONNX network"

# Wrong input: one message with the file's name, nothing written.
refused() {
  local code=$1 file=$2
  rm -rf run/embeddings/strangers run/onnx.json
  expect "$code" uir-extract exp.yaml "${float32[@]}" --set extract.weights="$file" "${@:4}"
  says "$file"
  says "$3"
  [ ! -e run/embeddings/strangers ] && [ ! -e run/onnx.json ] && [ ! -e run/onnx.trial ] || die "something was written for $file"
}
head -c 2000 net.onnx >cut.onnx
refused 65 cut.onnx "damaged or cut off"
head -c $(($(stat -c %s net.onnx) / 2)) net.onnx >half.onnx
refused 65 half.onnx "damaged or cut off"
echo "not a network" >text.onnx
refused 65 text.onnx "a text file"
refused 65 net.onnx "no output" --set extract.onnx.output=nothing

# Without metadata nothing tells the order of colours; faces of one person would, and there are too few here.
python=""
for candidate in python3 /usr/bin/python3; do
  "$candidate" -c 'import onnx' 2>/dev/null && python=$candidate && break
done
[ -n "$python" ] || { echo "SKIPPED from here on: needs python3-onnx (tools/packages.txt)"; exit 0; }
"$python" - <<'END'
import onnx
network = onnx.load("net.onnx")
del network.metadata_props[:]
onnx.save(network, "plain.onnx")
network.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
onnx.save(network, "single.onnx")
network.graph.input[0].type.tensor_type.shape.dim[3].dim_value = 96
onnx.save(network, "narrow.onnx")
network = onnx.load("net.onnx")
first = next(node for node in network.graph.node if node.op_type == "Conv")
next(a for a in first.attribute if a.name == "strides").ints[:] = [4, 4]
del network.metadata_props[:]
onnx.save(network, "other.onnx")
network = onnx.load("net.onnx")
for weights in network.graph.initializer:
    if weights.name.endswith(".bias"):
        weights.raw_data = b"\x00\x00\xc0\x7f" * (len(weights.raw_data) // 4)
onnx.save(network, "nan.onnx")
END
refused 78 plain.onnx "extract.onnx.pixels"
refused 65 narrow.onnx "112 x 96"
refused 65 nan.onnx "not finite"
expect 65 uir-export --weights other.onnx other.pth
says "layer 'conv1' of"
told=(--set extract.onnx.pixels=signed --set extract.onnx.color_order=rgb)
for file in plain single; do
  for engine in libtorch opencv; do
    rm -rf run/embeddings/strangers
    expect 0 uir-extract exp.yaml "${float32[@]}" --set extract.weights=$file.onnx "${told[@]}" --set extract.onnx.engine=$engine
    agrees own run/embeddings/strangers 1e-5
  done
done
