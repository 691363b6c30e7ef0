# Features and lists that cannot be evaluated: one message that names file and place, the documented exit code, and no
# report. Features come in files, as other tools leave them, so nothing is trained here.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
. "$UIR_SOURCE/tests/cli/benchmark_cases.sh"

# matrix FILE ROWS COLS [CHANGE]: NumPy float32 [ROWS, COLS], with one Python statement that may change `rows`, the `header`
# or `data`.
matrix() {
  python3 - "$@" <<'END'
import random, struct, sys
path, n, d, change = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), (sys.argv[4:] or [""])[0]
random.seed(n)
rows = [[random.gauss(0, 1) for _ in range(d)] for _ in range(n)]
header = {"descr": "<f4", "fortran_order": False, "shape": (n, d)}
challenge = [n, d, 4 * d, 5]
if change.startswith(("rows", "header", "challenge")): exec(change)
data = b"".join(struct.pack(f"<{d}f", *row) for row in rows)
if change.startswith("data"): exec(change)
with open(path, "wb") as file:
    if path.endswith(".bin"):
        file.write(struct.pack("<4i", *challenge))
    else:
        text = repr(header)
        text += " " * (63 - (10 + len(text)) % 64) + "\n"
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode())
    file.write(data)
END
}

# text FILE CONTENT: with printf's escapes.
text() { printf '%b' "$2" >"$1"; }

# refused CODE PROTOCOL SET WORD…: uir-eval ends with the code; its one line of output holds all words.
refused() {
  local code=$1 word
  printf 'paths: {run: run}\neval:\n  protocols: [{name: p, %s}]\n  models: [{name: m, sets: [{set: s, %s}]}]\n' "$2" "$3" >e.yaml
  rm -rf run/report
  expect "$code" uir-eval e.yaml
  [ "$(wc -l <out.txt)" = 1 ] || { cat out.txt >&2; die "more than one message"; }
  [ ! -e run/report ] || die "a report of refused input"
  shift 3
  for word in "$@"; do says "$word"; done
}

matrix f.npy 8 4
matrix f.bin 8 4
text items 'A/A_0001.jpg\nA/A_0002.jpg\nB/B_0001.jpg\nB/B_0002.jpg\nC/C_0001.jpg\nC/C_0002.jpg\nD/D_0001.jpg\nD/D_0002.jpg\n'
text labels '0\n0\n1\n1\n2\n2\n3\n3\n'
: >empty
listed="items: items, labels: labels"
pairs="type: all_pairs, set: s, far: [0.1]"

# Both files as they are: fine, so that what follows is refused for what is said.
for features in f.npy f.bin; do
  printf 'paths: {run: run}\neval:\n  protocols: [{name: p, %s}]\n  models: [{name: m, sets: [{set: s, features: %s, %s}]}]\n' \
    "$pairs" $features "$listed" >fine.yaml
  expect 0 uir-eval fine.yaml
done

# Features: rows without direction, other types and orders, cut or too long, of other shapes.
matrix zero.npy 8 4 'rows[3] = [0] * 4'
refused 65 "$pairs" "features: zero.npy, $listed" "zero.npy: row 3 (B/B_0002.jpg)"
matrix nan.npy 8 4 'rows[5][2] = float("nan")'
refused 65 "$pairs" "features: nan.npy, $listed" "nan.npy: row 5 (C/C_0002.jpg)"
matrix infinite.bin 8 4 'rows[0][3] = float("-inf")'
refused 65 "$pairs" "features: infinite.bin, $listed" "infinite.bin: row 0 (A/A_0001.jpg)"
refused 65 "$pairs" "features: f.npy, mirrored: nan.npy, $listed" "nan.npy: row 5 (C/C_0002.jpg)"
matrix double.npy 8 4 'header["descr"] = "<f8"'
refused 65 "$pairs" "features: double.npy, $listed" "double.npy" "<f8" "<f4"
matrix fortran.npy 8 4 'header["fortran_order"] = True'
refused 65 "$pairs" "features: fortran.npy, $listed" "fortran.npy" "Fortran order"
matrix flat.npy 8 4 'header["shape"] = (32,)'
refused 65 "$pairs" "features: flat.npy, $listed" "flat.npy" "1 dimensions"
for kind in npy bin; do
  matrix cut.$kind 8 4 'data = data[:-4]'
  refused 65 "$pairs" "features: cut.$kind, $listed" "cut.$kind: 124 bytes" "128"
  matrix long.$kind 8 4 'data += bytes(4)'
  refused 65 "$pairs" "features: long.$kind, $listed" "long.$kind: 132 bytes" "128"
  matrix none.$kind 0 4
  refused 65 "$pairs" "features: none.$kind, $listed" "items: 8 lines" "none.$kind has 0 rows"
