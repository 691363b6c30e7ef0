#!/usr/bin/env bash
# From a fresh clone to a report: installs what is missing, builds, and runs configs/quickstart.yaml on synthetic
# faces (index, train with labeled + UIR loss, extract, evaluate). Run again, it only does what is not done.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh
cmake_start=$SECONDS
tools/build.sh release --target uir-index uir-train uir-extract uir-eval
start=$SECONDS
bin=build/release/bin
config=configs/quickstart.yaml
run=runs/quickstart

"$bin/uir-index" $config
# A finished run ends at once when it is resumed; an interrupted one continues.
"$bin/uir-train" $config --resume
"$bin/uir-extract" $config
"$bin/uir-eval" $config
echo "quickstart: $((SECONDS - start)) s after $((start - cmake_start)) s of building"
echo "report: $run/report/report.html (report.txt, and report.json for programs); faces: $run/contact_sheet.png"
