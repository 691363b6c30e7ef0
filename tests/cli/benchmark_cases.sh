# The benchmarks that uir-eval and the oracles (tests/oracle) both compute. Sourced after lib.sh, in a folder made by
# make_trees.py. A case NAME is three functions:
#   NAME_sources    entries of data.sources that its images need
#   NAME_protocols  entries of eval.protocols
#   NAME_oracles    the oracles' commands; `set_of SET` gives the features of the model that is being measured

# Cases that run. A benchmark is switched on by its line here.
benchmark_cases=(
  verification
  all_pairs
  open_set
  verification_lists
  megaface
  ijb_verification
  ijb_identification
  trillion_pairs
  video_verification
  video_retrieval
  timeline
)

# Debian's packages belong to Debian's interpreter, which need not be the first one.
find_oracle_python() {
  for oracle_python in python3 /usr/bin/python3; do
    "$oracle_python" -c 'import numpy, sklearn' 2>/dev/null && return
  done
  echo "SKIPPED: the oracles need python3-numpy and python3-sklearn (tools/packages.txt)"
  exit 77
}

make_trees() { "$oracle_python" "$UIR_SOURCE/tests/oracle/make_trees.py" "$@"; }

# oracle FILE ARGUMENTS…: one result or several, into oracles/MODEL/.
oracle() {
  mkdir -p "oracles/$model"
  local file=$1 to="oracles/$model/$(find "oracles/$model" -type f | wc -l).json"
  shift
  "$oracle_python" "$UIR_SOURCE/tests/oracle/$file.py" "$@" >"$to" || die "oracle $file $*"
}