done
matrix seven.bin 7 4
refused 65 "$pairs" "features: f.npy, mirrored: seven.bin, $listed" "seven.bin: shape (7, 4)" "(8, 4)"
matrix wide.npy 8 5
refused 65 "$pairs" "features: f.bin, mirrored: wide.npy, $listed" "wide.npy: shape (8, 5)" "(8, 4)"
for header in 8,4,12,5 -8,4,16,5; do
  matrix header.bin 8 4 "challenge = [$header]"
  refused 65 "$pairs" "features: header.bin, $listed" "header.bin"
done
refused 65 "$pairs" "features: empty, $listed" "empty: 0 bytes"
refused 66 "$pairs" "features: absent.npy, $listed" "absent.npy"
refused 78 "${pairs/set: s/set: t}" "features: f.npy, $listed" "set 't'"

# Lists of items and labels: short, long, empty, with holes, with what is no label.
head -7 items >seven_items
refused 65 "$pairs" "features: f.npy, items: seven_items, labels: labels" "seven_items: 7 lines" "f.npy has 8 rows"
refused 65 "$pairs" "features: seven.bin, items: items, labels: labels" "items: 8 lines" "seven.bin has 7 rows"
refused 65 "$pairs" "features: f.npy, items: empty, labels: labels" "empty: 0 lines"
sed '4s/.*//' items >hole
refused 65 "$pairs" "features: f.npy, items: hole, labels: labels" "hole: line 4"
head -7 labels >seven_labels
refused 65 "$pairs" "features: f.npy, items: items, labels: seven_labels" "seven_labels: 7 lines" "f.npy has 8 rows"
refused 65 "$pairs" "features: f.npy, items: items, labels: empty" "empty: 0 lines"
for label in -2 '' 99999999999999999999; do
  sed "6s/.*/$label/" labels >bad_labels
  refused 65 "$pairs" "features: f.npy, items: items, labels: bad_labels" "bad_labels: line 6"
done
refused 66 "$pairs" "features: f.npy, items: absent, labels: labels" "absent"
sed '6s/.*/-1/' labels >one_unknown
refused 65 "$pairs" "features: f.npy, items: items, labels: one_unknown" "row 5" "needs a label"
refused 65 "type: open_set, set: s" "features: f.npy, items: items" "needs a label"

# pairs.txt: empty, against its header, absent or repeated images.
bad_pairs() {
  text pairs.txt "$1"
  local code=$2
  shift 2
  refused "$code" "type: verification, set: s, pairs: pairs.txt" "features: f.npy, items: ${items:-items}, labels: labels" "$@"
}
bad_pairs '' 65 "pairs.txt" "header"
bad_pairs 'x\nA\t1\t2\nA\t1\tB\t2\n' 65 "pairs.txt: line 1" "'x'"
bad_pairs '0\n' 65 "pairs.txt: line 1"
bad_pairs '1\nA\t1\t2\nE\t1\tB\t2\n' 65 "pairs.txt: line 3" "E/E_0001"
bad_pairs '1\nA\t1\t3\nA\t1\tB\t2\n' 65 "pairs.txt: line 2" "A/A_0003"
bad_pairs '1\nA\t1\tB\t2\nA\t1\t2\n' 65 "pairs.txt: line 2"
bad_pairs '1\nA 1 2\nA 1 B 2\n' 65 "pairs.txt: line 2"
bad_pairs '1\nA\t1\t2\n' 65 "pairs.txt" "after 1 pairs" "expected 2"
bad_pairs '1\nA\t1\t2\nA\t1\tB\t2\nA\t1\tB\t1\n' 65 "pairs.txt: line 4" "expected 2"
sed '8s/.*/A\/A_0001.jpg/' items >twice
items=twice bad_pairs '1\nA\t1\t2\nC\t1\tB\t2\n' 65 "pairs.txt: line 2" "more than once"
refused 66 "type: verification, set: s, pairs: absent.txt" "features: f.npy, $listed" "absent.txt"
refused 78 "type: verification, set: s" "features: f.npy, $listed" "is no .bin source"

