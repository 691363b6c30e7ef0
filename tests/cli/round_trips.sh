# What is written here is read by readers that share nothing with ours, written in Python from the formats' descriptions.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
make_faces faces 5 4 700
cat >exp.yaml <<'EOF'
paths: {run: run}
data: {sources: [{name: people, role: labeled, type: folder, root: faces}]}
EOF
expect 0 uir-index exp.yaml --pack pack

# RecordIO, as dmlc-core and InsightFace describe it: every face once, byte by byte, with the label of its folder.
cat >read_pack.py <<'PY'
import pathlib, struct, sys
def records(path):
    data, at = path.read_bytes(), 0
    while at < len(data):
        start, parts = at, []
        while True:
            magic, word = struct.unpack_from("<II", data, at)
            assert magic == 0xCED7230A, hex(magic)
            flag, length = word >> 29, word & (1 << 29) - 1
            parts.append(data[at + 8:at + 8 + length])
            at += 8 + (length + 3) // 4 * 4
            if flag in (0, 3):
                break
        yield start, struct.pack("<I", 0xCED7230A).join(parts)
faces = {}
for path in sorted(pathlib.Path("faces").glob("*/*")):
    faces[path.read_bytes()] = sorted(p.name for p in pathlib.Path("faces").iterdir()).index(path.parent.name)
assert len(faces) == 20
found = []
for rec in sorted(pathlib.Path("pack").rglob("*.rec")):
    index = [tuple(map(int, line.split("\t"))) for line in rec.with_suffix(".idx").read_text().splitlines()]
    by_offset = {offset: key for key, offset in index}
    for offset, payload in records(rec):
        flag, label, id1, id2 = struct.unpack_from("<IfQQ", payload)
        body = payload[24 + 4 * flag:]
        if flag:
            label = struct.unpack_from("<f", payload, 24)[0]
        assert by_offset.pop(offset) == id1 or not body, (offset, id1)
        if body:
            assert faces[body] == label, (faces[body], label)
            found.append(body)
    assert not by_offset
assert sorted(found) == sorted(faces), len(found)
PY
expect 0 python3 read_pack.py
printf 'x' | dd of="$(find pack -name '*.rec' | sed -n 1p)" bs=1 seek=200 conv=notrunc 2>/dev/null
expect 1 python3 read_pack.py
