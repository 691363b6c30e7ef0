# The commonest mistakes of a first day (docs/first-day.md): each gives one message, and what it says to type is typed here, as
# it stands there, and works.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
make_faces faces 8 4
(cd faces && find . -name '*.jpg' | cut -c 3- | sort) | sed 's#person_0*\([0-9]*\)/.*#&\t\1#; s#\t$#\t0#' >list.txt

# experiment SOURCE…: exp.yaml with these sources, a line each; a new run.
experiment() {
  rm -rf run
  { echo 'paths: {run: run}' && echo 'data:' && echo '  sources:' && printf -- '    - %s\n' "$@" && cat <<'EOF'
model: {type: mobilefacenet, width: 0.0625, embedding_size: 32}
train: {epochs: 1, threads: 1, batch: {labeled: 4, unlabeled: 0}, log_every: 1}
EOF
  } >exp.yaml
}
# typed BEGINNING: the first line of the last output that begins so, behind its indentation: what the message says to type.
typed() { sed -n "/^ *$1/{s/^ *//;p;q}" out.txt | grep . || { cat out.txt >&2; die "nothing to type begins with: $1"; }; }
silent() { ! grep -q "warning: " out.txt || { cat out.txt >&2; die "a warning without a reason"; }; }
folder() { echo "{name: faces, role: labeled, type: folder, $*}"; }
listed() { echo "{name: faces, role: labeled, type: list, format: path_label, $*}"; }
# succeeds: the corrected experiment is indexed, all images and people of it.
succeeds() { expect 0 uir-index exp.yaml; says "${1:-32 images, 8 classes}"; silent; }

# --- The wrong root: misspelled; the folder above; one person's folder.
experiment "$(folder root: facse)"
expect 66 uir-index exp.yaml
says "did you mean"
experiment "$(folder "$(typed root:)")"
succeeds
mkdir above && cp -r faces above/people
experiment "$(folder root: above)"
expect 65 uir-index exp.yaml
says "is a folder within an identity's folder"
experiment "$(folder "$(typed root:)")"
succeeds
experiment "$(folder root: faces/person_0003)"
expect 65 uir-index exp.yaml
says "if the folder is one person's"
experiment "$(folder "$(typed root:)")"
succeeds

# --- A list whose paths are relative to another folder: above or below the root; on another machine.
sed 's#^#faces/#' list.txt >prefix.txt
experiment "$(listed list: prefix.txt, root: faces)"
expect 66 uir-index exp.yaml
says "they are below another folder"
experiment "$(listed list: prefix.txt, "$(typed root:)")"
succeeds
experiment "$(listed list: list.txt, root: .)"
expect 66 uir-index exp.yaml
experiment "$(listed list: list.txt, "$(typed root:)")"
succeeds
sed "s#^#/data/it's [1]/#" list.txt >"their list.txt"
experiment "$(listed "list: 'their list.txt'", root: faces)"
expect 65 uir-index exp.yaml
says "rewrite the list"
bash -c "$(typed sed)"
same "their list.here.txt" list.txt
experiment "$(listed "$(typed list:)", root: faces)"
succeeds

# --- A list written on Windows: backslashes; a drive; what ends its lines and begins its file.
{ printf '\xef\xbb\xbf' && sed 's#/#\\#g; s#$#\r#' list.txt; } >windows.txt
experiment "$(listed list: windows.txt, root: faces)"
expect 66 uir-index exp.yaml
says "its paths are those of Windows"
bash -c "$(typed sed)"
experiment "$(listed "$(typed list:)", root: faces)"
succeeds
sed 's#^#D:/My data/faces/#; s#/#\\#g' list.txt >drive.txt
experiment "$(listed list: drive.txt, root: faces)"
expect 66 uir-index exp.yaml
bash -c "$(typed sed)"
same drive.here.txt list.txt
experiment "$(listed "$(typed list:)", root: faces)"
succeeds

# --- Labels with gaps: numbers as they come are fine; a pack whose property counts the classes is not.
sed 's#$#00#' list.txt >gaps.txt
experiment "$(listed list: gaps.txt, root: faces)"
succeeds
expect 0 uir-index exp.yaml --pack packs
echo 5,112,112 >packs/property
pack=$(find packs -name '*.rec' | sed -n 1p)
experiment "{name: faces, role: labeled, type: recordio, rec: $pack}"
expect 65 uir-index exp.yaml
says "is not a whole number in [0, 5)"
bash -c "$(typed mv)"
succeeds

