#!/usr/bin/env bash
# How fast uir-identify is beside the loop that people write today (tests/oracle/naive_timeline.py: OpenCV's FaceDetectorYN at
# 640x360 on every frame, one embedding per face), on one film, two threads, one after the other: seconds, ratios, memory.
# Prints one JSON object. Nothing else should run.
#   tools/bench/identify.sh FILM GALLERY DETECTOR MODEL.onnx [PYTHON (with cv2 and numpy)]
set -euo pipefail
film=$(realpath "$1") gallery=$(realpath "$2") detector=$(realpath "$3") model=$(realpath "$4") python=${5:-python3}
cd "$(dirname "$0")/../.."
bin=$PWD/build/release/bin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

run() {  # run NAME COMMAND…: seconds and the peak of memory [kB] into NAME.txt
  local name=$1
  shift
  /usr/bin/env time -f '%e %M' -o "$scratch/$name.txt" "$@" >"$scratch/$name.log" 2>&1 ||
    { tail -5 "$scratch/$name.log" >&2; exit 70; }
}
identify() {
  local name=$1
  shift
  run "$name" "$bin/uir-identify" "$film" --gallery "$gallery" --detector "$detector" --model "$model" --threads 2 \
    --out "$scratch/timeline.$name" "$@"
}
identify warm_up  # chooses the engine, brings the film into memory
cp "$scratch/timeline.warm_up/onnx.json" "$scratch"
for name in cadence every_frame; do mkdir -p "$scratch/timeline.$name" && cp "$scratch/onnx.json" "$scratch/timeline.$name"; done
identify cadence
identify every_frame --rate 0
run naive "$python" tests/oracle/naive_timeline.py "$film" "$gallery" "$detector" "$model" --every-frame --threads 2
"$python" - "$scratch" "$film" <<'EOF'
import json, sys
from pathlib import Path
scratch = Path(sys.argv[1])
measured = {name: [float(x) for x in (scratch / f"{name}.txt").read_text().split()[-2:]]
            for name in ("cadence", "every_frame", "naive")}
film = json.loads((scratch / "timeline.cadence/timeline.json").read_text())["film"]
length = (film["shown"][1] - film["shown"][0]) / film["ticks_per_second"]
seconds = {name: values[0] for name, values in measured.items()}
print(json.dumps({"film_s": length, "seconds": seconds, "memory_mb": {n: round(v[1] / 1024) for n, v in measured.items()},
                  "naive_by_every_frame": round(seconds["naive"] / seconds["every_frame"], 2),
                  "naive_by_cadence": round(seconds["naive"] / seconds["cadence"], 2),
                  "times_real_time": round(length / seconds["cadence"], 2)}))
EOF
