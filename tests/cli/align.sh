# uir-index align: photos with given landmarks, interruptions, refusals; and, where ../shared/data is there, a real detector on
# real photos and videos, compared with landmarks that were made elsewhere.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"

# Without a detector: drawn faces, which stand on the template.
make_faces photos 12 20
echo file,eyeL_x,eyeL_y,eyeR_x,eyeR_y,nose_x,nose_y,mouthL_x,mouthL_y,mouthR_x,mouthR_y >points.csv
(cd photos && find . -name '*.jpg' | cut -c 3- | sort) >names.txt
while read -r name; do echo "$name,48.3,61.7,83.5,61.5,66,81.7,51.5,102.4,80.7,102.2"; done <names.txt >>points.csv
expect 0 uir-index align photos --landmarks points.csv --out faces/
says "faces: 240 faces of 240 of 240 photos (100.0 %)"
says "mean distance of the eyes from the template: 0.0"
[ "$(find faces -name '*.jpg' | wc -l)" = 240 ] || die "not every photo has a face"

expect 64 uir-index align photos --landmarks points.csv --out faces
says "choose another --out"
expect 0 uir-index align photos --landmarks points.csv --out faces --resume
expect 64 uir-index align photos --out other
says "no --detector"
expect 64 uir-index align photos --landmarks points.csv --out photos/faces
expect 64 uir-index align photos --landmarks points.csv --out other --faces best
expect 66 uir-index align nowhere --landmarks points.csv --out other
expect 65 uir-index align photos --detector points.csv --out other
says "face_detection_yunet_20"
touch file
expect 73 uir-index align photos --landmarks points.csv --out file/other
[ ! -e other ] && [ ! -e other.partial ] || die "a refused run left something"

# A list, and other files: PNG of the first two photos.
head -2 names.txt >list.txt
expect 0 uir-index align photos --list list.txt --format path --landmarks points.csv --png --out pngs
[ "$(find pngs -name '*.png' | wc -l)" = 2 ] || die "a list is not followed"

# Killed at some moment and continued: the same bytes.
for try in 1 2 3; do
  rm -rf parts parts.partial
  uir-index align photos --landmarks points.csv --threads 1 --out parts >out.txt 2>&1 &
  pid=$!
  sleep "0.$((try * 2))"
  kill -9 $pid 2>/dev/null || true
  wait $pid 2>/dev/null || true
  expect 0 uir-index align photos --landmarks points.csv --threads 1 --out parts --resume
  diff -r parts faces >out.txt || die "a continued run differs"
done

data=$UIR_SOURCE/../shared/data
zip=$data/lfw/lfw_deepfunneled250_folds1-2.zip
if [ ! -e "$zip" ]; then
  echo "skipped: $zip is not there, nor is a detector"
  exit 0
fi
expect 65 uir-index align photos --detector "$data/lfw/pairs.txt" --out other
says "face_detection_yunet_2022mar.onnx"
says "face_detection_yunet_2023mar.onnx"
expect 65 uir-index align photos --detector "$data/models/y1.onnx" --out other
says "y1.onnx: is no YuNet detector"
detector=$data/detector/face_detection_yunet_2022mar.onnx newer=$data/detector/face_detection_yunet_2023mar.onnx

python3 - "$zip" <<'E2'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    names = sorted(n for n in z.namelist() if n.endswith('.jpg'))[::16]
    z.extractall('real', names)
E2
root=$(find real -mindepth 1 -maxdepth 1 -type d)
expect 0 uir-index align "$root" --detector "$detector" --out detected --check --threads 2
grep -E "faces of|distance|again" out.txt
expect 0 uir-index align "$root" --detector "$detector" --out one_thread --check --threads 1
diff -r detected one_thread || die "the number of threads matters"
expect 0 uir-index align "$root" --landmarks "$data/lfw/lfw_deepfunneled250_yunet2022_landmarks.csv" --out given
expect 0 uir-index align "$root" --detector "$newer" --out by_newer --threads 2
# The oracle's landmarks are rounded to 0.01 pixels; of photos with several faces it may have taken another one. They are those of
# YuNet 2022mar: 2023mar finds the same faces, but single points some pixels apart.
for found in detected by_newer; do
  python3 - $found/landmarks.tsv "$data/lfw/lfw_deepfunneled250_yunet2022_landmarks.csv" $found <<'E2'
