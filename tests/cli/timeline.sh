# uir-identify on timelines made by hand: questions, corrections, and its files in the parsers that people use.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
make_timeline="python3 $UIR_SOURCE/tests/oracle/make_timeline.py"
read_files="python3 $UIR_SOURCE/tests/oracle/timeline_files.py"

# Nothing that takes long to load, and nothing that computes.
ldd "$UIR_BIN/uir-identify" >libraries.txt
if grep -E 'torch|opencv|avcodec|blas' libraries.txt; then die "uir-identify loads what it need not"; fi

# Rates: whole, drop frame, and one that counts to 24; clocks of Matroska, MP4 and transport streams.
film="film, it's.mkv"
for case in "25 1000" "30000/1001 90000" "24000/1001 24000"; do
  read -r rate ticks <<<"$case"
  folder=$(printf 'f%s.timeline' "$ticks")
  mapfile -t names < <($make_timeline "$folder" "$film" "$rate" "$ticks")
  expect 0 uir-identify name "$folder" '#1' "${names[0]}"   # writes the files
  $read_files "$folder" "${names[@]}" "stranger 1" || die "files of $case"
done
folder=f1000.timeline

# Questions.
expect 0 uir-identify at $folder 00:00:05
says "1 face"
says "known: O'Neil, \"Kit\" 0.70"
says "top left, box 10 10 60 70"
expect 0 uir-identify at $folder/timeline.json 7
says "stranger: at most AC/DC 0.20; nobody below 0.40"
expect 0 uir-identify at $folder 3
says "nobody"
expect 0 uir-identify at $folder 4.9   # O'Neil is hidden for a moment
says "nobody"
expect 64 uir-identify not $folder 4.9
expect 0 uir-identify only $folder "AC/DC" --layer visible
says "00:00:08.800 00:00:12.000 3.200"
says "AC/DC: 1 appearance, 00:00:03.200 of 00:00:20.000"
expect 0 uir-identify only $folder "stranger 1"
says "00:00:04.000 00:00:08.000 4.000"
expect 64 uir-identify only $folder Nobody
says "there are A --> B"
expect 64 uir-identify at $folder 1:99
expect 64 uir-identify at $folder 00:41:07
says "behind the film's end"
expect 66 uir-identify at none 1
expect 64 uir-identify
expect 64 uir-identify name $folder
expect 0 uir-identify --help
says "--gallery"
expect 0 uir-identify --version

# Corrections: every file follows, and undo gives back every byte.
saved() { (cd "$1" && find . -type f ! -name edits.jsonl -print0 | sort -z | xargs -0 sha256sum); }
expect 0 uir-identify undo $folder
saved $folder >before.txt
expect 64 uir-identify undo $folder
says "no correction to undo"
expect 0 uir-identify name $folder "stranger 1" Zora
says "stranger 1 -> Zora: 1 track"
grep -q '^Zora$' $folder/visible.vtt || die "Zora is not in the captions"
[ -s $folder/players/Zora.mpv.edl ] || die "no list for mpv"
expect 0 uir-identify merge $folder "Zoë" Zora
says "Zora -> Zoë: 1 track"
[ ! -e $folder/players/Zora.mpv.edl ] || die "Zora's list is still there"
expect 0 uir-identify split $folder '#5' 10
expect 0 uir-identify not $folder 00:00:05
says "O'Neil, \"Kit\" -> stranger 2: 1 track"
expect 64 uir-identify not $folder '#4' Nobody
for i in 1 2 3 4; do expect 0 uir-identify undo $folder; done
saved $folder >after.txt
same before.txt after.txt
[ "$(grep -c . $folder/edits.jsonl)" = 10 ] || die "the log has lost lines"
sed -i '2s/.*/{/' $folder/edits.jsonl
expect 65 uir-identify name $folder '#1' X
says "edits.jsonl:2: "
rm $folder/edits.jsonl

# Damaged timelines.
mkdir bad.timeline
for text in '' '{}' '[1]' '{"format":"uir-timeline","version":9}'; do
  printf '%s' "$text" >bad.timeline/timeline.json
  expect 65 uir-identify at bad.timeline 1
  says "bad.timeline/timeline.json: "
done

# Films are looked at by the worker.
mkdir -p bin libexec/uir
cp "$UIR_BIN/uir-identify" bin
expect 66 bin/uir-identify "$film" --gallery people
says "libexec/uir/uir-identify: cannot start"
printf '#!/bin/sh\nprintf "<%%s>" "$@"; exit 75\n' >libexec/uir/uir-identify
chmod +x libexec/uir/uir-identify
expect 75 bin/uir-identify "$film" --gallery people
says "<film, it's.mkv><--gallery><people>"

# Playing and cutting: the film must be there; without the programs their commands are printed.
expect 66 uir-identify only $folder "A --> B" --play
says "is not there"
[ -e "$film" ] || touch "$film"
mkdir nothing
expect 0 env PATH=nothing "$UIR_BIN/uir-identify" only $folder "A --> B" --play
says "mpv 'edl://%14%film, it'\\''s.mkv,0.000000,20.000000;'"
expect 0 env PATH=nothing "$UIR_BIN/uir-identify" only $folder "A --> B" --layer visible --cut out.mkv
says "ffmpeg -hide_banner"
says "select='"
expect 64 uir-identify only $folder "A --> B" --copy

command -v ffmpeg >/dev/null || { echo "without ffmpeg: nothing is cut"; exit 0; }
ffmpeg -y -loglevel error -f lavfi -i testsrc=size=320x180:rate=25:duration=20 -f lavfi -i sine=duration=20 -c:v mpeg4 -g 50 -bf 2 "$film"
frames() { ffprobe -v error -select_streams v:0 -count_packets -show_entries stream=nb_read_packets -of csv=p=0 "$1" | tr -d ',\n'; }
expect 0 uir-identify only $folder "A --> B" --layer visible --cut cut.mkv
[ "$(frames cut.mkv)" = 60 ] || die "$(frames cut.mkv) frames were cut, not 50 and 10"
expect 64 uir-identify only $folder "A --> B" --cut cut.mkv
says "is there already"
expect 0 uir-identify only $folder "A --> B" --layer visible --cut copy.mkv --copy
says "begins at the key frame 00:00:00.0"
says "s earlier"
[ "$(frames copy.mkv)" -ge 60 ] || die "the copy lacks frames"

command -v mpv >/dev/null || { echo "without mpv: nothing is played"; exit 0; }
plays() { mpv --no-config --vo=null --ao=null --untimed --no-audio --term-playing-msg='lasts ${=duration} s' "$1" </dev/null 2>&1 | tr '\r' '\n'; }
plays "$folder/players/AC_DC.mpv.edl" >out.txt
says "lasts 5.200000 s"
expect 0 env PATH=nothing "$UIR_BIN/uir-identify" only $folder "A --> B" --layer visible --play
eval "set -- $(grep "^mpv 'edl" out.txt)"
plays "$2" >out.txt
says "lasts 2.400000 s"