# Gallery and probe lists.
bad_lists() {
  text gallery.txt "$1"
  text probe.txt "$2"
  shift 2
  refused 65 "type: open_set, set: s, gallery: gallery.txt, probe: probe.txt" "features: f.npy, items: ${items:-items}" "$@"
}
bad_lists '' 'A/A_0002.jpg 1 0\n' "gallery.txt: no entries"
bad_lists 'A/A_0001.jpg 1 0\n' '' "probe.txt: no entries"
bad_lists 'A/A_0001.jpg 1 0\n' 'A/A_0001.jpg 1 0\n' "probe.txt: line 1" "A/A_0001.jpg"
bad_lists 'A/A_0001.jpg 1 0\nA/A_0001.jpg 1 0\n' 'A/A_0002.jpg 1 0\n' "gallery.txt: line 2"
bad_lists 'A/A_0001.jpg 1 0\n' 'A/A_0002.jpg 1 0\nA/A_0003.jpg 1 0\n' "probe.txt: line 2" "A/A_0003.jpg"
bad_lists 'A/A_0001.jpg 1\n' 'A/A_0002.jpg 1 0\n' "gallery.txt: line 1"
bad_lists 'A/A_0001.jpg 1 x\n' 'A/A_0002.jpg 1 0\n' "gallery.txt: line 1" "'x'"
items=twice bad_lists 'A/A_0001.jpg 1 0\n' 'A/A_0002.jpg 1 0\n' "gallery.txt: line 1" "more than once"
refused 78 "type: open_set, set: s, gallery: gallery.txt" "features: f.npy, $listed" "gallery and probe"

# IJB: templates and images that are not there, lists that do not fit each other.
ijb_errors() {
  local meta=meta/ijbc features="features: f.npy, items: numbered"
  seq -f '%.0f.jpg' 8 >numbered
  write_meta() {
    rm -rf meta && mkdir meta
    text ${meta}_face_tid_mid.txt '1.jpg 10 1\n2.jpg 10 1\n3.jpg 10 2\n4.jpg 12 3\n5.jpg 20 4\n6.jpg 20 4\n7.jpg 25 5\n8.jpg 30 6\n'
    sed 's/$/ 38 51 73 51 56 71 41 92 70 92 0.5/' numbered >${meta}_name_5pts_score.txt
    text ${meta}_template_pair_label.txt '10 20 1\n10 25 0\n12 25 1\n12 30 0\n'
    text ${meta}_1N_gallery_G1.csv 'TEMPLATE_ID,SUBJECT_ID\n10,1\n10,1\n'
    text ${meta}_1N_gallery_G2.csv 'TEMPLATE_ID,SUBJECT_ID\n12,2\n'
    text ${meta}_1N_probe_mixed.csv 'TEMPLATE_ID,SUBJECT_ID\n20,1\n20,1\n25,2\n30,2\n'
  }
  # bad_meta FILE SED WORD…: one list changed.
  bad_meta() {
    write_meta
    sed -i "$2" "${meta}_$1"
    local file=$1
    shift 2
    refused 65 "$protocol" "$features" "ijbc_$file" "$@"
  }
  protocol="type: ijb_verification, set: s, benchmark: ijbc, meta: meta"
  bad_meta template_pair_label.txt '3s/12/13/' "line 3" 13
  bad_meta template_pair_label.txt '3s/1$/2/' "line 3"
  bad_meta template_pair_label.txt '3s/ 1$//' "line 3"
  bad_meta template_pair_label.txt 'd'
  bad_meta face_tid_mid.txt '4s/4.jpg/9.jpg/' "line 4" 9.jpg
  bad_meta face_tid_mid.txt '4s/12/x/' "line 4" "'x'"
  bad_meta name_5pts_score.txt '4s/4.jpg/5.jpg/' "line 4" 5.jpg
  bad_meta name_5pts_score.txt '8d'
  bad_meta name_5pts_score.txt '2s/0.5$/nan/' "line 2" nan
  bad_meta name_5pts_score.txt '2s/ 0.5$//' "line 2"
  write_meta
  rm ${meta}_template_pair_label.txt
  refused 66 "$protocol" "$features" template_pair_label.txt
  protocol="type: ijb_identification, set: s, benchmark: ijbc, meta: meta, flip: false"
  bad_meta 1N_probe_mixed.csv '4s/25/26/' "line 4" 26
  bad_meta 1N_gallery_G1.csv '3s/10,1/10,2/' "line 3"
  bad_meta 1N_gallery_G2.csv '2d'
  bad_meta 1N_probe_mixed.csv '4s/25,2/10,1/' "template 10" 1N_gallery_G1.csv
  write_meta
  refused 78 "${protocol/, flip: false/}" "$features" flip
}