# compare_with_oracles CASE…: all results of $model in run/report against the oracles'.
compare_with_oracles() {
  for case in "$@"; do "${case}_oracles"; done
  "$oracle_python" "$UIR_SOURCE/tests/oracle/compare.py" --model "$model" run/report/report.json "oracles/$model"/*.json ||
    die "$model: uir-eval and the oracles disagree"
}

# Planted features as .npy and as challenge .bin, both with lists, as two models: CASE….
compare_planted() {
  {
    printf 'paths: {run: run}\neval:\n  protocols:\n'
    for case in "$@"; do "${case}_protocols"; done
    printf '  models:\n'
    for model in npy bin; do
      printf '    - name: %s\n      sets:\n' "$model"
      for set in lfw cfp ijbb ijbc trillion lfr_image lfr_video iqiyi clips facescrub megaface; do
        printf '        - {set: %s, features: planted/%s.%s, mirrored: planted/%s.mirrored.%s, ' $set $set $model $set $model
        printf 'items: planted/%s.items, labels: planted/%s.labels}\n' $set $set
      done
    done
  } >planted.yaml
  expect 0 uir-eval planted.yaml
  for model in npy bin; do compare_with_oracles "$@"; done
}

# The value of --set for the model that is being measured.
set_of() {
  if [ "$model" = extracted ]; then
    local labels=""
    case $1 in trillion | lfr_image) labels=",labels=$1/labels.txt" ;; esac
    echo "store=run/embeddings/$1$labels"
  else
    echo "features=planted/$1.$model,mirrored=planted/$1.mirrored.$model,items=planted/$1.items,labels=planted/$1.labels"
  fi
}

verification_sources() {
  echo '    - {name: lfw, role: test, type: folder, root: lfw}'
}
verification_protocols() {
  cat <<'END'
    - {name: lfw, type: verification, set: lfw, pairs: lists/pairs.txt}
    - {name: lfw_dev, type: verification, set: lfw, pairs: lists/pairsDevTest.txt}
END
}
verification_oracles() {
  oracle verification --name lfw --set "$(set_of lfw)" --pairs lists/pairs.txt
  oracle verification --name lfw_dev --set "$(set_of lfw)" --pairs lists/pairsDevTest.txt
}

# A .bin set brings its own pairs, so it cannot be planted.
verification_bin_sources() { echo '    - {name: lfw_bin, role: test, type: bin, file: lists/lfw.bin}'; }
verification_bin_protocols() { echo '    - {name: lfw_bin, type: verification, set: lfw_bin}'; }
verification_bin_oracles() {
  oracle verification --name lfw_bin --set "$(set_of lfw_bin)" --bin lists/lfw.bin
}

# The other lists of pairs that benchmarks publish.
verification_lists_sources() {
  verification_sources
  echo '    - {name: cfp, role: test, type: list, list: cfp/images.txt, root: cfp/Data/Images, format: path}'
}
verification_lists_protocols() {
  cat <<'END'
    - {name: calfw, type: verification, set: lfw, pairs: lists/pairs_CALFW.txt, format: calfw}
    - {name: agedb, type: verification, set: lfw, pairs: lists/agedb_30_pair.txt, format: path_pairs}
    - {name: absent, type: verification, set: lfw, pairs: lists/with_absent.txt, format: path_pairs, num_pairs: 74, allow_missing: true}
    - {name: absent_lfw, type: verification, set: lfw, pairs: lists/pairs_with_absent.txt, allow_missing: true}
    - {name: cfp_fp, type: verification, set: cfp, pairs: cfp/Protocol, format: cfp_fp}
    - {name: cfp_ff, type: verification, set: cfp, pairs: cfp/Protocol, format: cfp_ff}
END
}
verification_lists_oracles() {
  oracle verification --name calfw --set "$(set_of lfw)" --pairs lists/pairs_CALFW.txt --format calfw
  oracle verification --name agedb --set "$(set_of lfw)" --pairs lists/agedb_30_pair.txt --format path_pairs
  oracle verification --name absent --set "$(set_of lfw)" --pairs lists/with_absent.txt --format path_pairs --allow-missing
  oracle verification --name absent_lfw --set "$(set_of lfw)" --pairs lists/pairs_with_absent.txt --allow-missing
  oracle verification --name cfp_fp --set "$(set_of cfp)" --pairs cfp/Protocol --format cfp_fp
  oracle verification --name cfp_ff --set "$(set_of cfp)" --pairs cfp/Protocol --format cfp_ff
}

all_pairs_sources() { verification_sources; }
all_pairs_protocols() {
  cat <<'END'
    - {name: all_pairs, type: all_pairs, set: lfw, far: [0.001, 0.01, 0.1, 0.5, 1]}
END
}
all_pairs_oracles() { oracle all_pairs --name all_pairs --set "$(set_of lfw)" --far 0.001,0.01,0.1,0.5,1; }

open_set_sources() { verification_sources; }
open_set_protocols() {
  cat <<'END'
    - {name: open_set, type: open_set, set: lfw, far: [0.01, 0.5, 1]}
    - {name: lfw_1N, type: open_set, set: lfw, gallery: lists/lfw_1N_gallery.txt, probe: lists/lfw_1N_probe.txt, far: [0.01, 0.1, 0.3, 1]}
END
}
open_set_oracles() {
  oracle open_set --name open_set --set "$(set_of lfw)" --far 0.01,0.5,1
  oracle open_set --name lfw_1N --set "$(set_of lfw)" --gallery lists/lfw_1N_gallery.txt --probe lists/lfw_1N_probe.txt \
    --far 0.01,0.1,0.3,1
}

ijb_sources() {
  for b in ijbb ijbc; do
    echo "    - {name: $b, role: test, type: list, list: $b/${b^^}/meta/${b}_name_5pts_score.txt, root: $b/${b^^}/loose_crop, format: ijb}"
  done
}

ijb_verification_sources() { ijb_sources; }
ijb_verification_protocols() {
  for b in ijbb ijbc; do
    echo "    - {name: ${b}_11, type: ijb_verification, set: $b, benchmark: $b, meta: $b/${b^^}/meta, far: [0.001, 0.01, 0.1, 0.5]}"
  done
}
ijb_verification_oracles() {
  for b in ijbb ijbc; do
    oracle ijb_verification --name "${b}_11" --set "$(set_of $b)" --benchmark $b --meta "$b/${b^^}/meta" --far 0.001,0.01,0.1,0.5
  done
}

ijb_identification_sources() { ijb_sources; }
ijb_identification_protocols() {
  for b in ijbb ijbc; do
    echo "    - {name: ${b}_1N, type: ijb_identification, set: $b, benchmark: $b, meta: $b/${b^^}/meta, fpir: [0.01, 0.1, 0.3, 1]}"
  done
  echo "    - {name: ijbc_1N_bare, type: ijb_identification, set: ijbc, benchmark: ijbc, meta: ijbc/IJBC/meta, fpir: [0.1, 1], flip: false, keep_norm: false, detector_score: false}"
}
ijb_identification_oracles() {
  for b in ijbb ijbc; do
    oracle ijb_identification --name "${b}_1N" --set "$(set_of $b)" --benchmark $b --meta "$b/${b^^}/meta" --fpir 0.01,0.1,0.3,1
  done
  oracle ijb_identification --name ijbc_1N_bare --set "$(set_of ijbc)" --benchmark ijbc --meta ijbc/IJBC/meta --fpir 0.1,1 \
    --no-flip --remove-norm --no-detector-score
}

trillion_pairs_sources() {
  cat <<'END'
    - {name: trillion, role: test, type: list, list: trillion/testdata_lmk.txt, root: trillion, format: path_points}
    - {name: lfr_image, role: test, type: list, list: lfr_image/filelist.txt, root: lfr_image, format: path}
END
}
trillion_pairs_protocols() {
  cat <<'END'
    - {name: trillion, type: trillion_pairs, set: trillion, fpr: [0.0001, 0.01, 0.1], identification_fpr: [0.01, 0.2]}
    - {name: trillion_all, type: trillion_pairs, set: trillion, impostors: all, fpr: [0.001, 0.1], identification_fpr: [0.5]}
    - {name: lfr_image, type: trillion_pairs, set: lfr_image, impostors: all, fpr: [1.0e-8, 0.01], identification_fpr: []}
END
}
trillion_pairs_oracles() {
  oracle trillion_pairs --name trillion --set "$(set_of trillion)" --fpr 0.0001,0.01,0.1 --identification-fpr 0.01,0.2
  oracle trillion_pairs --name trillion_all --set "$(set_of trillion)" --impostors all --fpr 0.001,0.1 --identification-fpr 0.5
  oracle trillion_pairs --name lfr_image --set "$(set_of lfr_image)" --impostors all --fpr 1e-8,0.01
}

# One embedding per video: items without a slash.
clips_source() { echo '    - {name: clips, role: test, type: list, list: clips/list.txt, root: clips/images, format: path}'; }

video_verification_sources() {
  echo '    - {name: lfr_video, role: test, type: frames, root: lfr_video/iQIYI_VID_FACE, list: lfr_video/filelist.txt}'
  clips_source
}
video_verification_protocols() {
  cat <<'END'
    - {name: lfr_video, type: video_verification, set: lfr_video, labels: lfr_video/labels.txt, fpr: [0.0001, 0.01, 0.1]}
    - {name: lfr_video_norm, type: video_verification, set: lfr_video, labels: lfr_video/labels.txt, fpr: [0.01, 0.1], aggregation: norm_weighted, flip: true}
    - {name: lfr_video_quality, type: video_verification, set: lfr_video, labels: lfr_video/labels.txt, fpr: [0.01, 0.1], aggregation: quality_weighted, quality: lfr_video/quality.txt}
    - {name: clips, type: video_verification, set: clips, labels: clips/labels.txt, fpr: [0.01, 0.1, 0.5]}
    - {name: clips_flip, type: video_verification, set: clips, labels: clips/labels.txt, fpr: [0.1], flip: true}
END
}
video_verification_oracles() {
  oracle video_verification --name lfr_video --set "$(set_of lfr_video)" --labels lfr_video/labels.txt --fpr 0.0001,0.01,0.1
  oracle video_verification --name lfr_video_norm --set "$(set_of lfr_video)" --labels lfr_video/labels.txt --fpr 0.01,0.1 \
    --aggregation norm_weighted --flip
  oracle video_verification --name lfr_video_quality --set "$(set_of lfr_video)" --labels lfr_video/labels.txt --fpr 0.01,0.1 \
    --aggregation quality_weighted --quality lfr_video/quality.txt
  oracle video_verification --name clips --set "$(set_of clips)" --labels clips/labels.txt --fpr 0.01,0.1,0.5
  oracle video_verification --name clips_flip --set "$(set_of clips)" --labels clips/labels.txt --fpr 0.1 --flip
}

video_retrieval_sources() {
  echo '    - {name: iqiyi, role: test, type: folder, root: iqiyi/frames}'
  clips_source
}
video_retrieval_protocols() {
  cat <<'END'
    - {name: iqiyi, type: video_retrieval, set: iqiyi, gallery: iqiyi/train_gt.txt, ground_truth: iqiyi/val_gt.txt, submission: submission.txt}
    - {name: clips_map, type: video_retrieval, set: clips, gallery: clips/train.txt, ground_truth: clips/val.txt}
END
}
video_retrieval_oracles() {
  oracle video_retrieval --name iqiyi --set "$(set_of iqiyi)" --gallery iqiyi/train_gt.txt --truth iqiyi/val_gt.txt \
    --submission "run/report/$model.submission.txt"
  oracle video_retrieval --name clips_map --set "$(set_of clips)" --gallery clips/train.txt --truth clips/val.txt \
    --submission "run/report/$model.clips_map.submission.txt"
}

megaface_sources() {
  cat <<'END'
    - {name: facescrub, role: test, type: list, list: megaface/facescrub_lst, root: megaface/facescrub_images, format: path}
    - {name: megaface, role: test, type: list, list: megaface/megaface_lst, root: megaface/megaface_images, format: path}
END
}
megaface_protocols() {
  cat <<'END'
    - {name: megaface, type: megaface, probes: facescrub, distractors: megaface, identity: folder, far: [0.0001, 0.01, 0.1], ranks: [1, 10], probe_noises: megaface/facescrub_noises.txt, distractor_noises: megaface/megaface_noises.txt}
    - {name: megaface_center, type: megaface, probes: facescrub, distractors: megaface, identity: folder, noisy_probes: center, far: [0.01], ranks: [1, 10], probe_noises: megaface/facescrub_noises.txt}
    - {name: megaface_noisy, type: megaface, probes: facescrub, distractors: megaface, identity: folder, far: [0.01], ranks: [1, 3]}
END
}
megaface_oracles() {
  oracle megaface --name megaface --set "$(set_of facescrub)" --distractors "$(set_of megaface)" --far 0.0001,0.01,0.1 \
    --ranks 1,10 --probe-noises megaface/facescrub_noises.txt --distractor-noises megaface/megaface_noises.txt
  oracle megaface --name megaface_center --set "$(set_of facescrub)" --distractors "$(set_of megaface)" --far 0.01 \
    --ranks 1,10 --probe-noises megaface/facescrub_noises.txt --noisy-probes center
  oracle megaface --name megaface_noisy --set "$(set_of facescrub)" --distractors "$(set_of megaface)" --far 0.01 --ranks 1,3
}

# Timelines are files of their own, whatever the model.
timeline_sources() { :; }
timeline_protocols() {
  cat <<'END'
    - {name: films, type: timeline, reference: [timelines/truth.csv], hypothesis: [timelines/ours_1.csv, timelines/ours_2.csv]}
    - {name: films_spans, type: timeline, reference: [timelines/truth.csv], hypothesis: [timelines/ours_1.csv, timelines/ours_2.csv], spans: timelines/spans.csv, collar: 0.5}
    - {name: films_uem, type: timeline, reference: [timelines/truth.csv], hypothesis: [timelines/theirs.csv], spans: timelines/spans.uem}
    - {name: films_theirs, type: timeline, reference: [timelines/truth.csv], hypothesis: [timelines/theirs.csv], collar: 0.1}
    - {name: films_nobody, type: timeline, reference: [timelines/nobody.csv], hypothesis: [timelines/theirs.csv]}
    - {name: films_empty, type: timeline, reference: [timelines/truth.csv], hypothesis: [timelines/nobody.csv], spans: timelines/spans.csv}
END
}
timeline_oracles() {
  local truth=timelines/truth.csv ours="timelines/ours_1.csv timelines/ours_2.csv" theirs=timelines/theirs.csv
  oracle timeline --name films --reference $truth --hypothesis $ours
  oracle timeline --name films_spans --reference $truth --hypothesis $ours --spans timelines/spans.csv --collar 0.5
  oracle timeline --name films_uem --reference $truth --hypothesis $theirs --spans timelines/spans.uem
  oracle timeline --name films_theirs --reference $truth --hypothesis $theirs --collar 0.1
  oracle timeline --name films_nobody --reference timelines/nobody.csv --hypothesis $theirs
  oracle timeline --name films_empty --reference $truth --hypothesis timelines/nobody.csv --spans timelines/spans.csv
}
