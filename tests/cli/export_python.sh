# Exported files in Debian's PyTorch and ONNX: names, values to the bit, embeddings; for every kind of network.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
python=""
for candidate in python3 /usr/bin/python3; do
  "$candidate" -c 'import numpy, onnx, torch' 2>/dev/null && python=$candidate && break
done
[ -n "$python" ] || { echo "SKIPPED: needs python3-torch, python3-onnx and python3-numpy (tools/packages.txt)"; exit 77; }
oracle() { "$python" "$UIR_SOURCE/tests/oracle/export.py" "$@"; }

oracle images faces 12
export_and_check() {
  local name=$1 model=$2 flag
  cat >"$name.yaml" <<END
paths: {run: $name}
data:
  sources:
    - {name: people, role: labeled, type: synthetic, identities: 8, images_per_identity: 6}
    - {name: faces, role: test, type: folder, root: faces}
model: $model
train: {epochs: 1, threads: 1, precision: float32, batch: {labeled: 12, unlabeled: 0}}
extract: {sets: [faces], mirrored: false}
END
  expect 0 uir-index "$name.yaml"
  expect 0 uir-train "$name.yaml"
  expect 0 uir-extract "$name.yaml"
  expect 0 uir-export "$name.yaml" "$name.pth"
  expect 0 uir-export "$name.yaml" "$name.pt"
  for flag in 11 13 17; do expect 0 uir-export "$name.yaml" "${name}_$flag.onnx" --opset $flag --keep-batch-norms --check-images 2; done
  for flag in pt onnx; do expect 0 uir-export "$name.yaml" "${name}_inside.$flag" --normalize --fold-batch-norms; done
  expect 0 uir-export "$name.yaml" "${name}_default.onnx"
  oracle check --weights "$(latest_of "$name")/model.safetensors" --store "$name/embeddings/faces" --files "$name"
}
export_and_check mobile '{type: mobilefacenet, width: 0.0625, embedding_size: 32}'
export_and_check large '{type: mobilefacenet, large: true, width: 0.0625, embedding_size: 24}'
export_and_check residual '{type: iresnet, depth: 18, width: 0.125, embedding_size: 40}'

# The comparison can fail: on one bit of one tensor.
cp "$(latest_of mobile)/model.safetensors" other.safetensors
"$python" -c 'f = open("other.safetensors", "r+b"); f.seek(-9, 2); b = f.read(1); f.seek(-9, 2); f.write(bytes([b[0] ^ 1]))'
expect 1 oracle check --weights other.safetensors --store mobile/embeddings/faces --files mobile