# Trillion-Pairs: a set without labels, without distractors.
trillion_errors() {
  local protocol="type: trillion_pairs, set: s"
  refused 65 "$protocol" "features: f.npy, items: items"
  refused 65 "$protocol" "features: f.npy, $listed" "distractor"
}

# Videos: labels and lists that name other videos than the set.
video_errors() {
  local protocol="type: video_verification, set: s, labels: video_labels" features="features: f.npy, items: items"
  bad_video_labels() {
    text video_labels "$1"
    shift
    refused 65 "$protocol" "$features" "$@"
  }
  bad_video_labels 'A 1\nB 1\nC 2\n' "video_labels" "D"
  bad_video_labels 'A 1\nB 1\nC 2\nD 2\nE 3\n' "video_labels: line 5" "E"
  bad_video_labels 'A 1\nB 1\nC 2\nD 2\nA 1\n' "video_labels: line 5" "A"
  bad_video_labels 'A 1\nB x\nC 2\nD 2\n' "video_labels: line 2" "x"
  bad_video_labels '' "video_labels"
  refused 65 "type: video_verification, set: s" "features: f.npy" "video '0' has no identity"
  sed '4s/.*/clip.mp4/' items >mixed
  refused 65 "type: video_verification, set: s" "features: f.npy, items: mixed, labels: labels" "item 'clip.mp4'" "A/A_0001.jpg"
  refused 65 "type: video_verification, set: s" "features: zero.npy, items: items, labels: labels" "zero.npy: frame 'B/B_0002.jpg'"
  sed 's/_.*//; s/.*\///' items >twice_videos
  refused 65 "type: video_verification, set: s" "features: f.npy, items: twice_videos, labels: labels" "video 'A'" "more than once"
}
retrieval_errors() {
  bad_retrieval() {
    text gallery.txt "$1"
    text truth.txt "$2"
    shift 2
    refused 65 "type: video_retrieval, set: s, gallery: gallery.txt, ground_truth: truth.txt" \
      "features: f.npy, items: items" "$@"
  }
  bad_retrieval '' '1 B.mp4\n' "gallery.txt"
  bad_retrieval 'A.mp4 1\n' '' "truth.txt"
  bad_retrieval 'A.mp4 1\nE.mp4 1\n' '1 B.mp4\n' "gallery.txt" "E.mp4"
  bad_retrieval 'A.mp4 1\nA.mp4 2\n' '1 B.mp4\n' "gallery.txt: line 2"
  bad_retrieval 'A.mp4 1\n' '1 B.mp4 E.mp4\n' "truth.txt" "E.mp4"
  bad_retrieval 'A.mp4 1\n' '1 B.mp4\n1 C.mp4\n' "truth.txt: line 2"
  bad_retrieval 'A.mp4 1\n' '1 B.mp4 B.mp4\n' "truth.txt: line 1"
  bad_retrieval 'A.mp4 1\n' '1 A.mp4\n' "A.mp4"
  bad_retrieval 'A.mp4 1\n' '1\n' "truth.txt: line 1"
}

# MegaFace: sets of other dimensions, noise lists that fit nothing, nobody with two images.
megaface_errors() {
  local protocol="type: megaface, probes: s, distractors: d, identity: folder"
  with() { echo "features: $1, items: items}, {set: d, features: $2"; }
  matrix d.npy 12 4
  matrix wide.npy 12 5
  refused 65 "$protocol" "$(with f.npy wide.npy)" "4" "5"
  matrix none.npy 0 4
  refused 65 "$protocol" "$(with f.npy none.npy)"
  text noises '# noises\nZ_0001.jpg\n'
  refused 65 "$protocol, probe_noises: noises" "$(with f.npy d.npy)" "noises"
  text noises '1\tx/y/z.jpg\n'
  refused 65 "$protocol, distractor_noises: noises" "$(with f.npy d.npy)" "noises"
  sed 's/^\(.\)_*/\1/; s/\//_/' items | nl -ba -w1 -s/ >alone
  refused 65 "$protocol" "$(with f.npy d.npy | sed 's/items: items/items: alone/')"
}

for case in "${benchmark_cases[@]}"; do
  case $case in
    ijb_verification) ijb_errors ;;
    trillion_pairs) trillion_errors ;;
    video_verification) video_errors ;;
    video_retrieval) retrieval_errors ;;
    megaface) megaface_errors ;;
  esac
