# Every benchmark in its users' layout, through all programs: index, embed, measure; then every number is compared with
# the oracles' (tests/oracle) on the same embeddings, and on planted features in files.
set -eu
. "$UIR_SOURCE/tests/cli/lib.sh"
. "$UIR_SOURCE/tests/cli/benchmark_cases.sh"
find_oracle_python
cases=("${benchmark_cases[@]}" verification_bin)

make_faces faces 40 12
make_trees faces .
compare_planted "${benchmark_cases[@]}"

{
  cat <<'END'
paths: {run: run}
data:
  sources:
    - {name: people, role: labeled, type: synthetic, identities: 16, images_per_identity: 10, first_identity: 300}
END
  for case in "${cases[@]}"; do "${case}_sources"; done | awk '!seen[$0]++'  # cases share sources
  cat <<'END'
model: {type: mobilefacenet, width: 0.0625, embedding_size: 32}
train: {epochs: 1, threads: 1, batch: {labeled: 16, unlabeled: 0}, schedule: {type: linear, base_lr: 0.1}}
eval:
  protocols:
END
  for case in "${cases[@]}"; do "${case}_protocols"; done
  # The challenges' labels never were public: a user's own come as a file, one line per line of the list.
  cat <<'END'
  models:
    - name: extracted
      run: run
END
  separator=$'      sets:\n'
  for set in trillion:testdata_lmk lfr_image:filelist; do
    name=${set%:*} list=${set#*:}
    [[ " ${cases[*]} " = *" trillion_pairs "* ]] || continue
    folder=run/embeddings/$name
    printf '%s' "$separator"
    separator=
    printf '        - {set: %s, features: %s/embeddings.npy, mirrored: %s/embeddings_mirrored.npy, ' $name $folder $folder
    printf 'items: %s/%s.txt, labels: %s/labels.txt}\n' $name $list $name
  done
} >exp.yaml
expect 0 uir-index exp.yaml
expect 0 uir-train exp.yaml
expect 0 uir-extract exp.yaml
expect 0 uir-eval exp.yaml
model=extracted
compare_with_oracles "${cases[@]}"
