# A program's front in bin/ answers help, options, experiments and mistakes alone, without LibTorch and OpenCV; for the rest the worker in
# libexec/uir takes its place.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
write_tiny_config exp.yaml
workers=$UIR_BIN/../libexec/uir
programs="uir-index uir-train uir-extract uir-eval uir-export uir-identify"
experiment_programs=${programs% uir-identify}

# What the loader would load of each. The workers show that these names are the ones to look for.
heavy='lib(torch|c10|opencv_[a-z]+|avcodec|[a-z]*blas|gomp)[^ ]*\.so'
for program in $programs; do
  ldd "$UIR_BIN/$program" >libraries.txt
  ! grep -E "$heavy" libraries.txt || die "$program loads it"
  for library in libtorch libopencv_core; do
    ldd "$workers/$program" | grep "$library" >/dev/null || die "the worker of $program does not load $library"
  done
done

# Fronts without workers beside them say all that needs none, in the workers' words and with their exit codes.
mkdir -p alone/bin
for program in $programs; do cp "$UIR_BIN/$program" alone/bin; done
printf 'paths: {run: run}\nhead: {scal: 64}\ntrain: {epochs: many}\n' >bad.yaml
alike() {  # alike CODE PROGRAM ARGUMENTS…
  local code=$1 program=$2
  shift 2
  expect "$code" "$workers/$program" "$@"
  mv out.txt worker.txt
  expect "$code" "alone/bin/$program" "$@"
  same out.txt worker.txt
}
for program in $programs; do
  expect 0 "alone/bin/$program" --help
  says "Usage: $program"
  alike 0 "$program" --version
  alike 64 "$program" exp.yaml --no-such-flag
  says "$program: "
done
for program in $experiment_programs; do
  alike 0 "$program" --help
  says "--print-config"
  alike 0 "$program" exp.yaml --print-config
  says "embedding_size: 32"
  alike 64 "$program"
done
alike 0 uir-train --describe-config
for arguments in "bad.yaml" "exp.yaml --set train.epochs=many"; do
  for program in ${experiment_programs% uir-export}; do alike 78 "$program" $arguments; done
  alike 78 uir-export $arguments model.onnx
done
says "uir-export: --set train.epochs=many: train.epochs: is 'many', expected integer"
alike 66 uir-train absent.yaml
alike 64 uir-train exp.yaml --resume --report
alike 64 uir-train exp.yaml --stop-after=-3
alike 0 uir-index align --help
alike 64 uir-index overlap exp.yaml --threshold nan
alike 64 uir-eval compare a.npy
alike 0 uir-identify calibrate --help
alike 64 uir-identify film.mkv --known 2
expect 64 env RANK=0 alone/bin/uir-train exp.yaml
says "WORLD_SIZE is missing"

# Without its worker a front says what is missing, and where.
expect 66 alone/bin/uir-train exp.yaml
says "uir-train: $PWD/alone/libexec/uir/uir-train: cannot start: No such file or directory"
expect 66 alone/bin/uir-train exp.yaml --nproc-per-node 2
says "alone/libexec/uir/uir-train: cannot start"

mkdir -p alone/libexec/uir
: >alone/libexec/uir/uir-train
chmod +x alone/libexec/uir/uir-train
expect 66 alone/bin/uir-train exp.yaml
says "cannot start: Exec format error"

# An answer that cannot be written is no success; a pipe is no experiment; what compare would ignore is a mistake.
expect 74 bash -c 'uir-train --help >/dev/full'
expect 74 bash -c 'uir-eval --version >/dev/full'
mkfifo pipe
expect 66 uir-train pipe
says "pipe: not a regular file"
expect 64 uir-eval --set a=b compare a.npy b.npy --list faces.txt
says "compare stands by itself"
expect 64 uir-eval exp.yaml compare a.npy b.npy --list faces.txt
expect 64 uir-eval compare a.npy b.npy --list faces.txt --far 0.1,0.1
says "--far: no value twice"

# The worker has the front's place: its process id, its command line, its exit code, and what launchers put into the environment.
cat >alone/libexec/uir/uir-train <<'END'
#!/bin/sh
echo "process $$ $(cat /proc/$$/comm) rank ${RANK-none} of ${WORLD_SIZE-none} turns ${GOMP_SPINCOUNT-none} <$*>"
exit 75
END
chmod +x alone/libexec/uir/uir-train
expect 75 bash -c 'echo $$ >pid.txt; exec alone/bin/uir-train exp.yaml --set "paths.run=a  b"'
says "process $(cat pid.txt) uir-train rank none of none turns 10000 <exp.yaml --set paths.run=a  b>"
expect 75 env OMP_WAIT_POLICY=passive alone/bin/uir-train exp.yaml
says "turns none"
expect 75 env RANK=1 WORLD_SIZE=2 LOCAL_RANK=1 LOCAL_WORLD_SIZE=2 alone/bin/uir-train exp.yaml
says "rank 1 of 2"
expect 75 alone/bin/uir-train --nproc-per-node 2 exp.yaml --resume
for rank in 0 1; do says "uir-train rank $rank of 2 turns 10000 <exp.yaml --resume>"; done

# Through a link, and installed in another place.
ln -s "$UIR_BIN/uir-index" my_index
expect 0 ./my_index exp.yaml
expect 0 cmake --install "$UIR_BIN/.." --prefix "$PWD/first"
mv first prefix
expect 75 prefix/bin/uir-train exp.yaml --stop-after 1
[ -e run/checkpoints/latest ] || die "an installed uir-train left no checkpoint"
