# player.html and photos.html in Chromium: films whose pictures carry their own number, so that what is shown can be held against
# what the page says is shown.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
skip() { echo "SKIPPED: $* (tools/test_packages.txt)"; exit 77; }
command -v chromium >/dev/null || skip "the page is driven in Chromium"
command -v chromedriver >/dev/null || skip "Chromium is driven by chromium-driver"
command -v ffmpeg >/dev/null || skip "films are made by ffmpeg"
python=
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import selenium' 2>/dev/null; then python=$candidate && break; fi
done
[ -n "$python" ] || skip "the driver needs python3-selenium"

make_faces faces 3 2
"$python" "$UIR_SOURCE/tests/cli/drive_player.py" faces
