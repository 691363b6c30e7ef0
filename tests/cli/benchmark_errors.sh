# Features and lists that cannot be evaluated: one message that names file and place, the documented exit code, and no
# report. Features come in files, as other tools leave them, so nothing is trained here.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"

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
refused 78 "type: verification, set: s" "features: f.npy, $listed" "no pairs list"

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

# The config and the command line.
refused 78 "type: nonsense, set: s" "features: f.npy, $listed" "e.yaml:3:" "nonsense"
refused 78 "type: all_pairs, set: s, far: [0]" "features: f.npy, $listed" "e.yaml:3:" "eval.protocols.0.far"
expect 64 uir-eval e.yaml --no-such-flag
expect 64 uir-eval
