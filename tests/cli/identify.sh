# uir-identify on films and photos: what is refused; and, where ../shared/data is there, real faces, interruptions,
# corrections, calibration, and a face looked for in films.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"

expect 0 uir-identify --help
says "--gallery"
says "Finds in which films a face"
expect 64 uir-identify
expect 64 uir-identify nothing.mkv --no-such-flag
touch film.mkv
expect 66 uir-identify nowhere.mkv --gallery people --model m.onnx --detector d.onnx
says "nowhere.mkv"
expect 64 uir-identify film.mkv --model m.onnx --detector d.onnx
says "--gallery"
expect 64 uir-identify film.mkv --gallery people --detector d.onnx
says "--model"
expect 64 uir-identify film.mkv --gallery people --model m.onnx
says "face_detection_yunet"
[ ! -e film.timeline ] || die "a refused request left something"

data=$UIR_SOURCE/../shared/data
zip=$data/lfw/lfw_deepfunneled250_folds1-2.zip
if [ ! -e "$zip" ] || ! command -v ffmpeg >/dev/null; then
  echo "skipped: $zip or ffmpeg is not there"
  exit 0
fi
detector=$data/detector/face_detection_yunet_2022mar.onnx model=$data/models/y1.onnx
identify() { uir-identify "$@" --gallery people --model "$model" --detector "$detector" --threads 2; }

# Four people: two of the gallery, two strangers; a shot of 1.6 s each, one of them with two people.
python3 - "$zip" <<'E2'
import sys, zipfile
people = {'Abdullah_Gul': 'gul', 'Adrien_Brody': 'brody', 'Abdel_Madi_Shabneh': 'abdel', 'Afton_Smith': 'afton'}
with zipfile.ZipFile(sys.argv[1]) as z:
    for person, short in people.items():
        photos = sorted(n for n in z.namelist() if f'/{person}/' in n and n.endswith('.jpg'))
        for number, name in enumerate(photos, 1):
            open(f'{short}{number}.jpg', 'wb').write(z.read(name))
E2
for photo in *.jpg; do  # others may stand beside them
  ffmpeg -v error -y -i "$photo" -vf crop=150:190 -q:v 2 cut.jpg && mv cut.jpg "$photo"
done
mkdir -p people/Gul people/Brody
cp gul1.jpg people/Gul/1.jpg
cp brody1.jpg people/Brody/1.jpg
# Each photo stands still on a canvas of its own colour; side by side in the fourth shot.
shots=(gul2 abdel1 brody2 "gul3 afton1" abdel1)
colors=(gray teal navy olive gray)
: >parts.txt
for i in "${!shots[@]}"; do
  read -r -a photos <<<"${shots[$i]}"
  inputs=(-f lavfi -i "color=${colors[$i]}:s=640x360:r=25:d=1.6")
  graph="" last="[0]"
  for j in "${!photos[@]}"; do
    inputs+=(-loop 1 -r 25 -t 1.6 -i "${photos[$j]}.jpg")
    graph+="$last[$((j + 1))]overlay=x=$((40 + 300 * j)):y=60:shortest=1[v$j];" last="[v$j]"
  done
  ffmpeg -v error -y "${inputs[@]}" -filter_complex "${graph%;}" -map "$last" -c:v libx264 -pix_fmt yuv420p part$i.mkv
  echo "file part$i.mkv" >>parts.txt
done
ffmpeg -v error -y -f concat -i parts.txt -c copy film.mkv

expect 0 identify film.mkv
cat out.txt
says "not calibrated"
says "  Gul: 00:00:03.200 in 2 appearances"
says "  Brody: 00:00:01.600 in 1 appearances"
says "  stranger 1: 00:00:03.200 in 2 appearances"
says "  stranger 2: 00:00:01.600 in 1 appearances"
python3 - <<'E2'
import csv
rows = [(r['person'], float(r['start']), float(r['end'])) for r in csv.DictReader(open('film.timeline/timeline.csv'))]
cuts = [0, 1.6, 3.2, 4.8, 6.4, 8.0]
wanted = [('Gul', 0), ('stranger 1', 1), ('Brody', 2), ('Gul', 3), ('stranger 2', 3), ('stranger 1', 4)]
assert len(rows) == len(wanted), rows
for person, shot in wanted:
    assert any(r[0] == person and abs(r[1] - cuts[shot]) < 0.041 and abs(r[2] - cuts[shot + 1]) < 0.041 for r in rows), (person, rows)
E2
for file in timeline.json timeline.csv visible.vtt scenes.vtt player.html vectors.f32 players editors faces; do
  [ -e "film.timeline/$file" ] || die "$file is missing"
