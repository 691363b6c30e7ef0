# uir-export: what it writes and says; wrong input leaves nothing behind.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
write_tiny_config exp.yaml
expect 0 uir-index exp.yaml
expect 75 uir-train exp.yaml --stop-after 5
checkpoint=$(latest_of run)

# Every kind of file, checked on images of the index; options of each.
expect 0 uir-export exp.yaml out/model.onnx
says "weights: $PWD/run/checkpoints/step-0000000005"
says "check: largest difference"
says "10 images of the index in batches of 1, 3, 1, 5"
expect 0 uir-export exp.yaml out/inside.onnx --normalize --opset 11 --check-images 3
says "3 images of the index in batches of 1, 2"
expect 0 uir-export exp.yaml out/raw.onnx --keep-batch-norms
grep -q running_var out/raw.onnx && ! grep -q running_var out/model.onnx || die "batch norms are folded unless they are to be kept"
expect 0 uir-export exp.yaml out/model.pt
says "TorchScript"
expect 0 uir-export exp.yaml out/inside.pt --normalize --fold-batch-norms
expect 0 uir-export exp.yaml out/model.pth

# Weights of ours need no experiment, and give the same file.
expect 0 uir-export --weights "$checkpoint" out/again.onnx
says "10 drawn faces"
same out/model.onnx out/again.onnx
expect 0 uir-export --weights "$checkpoint/model.safetensors" out/again.pth
same out/model.pth out/again.pth
expect 0 uir-export exp.yaml --set extract.weights="$checkpoint" out/again.pt
same out/model.pt out/again.pt

# What is refused leaves the folder as it was.
ls -l --time-style=full-iso out >before.txt
refuses() {
  expect "$@"
  ls -l --time-style=full-iso out | cmp -s - before.txt || die "a refused export changed the folder: $*"
}
refuses 65 uir-export exp.yaml out/model.onnx --tolerance 0
says "not written: the file differs from the network"
says "allowed is 0"
refuses 65 uir-export exp.yaml out/new.onnx --tolerance 0
refuses 64 uir-export
says "uir-export --help"
refuses 64 uir-export out/new.onnx
says "--weights"
refuses 64 uir-export exp.yaml
says "expected .onnx, .pt (TorchScript) or .pth (state dict)"
refuses 64 uir-export exp.yaml out/new.bin
refuses 64 uir-export exp.yaml out/new.onnx --opset 10
says "expected 11 to 21"
refuses 64 uir-export exp.yaml out/new.pt --opset 12
refuses 64 uir-export exp.yaml out/new.pth --normalize
refuses 64 uir-export exp.yaml out/new.pth --fold-batch-norms
refuses 64 uir-export exp.yaml out/new.onnx --check-images 0
refuses 64 uir-export exp.yaml out/new.onnx --tolerance -1
refuses 64 uir-export --weights "$checkpoint" out/new.onnx --set model.width=1
refuses 66 uir-export --weights absent out/new.onnx
refuses 66 uir-export absent.yaml out/new.onnx
refuses 66 uir-export exp.yaml out/new.onnx --set paths.run=elsewhere
says "run uir-train first"
refuses 65 uir-export exp.yaml out/new.onnx --set model.width=0.125
says "do not fit the network"
: >file
refuses 73 uir-export exp.yaml file/new.onnx
for kind in onnx pt pth; do
  refuses 74 bash -c "ulimit -f 40; exec uir-export exp.yaml out/new.$kind"
  says "out/new.$kind"
done

# Weights that are broken, that are not numbers, that do not say what they are, or that lie about it.
change() { python3 - "$@"; }
change "$checkpoint/model.safetensors" <<'END'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", data[:8])[0]
header, rest = json.loads(data[8:8 + size]), data[8 + size:]
def write(name, header, rest):
    text = json.dumps(header).encode()
    open(name, "wb").write(struct.pack("<Q", len(text)) + text + rest)
begin = header["features.layers.3.bias"]["data_offsets"][0]
write("nan.safetensors", header, rest[:begin] + struct.pack("<f", float("nan")) + rest[begin + 4:])
def with_architecture(name, architecture):
    changed = json.loads(json.dumps(header))
    changed["__metadata__"]["architecture"] = architecture
    write(name, changed, rest)
with_architecture("other.safetensors", '{"type": "iresnet", "depth": 18, "width": 1, "embedding_size": 8}')
with_architecture("hostile.safetensors", '{"type": "iresnet", "depth": 19, "width": 1e9}')
with_architecture("deep.safetensors", "[" * 10000)
del header["__metadata__"]["architecture"]
write("nameless.safetensors", header, rest)
open("cut.safetensors", "wb").write(data[:-100])
END
refuses 65 uir-export --weights nan.safetensors out/new.onnx
says "not finite"
refuses 65 uir-export --weights other.safetensors out/new.onnx
refuses 65 uir-export --weights hostile.safetensors out/new.onnx
says "hostile.safetensors: architecture"
refuses 65 uir-export --weights deep.safetensors out/new.onnx
refuses 65 uir-export --weights cut.safetensors out/new.onnx
refuses 64 uir-export --weights nameless.safetensors out/new.onnx
says "give the experiment file"
expect 0 uir-export exp.yaml --weights nameless.safetensors out/named.onnx
rm out/named.onnx
python3 -c 'f = open("'"$checkpoint"'/model.safetensors", "r+b"); f.seek(-9, 2); b = f.read(1); f.seek(-9, 2); f.write(bytes([b[0] ^ 1]))'
refuses 65 uir-export --weights "$checkpoint" out/new.onnx
says "damaged"