# --- One image a person: strangers, or a folder each by mistake.
make_faces singles 20 1 100
experiment "$(folder root: faces)" "{name: web, role: labeled, type: folder, root: singles}"
expect 0 uir-index exp.yaml
silent  # a part of the people may have one
experiment "{name: web, role: labeled, type: folder, root: singles}"
expect 0 uir-index exp.yaml
says "20 of 20 labeled people have a single image"
experiment "$(folder root: faces)" "{name: web, $(typed role:), type: folder, root: singles}"
succeeds "52 images, 8 classes"

# --- People of the test set among those that are trained on: by name, or by the same image under another name.
make_faces test 4 2 6
mkdir test/ann && cp faces/person_0001/person_0001_0002.jpg test/ann/1.jpg
experiment "$(folder root: faces)" "{name: test, role: test, type: folder, root: test}"
expect 0 uir-index exp.yaml
says "source 'faces': 3 of 8 people are in a test source as well"
says "to leave their 12 images out"
mv run/test_people_faces.txt people.txt
exclude=$(typed exclude: | sed 's#run/test_people_faces#people#')
experiment "$(folder root: faces, "$exclude")" "{name: test, role: test, type: folder, root: test}"
succeeds "excluded, never used: 12"

# --- Red and blue swapped: in files, and in a pack made of them; and said the other way round where they were right.
make_faces bgr 8 4 0 bgr
experiment "$(folder root: bgr)"
expect 0 uir-index exp.yaml --pack bgr_packs
says "red and blue seem to be swapped"
experiment "$(folder root: bgr, "$(typed color_order:)")"
succeeds
experiment "{name: faces, role: labeled, type: recordio, rec: $(find bgr_packs -name '*.rec' | sed -n 1p)}"
expect 0 uir-index exp.yaml
experiment "{name: faces, role: labeled, type: recordio, rec: $(find bgr_packs -name '*.rec' | sed -n 1p), $(typed color_order:)}"
succeeds
experiment "$(folder root: faces, color_order: bgr)"
expect 0 uir-index exp.yaml
says "though color_order: bgr swaps them already"
experiment "$(folder root: faces, "$(typed color_order:)")"
succeeds

# --- Crops for another network: 160x160.
make_faces crops 8 4 0 160
experiment "$(folder root: crops)"
expect 0 uir-index exp.yaml
says "32 of 32 images are not 112x112 (most are 160x160)"
echo file,eyeL_x,eyeL_y,eyeR_x,eyeR_y,nose_x,nose_y,mouthL_x,mouthL_y,mouthR_x,mouthR_y >points.csv
(cd crops && find . -name '*.jpg' | cut -c 3-) | sed 's#$#,54.7,73.9,105,73.6,80,102.5,59.3,131.9,101,131.7#' >>points.csv
root=$(typed root:)  # no detector finds drawn faces
bash -c "$(typed 'uir-index align' | sed 's#--detector yunet.onnx#--landmarks points.csv#')" 2>/dev/null
experiment "$(folder "$root")"
succeeds

# --- Grey images simply work, from file to trained network; the index is built on the way.
make_faces grey 8 4 0 grey
experiment "$(folder root: grey)"
expect 0 uir-train exp.yaml
says "no index yet: indexing first"
says "32 images, 8 classes"
silent

# --- A batch that no memory holds: refused before it starts, and what fits is said.
big=(--set train.batch.labeled=1000000 --set model.width=1)
expect 78 uir-train exp.yaml --set train.device=cpu "${big[@]}" --set paths.run=big --set paths.index=run/index
says "train.batch: this training is expected to take "
typed train.batch.labeled= >/dev/null
expect 0 uir-train exp.yaml --set train.device=cpu "${big[@]}" --estimate 1GB
says "DOES NOT FIT"
smaller=$(typed train.batch.labeled= | sed 's#: .*##; s#train#--set train#g')
# shellcheck disable=SC2086  # options
expect 0 uir-train exp.yaml --set train.device=cpu "${big[@]}" --estimate 1GB $smaller
says "  fits"