done

# The config and the command line.
refused 78 "type: nonsense, set: s" "features: f.npy, $listed" "e.yaml:3:" "nonsense"
refused 78 "type: all_pairs, set: s, far: [0]" "features: f.npy, $listed" "e.yaml:3:" "eval.protocols.0.far"
refused 78 "type: all_pairs, set: s, far: [0.1, 0.1]" "features: f.npy, $listed" "e.yaml:3:" "eval.protocols.0.far" "twice"
expect 64 uir-eval e.yaml --no-such-flag
expect 64 uir-eval

# What a search may use changes no number; a device that is not there and a memory of nothing are refused.
text distractors '0\n0\n1\n1\n-1\n-1\n-1\n-1\n'
search() {
  printf 'paths: {run: run}\neval:\n  %s\n  protocols: [{name: p, type: trillion_pairs, set: s, fpr: [0.1]}]\n' "$1" >e.yaml
  printf '  models: [{name: m, sets: [{set: s, features: f.npy, items: items, labels: distractors}]}]\n' >>e.yaml
}
search "device: cpu"
expect 0 uir-eval e.yaml
cp run/report/report.json searched.json
search "memory_mb: 1"
expect 0 uir-eval e.yaml
same run/report/report.json searched.json
for option in "device: tpu" "device: cuda:4096" "memory_mb: 0"; do
  search "$option"
  expect 78 uir-eval e.yaml
  says "eval.${option%%:*}"
done

# A protocol's name makes names of files in the report folder, and of no other.
for name in ../p x/y .p; do
  refused 78 "type: all_pairs, set: s, far: [0.1]}, {name: $name, $pairs" "features: f.npy, $listed" "eval.protocols ($name)"
done

# What the second model or protocol lacks is said before the first is measured.
refused 66 "$pairs" "features: f.npy, $listed}]}, {name: n, sets: [{set: s, features: absent.npy" "model n" "absent.npy"
refused 78 "$pairs}, {name: q, type: all_pairs, set: t" "features: f.npy, $listed" "protocol q" "set 't'"

# The flip test is named; models with and without it are not of one protocol; `flip: false` makes them so.
matrix m.npy 8 4 'rows = [[x + 0.01 * i for x in row] for i, row in enumerate(rows)]'
for flip in true false; do
  {
    printf 'paths: {run: run}\neval:\n  protocols: [{name: p, %s, flip: %s}]\n' "$pairs" $flip
    printf '  models: [{name: plain, sets: [{set: s, features: f.npy, %s}]}, ' "$listed"
    printf '{name: flipped, sets: [{set: s, features: f.npy, mirrored: m.npy, %s}]}]\n' "$listed"
  } >e.yaml
  expect 0 uir-eval e.yaml
  python3 - $flip <<'END'
import json, sys
report = json.load(open("run/report/report.json"))
plain, flipped = (" ".join(m["protocols"][0]["description"].split()) for m in report["models"])
with_flip = sys.argv[1] == "true"
assert "(no flip test)" in plain and ("(flip test)" in flipped) == with_flip, (plain, flipped)
assert report["comparison"]["protocols"][0]["same_protocol"] != with_flip
END
done

# Labels of the gallery from a list of the protocol's own: the same report as with those of the set. Lists of other tools
# may begin with a byte order mark and end with blank lines.
search "device: cpu"
expect 0 uir-eval e.yaml
cp run/report/report.json labels_of_set.json
paste -d' ' items distractors | grep -v -- '-1$' >gallery
sed -i '/protocols/s/set: s,/set: s, labels: gallery,/; s/, labels: distractors//' e.yaml
expect 0 uir-eval e.yaml
python3 - <<'END'
import json
ours, theirs = (json.load(open(f))["models"][0]["protocols"] for f in ("run/report/report.json", "labels_of_set.json"))
assert ours == theirs and ours[0]["counts"]["distractors"] == 4, (ours, theirs)
END
{ printf '\xef\xbb\xbf'; cat items; printf '\n\r\n'; } >framed
sed -i 's/items: items/items: framed/' e.yaml
expect 0 uir-eval e.yaml
text gallery 'A/A_0001.jpg 0\nE/E_0001.jpg 0\n'
expect 65 uir-eval e.yaml
says "gallery: line 2"
text gallery 'A/A_0001.jpg 0\nA/A_0001.jpg 0\n'
expect 65 uir-eval e.yaml
says "gallery: line 2"
