# Tar shards in webdataset's naming, packed by Python's tarfile and by tar: the same images, classes, packs and embeddings as from
# the folder that they were made of; and what people's shards have wrong.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
make_faces faces 6 4
mv faces/person_0005/person_0005_0004.jpg faces/person_0005/$'\xe7'.jpg
cat >pack.py <<'PY'
import io, json, pathlib, tarfile
people = sorted(p for p in pathlib.Path("faces").iterdir())
for shard, (first, format) in enumerate(((0, tarfile.PAX_FORMAT), (3, tarfile.GNU_FORMAT))):
    with tarfile.open(f"faces-{shard:06}.tar", "w", format=format) as tar:
        for number, person in list(enumerate(people))[first:first + 3]:
            for image in sorted(person.iterdir()):
                key = f"{person.name}/{image.stem}"
                for extension, content in (("cls", str(number).encode()), ("jpg", image.read_bytes()),
                                           ("json", json.dumps({"who": person.name}).encode())):
                    info = tarfile.TarInfo(f"{key}.{extension}")
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
PY
python3 pack.py
# The same as files, packed by tar in the order of their names.
cp -r faces files
for image in files/*/*.jpg; do basename "$(dirname "$image")" >"${image%.jpg}.txt"; done
tar --sort=name -C files -cf files.tar .

experiment() {  # experiment FOLDER SOURCE: the source's kind and options
  cat >"$1.yaml" <<YAML
paths: {run: $1, data_root: .}
data:
  sources:
    - {name: people, role: labeled, held_out: 0.3, $2}
    - {name: strangers, role: unlabeled, $2}
YAML
  expect 0 uir-index "$1.yaml" --verify --pack "$1_pack"
  says "24 images of 6 identities"
  says "48 images: 0 bad"
}
experiment folder "type: folder, root: faces"
experiment shards 'type: webdataset, shards: "faces-{000000..000001}.tar"'
experiment named 'type: webdataset, shards: faces-*.tar, label: json, json_field: who'
experiment packed 'type: webdataset, shards: files.tar, label: txt'
for run in shards named packed; do
  for column in hashes.u128 items.text sizes.u32 labels.i64 flags.u32; do same folder/index/$column $run/index/$column; done
  for file in folder_pack/*.rec folder_pack/*.idx; do same "$file" "${run}_pack/$(basename "$file")"; done
done
same folder/index/identities.text named/index/identities.text
expect 0 uir-index shards.yaml
says "0 images read, 48 unchanged"
printf 'person_0001/person_0001_0002.jpg\n' >excluded.txt
expect 0 uir-index shards.yaml --set data.sources.0.exclude=excluded.txt --set paths.index=without
says "excluded, never used: 1"

# Trained on shards; embeddings of folder and shards are the same.
cat >exp.yaml <<'YAML'
paths: {run: run}
data:
  sources:
    - {name: people, role: labeled, type: webdataset, shards: "faces-{000000..000001}.tar"}
    - {name: folder, role: test, type: folder, root: faces}
    - {name: shards, role: test, type: webdataset, shards: files.tar, label: txt}
model: {type: mobilefacenet, width: 0.0625, embedding_size: 16}
head: {type: combined, m2: 0.2, scale: 16}
uir: {weight: 0}
train: {epochs: 1, threads: 1, batch: {labeled: 8, unlabeled: 0}, verification: {protocols: []}}
YAML
expect 0 uir-index exp.yaml
expect 0 uir-train exp.yaml
expect 0 uir-extract exp.yaml
same run/embeddings/folder/embeddings.npy run/embeddings/shards/embeddings.npy
for set in folder shards; do cut -f 1 run/embeddings/$set/items.tsv >$set.items; done  # their labels are of two sources
same folder.items shards.items

# A shard that changes under the index is noticed.
cp faces-000001.tar whole.tar
printf X | dd of=faces-000001.tar bs=1 seek=2600 conv=notrunc 2>/dev/null
expect 65 uir-train exp.yaml --set paths.run=changed --set paths.index=run/index
says "changed since it was indexed"

# What shards have wrong.
refused() {  # refused CODE WORDS SHARDS [OPTION…]
  local code=$1 words=$2 shards=$3
  shift 3
  expect "$code" uir-index shards.yaml --set paths.index=refused --set "data.sources.0.shards=$shards" "$@"
  says "$words"
  [ ! -e refused ] || die "an index of $shards"
}
gzip -k whole.tar
refused 65 "a gzip-compressed file, in which no image can be reached by itself; unpack it: gunzip '" whole.tar.gz
head -c 20000 whole.tar >cut.tar
refused 65 "cut off" cut.tar
refused 66 "faces-000002.tar: no such file" "faces-{000000..000002}.tar"
refused 65 "is no tar file" pack.py
refused 65 "its key stands in $PWD/faces-000000.tar as well" "faces-{000000,000000}.tar"
refused 65 "sample 'person_0000/person_0000_0001': has no .txt (it has .cls, .jpg, .json)" faces-000000.tar --set data.sources.0.label=txt
truncate -s 8192 hole.jpg
tar -S -cf sparse.tar hole.jpg
refused 65 "hole.jpg is stored as a sparse file" sparse.tar
ln -s hole.jpg link.jpg
tar -cf links.tar link.jpg
refused 65 "link.jpg is a link or device" links.tar