done
[ ! -e film.timeline/partial ] || die "the interrupted state is still there"
expect 0 uir-identify at film.timeline 00:00:05
says "Gul"
says "stranger 2"

# A face in films; one that is in none.
expect 0 uir-identify find brody3.jpg film.timeline --model "$model" --detector "$detector"
says "film.mkv  Brody  00:00:01.600 on screen"
expect 0 uir-identify find afton1.jpg film.mkv --model "$model" --detector "$detector"
says "stranger 2"
expect 66 uir-identify find nobody.jpg film.timeline --model "$model" --detector "$detector"

# Corrections survive a new analysis, byte for byte.
expect 0 uir-identify name film.timeline "stranger 1" "Abdel"
grep -q '^film.mkv,.*,Abdel,' film.timeline/timeline.csv || die "a name is not written"
cp -r film.timeline corrected
expect 0 identify film.mkv
diff -r film.timeline corrected >out.txt || { cat out.txt; die "a new analysis with corrections differs"; }
expect 0 uir-identify undo film.timeline
cp -r film.timeline whole

# Killed at some moment, and continued: the same bytes. Without --resume it is not begun anew by accident.
for try in 1 2 3; do
  rm -rf film.timeline && mkdir film.timeline && cp whole/onnx.json film.timeline
  cp whole/edits.jsonl film.timeline
  identify film.mkv >out.txt 2>&1 &
  pid=$!
  sleep "0.$((3 * try))"
  pkill -9 -P $pid 2>/dev/null || true
  kill -9 $pid 2>/dev/null || true
  wait $pid 2>/dev/null || true
  if [ -e film.timeline/partial/question.json ]; then expect 64 identify film.mkv && says "--resume"; fi
  expect 0 identify film.mkv --resume
  diff -r film.timeline whole >out.txt || { cat out.txt; die "a continued analysis differs"; }
done

# Another gallery or network between interruption and continuation is refused.
rm -rf film.timeline && mkdir -p film.timeline/partial && cp whole/onnx.json film.timeline
echo '{"model": {"file": "another"}}' >film.timeline/partial/question.json
expect 78 identify film.mkv --resume
says "made otherwise"
rm -rf film.timeline

# Thresholds from a film of strangers, by name; one of another network is refused.
ffmpeg -v error -y -i part1.mkv -c copy strangers.mkv
expect 0 identify calibrate strangers.mkv --out names.json
says "tracks of strangers"
says "at most"
expect 0 identify film.mkv --calibration names.json --false-names 2
says "calibrated on"
says "  Gul: 00:00:03.200"
sed 's/"checksum": "[0-9a-f]*"/"checksum": "0"/' names.json >other.json
expect 65 identify film.mkv --calibration other.json
says "another network"
expect 64 identify film.mkv --calibration names.json --known 0.5
expect 64 identify calibrate people --out other.json
says "photos have no hours"

# Photos are a film without time.
mkdir -p album/sub
cp gul[4-6].jpg album && cp afton1.jpg album/sub && cp film.mkv album/not_a_photo.mkv
echo broken >album/broken.jpg
expect 0 identify album
says "  Gul: 3 photos"
says "  stranger 1: 1 photos"
says "broken.jpg"
[ -e album.timeline/photos.csv ] || die "photos.csv is missing"

# Films that are none, or have no pictures; what a damaged one still shows is kept, and said.
echo text >broken.mkv
expect 65 identify broken.mkv
says "broken.mkv"
ffmpeg -v error -y -f lavfi -i sine=d=1 sound.mkv
expect 65 identify sound.mkv
says "sound.mkv"
head -c $(($(stat -c %s film.mkv) * 3 / 4)) film.mkv >cut.mkv
expect 0 identify cut.mkv
says "  Gul: "

# Galleries: photos without a face are named; two faces, and one photo under two names, are refused.
cp "$UIR_SOURCE/tests/cli/identify.sh" people/Gul/no_photo.jpg
ffmpeg -v error -y -f lavfi -i color=gray:s=200x200 -frames:v 1 people/Gul/nobody.jpg
expect 0 identify album
says "nobody.jpg: no face"
says "no_photo.jpg"
cp people/Gul/1.jpg people/Gul/copy.jpg
expect 0 identify album
says "copy.jpg: the same photo as"
rm people/Gul/copy.jpg
cp gul1.jpg people/Brody/2.jpg
expect 65 identify album
says "under another name"
ffmpeg -v error -y -i gul1.jpg -i afton1.jpg -filter_complex hstack people/Brody/2.jpg
expect 65 identify album
says "2 faces"
rm people/Brody/2.jpg
mkdir "people/stranger 3" && cp afton1.jpg "people/stranger 3"
expect 65 identify album
says "nobody can be called"
rm -rf people && mkdir people
expect 65 identify album
says "no photos"