import csv, math, sys
oracle = {row['file']: row for row in csv.DictReader(open(sys.argv[2]))}
names = ['eyeL', 'eyeR', 'nose', 'mouthL', 'mouthR']
same_model = sys.argv[3] == 'detected'
distances = []
for row in csv.DictReader(open(sys.argv[1]), delimiter='\t'):
    other = oracle[row['path']]
    apart = [(float(row[n + '_x']) - float(other[n + '_x']), float(row[n + '_y']) - float(other[n + '_y'])) for n in names]
    centre = [sum(axis) / len(names) for axis in zip(*apart)]
    distances.append(max(math.hypot(*point) for point in apart) if same_model else math.hypot(*centre))
limit, what = (1, 'all points') if same_model else (12, 'the centre of the points')
close = sum(d < limit for d in distances)
print(f'{close} of {len(distances)} faces have {what} within {limit} px of the oracle; median {sorted(distances)[len(distances) // 2]:.4f}')
assert len(distances) == 99 and close >= 0.97 * len(distances)
E2
done

# Large photos are found on a scaled copy, sideways ones by their tag; points are those of the stored pixels. At another
# scale than the original's the network itself gives points that lie some pixels apart.
mkdir turned
find "$root" -name '*.jpg' | sort | sed -n '1,8p' >some.txt
number=0
while read -r photo; do
  for orientation in 1 3 6 8; do turn_photo "$photo" turned/${number}_$orientation.jpg 6 $orientation; done
  number=$((number + 1))
done <some.txt
expect 0 uir-index align turned --detector "$detector" --detect-side 250 --out upright
says "32 faces of 32 of 32 photos"
python3 - "$root" some.txt <<'E2'
import csv, math, os, sys
table = lambda path: {row['path']: row for row in csv.DictReader(open(path), delimiter='\t')}
original, turned = table('detected/landmarks.tsv'), table('upright/landmarks.tsv')
size = 6 * 250 - 1
upright = {'1': lambda x, y: (x, y), '3': lambda x, y: (size - x, size - y), '6': lambda x, y: (size - y, x), '8': lambda x, y: (y, size - x)}
distances = []
for number, photo in enumerate(open(sys.argv[2]).read().split()):
    before = original[os.path.relpath(photo, sys.argv[1])]
    for orientation, turn in upright.items():
        after = turned[f'{number}_{orientation}.jpg']
        for point in ['eyeL', 'eyeR', 'nose', 'mouthL', 'mouthR']:
            x, y = turn(float(after[point + '_x']), float(after[point + '_y']))
            distances.append(math.hypot((x + 0.5) / 6 - 0.5 - float(before[point + '_x']), (y + 0.5) / 6 - 0.5 - float(before[point + '_y'])))
distances.sort()
print(f'turned and enlarged: points {distances[len(distances) // 2]:.2f} px from the original ones in the median')
assert distances[len(distances) // 2] < 0.5 and sum(d < 1.5 for d in distances) > 0.9 * len(distances)
E2

# Turned photos that no tag names, and photos that a face fills (its box and a twentieth): what is found is right, though the detector
# has given points of an upright face there; and nearly all are found.
mkdir hard
find "$root" -name '*.jpg' | sort | sed -n '20,27p' >hard.txt
number=0
while read -r photo; do
  for orientation in 3 6 8; do turn_photo "$photo" hard/${number}_$orientation.jpg 1 $orientation untagged; done
  part=$(awk -F'\t' -v name="${photo#"$root"/}" '$1 == name {
    w = $4 - $2; h = $5 - $3; print int($2 - w / 20), int($3 - h / 20), int($4 + w / 20), int($5 + h / 20)}' detected/landmarks.tsv)
  turn_photo "$photo" hard/${number}_1.jpg 7 1 untagged $part
  echo "$part" >>parts.txt
  number=$((number + 1))
done <hard.txt
expect 0 uir-index align hard --detector "$detector" --out upright_again
says "by a closer look"
python3 - "$root" hard.txt parts.txt <<'E2'
import csv, math, os, sys
table = lambda path: {row['path']: row for row in csv.DictReader(open(path), delimiter='\t')}
original, found = table('detected/landmarks.tsv'), table('upright_again/landmarks.tsv')
size = 250 - 1
back = {'3': lambda x, y: (size - x, size - y), '6': lambda x, y: (size - y, x), '8': lambda x, y: (y, size - x)}
parts = [[max(0, int(v)) for v in line.split()[:2]] for line in open(sys.argv[3])]
points = ['eyeL', 'eyeR', 'nose', 'mouthL', 'mouthR']
missing, wrong = [], []
for number, photo in enumerate(open(sys.argv[2]).read().split()):
    before = original[os.path.relpath(photo, sys.argv[1])]
    truth = [(float(before[p + '_x']), float(before[p + '_y'])) for p in points]
    for kind in '1368':
        name = f'{number}_{kind}.jpg'
        if name not in found:
            missing.append(name)
            continue
        seen = [(float(found[name][p + '_x']), float(found[name][p + '_y'])) for p in points]
        left, top = parts[number]
        close = lambda x, y: ((x + 0.5) / 7 - 0.5 + left, (y + 0.5) / 7 - 0.5 + top)
        seen = [back.get(kind, close)(*point) for point in seen]
        off = max(map(math.dist, seen, truth)) / math.dist(truth[0], truth[1])
        if off > 0.3:
            wrong.append(f'{name} {off:.2f}')
print(f'of 32 turned photos and close-ups {len(missing)} not found ({missing}), {len(wrong)} wrong ({wrong})')
assert len(missing) + len(wrong) <= 3
E2

# A video of photos becomes a folder of frames that a source reads.
mkdir clips
make_video clips/one.avi $(find "$root" -name '*.jpg' | sort | sed -n '1,8p')
make_video clips/two.avi $(find "$root" -name '*.jpg' | sort | tail -6)
printf 'not a video' >clips/broken.avi
expect 0 uir-index align clips --videos --detector "$detector" --every 2 --out frames
printf "one.avi 4\ntwo.avi 3\n" >expected.txt
same frames/filelist.txt expected.txt
grep -q '^broken.avi	' frames/not_found.txt || die "a broken video is not listed"
[ -e frames/one.avi/000006.jpg ] || die "frames are not named by their numbers"
cat >frames.yaml <<EOF
paths: {run: run}
data:
  sources:
    - {name: clips, role: test, type: frames, root: frames, list: frames/filelist.txt}
EOF
expect 0 uir-index frames.yaml
says "clips (test): 7 images"
expect 0 uir-index align clips/two.avi --detector "$detector" --faces all --out all
[ -e all/two.avi/000000_0.jpg ] || die "all faces are numbered"
expect 64 uir-index align clips/two.avi --landmarks points.csv --out other
# Names are never protocols or patterns; frames are taken by their times (25 a second: 0, 2 and 4).
for name in cam:1.avi 100%.avi %03d.avi; do
  cp clips/two.avi "$name"
  expect 0 uir-index align "$name" --detector "$detector" --fps 12.5 --out "by_time/$name"
  says "3 faces of 3 of 3 frames"
  [ -e "by_time/$name/$name/000004.jpg" ] || die "$name: other frames were taken"
done
