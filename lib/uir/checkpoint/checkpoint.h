// Checkpoints: folders of safetensors files and a manifest, published by the commit protocol; class centers
// and their optimizer state are sharded by rows and can be read back in any other sharding, exactly.
//
//   <root>/latest               text: the name of the newest checkpoint and its checksum
//   <root>/best                 JSON: the best checkpoint and its metric
//   <root>/step-0000001000/     manifest.json, config.yaml, model.safetensors, optimizer.safetensors,
//                               state.safetensors, centers-00000-of-00002.safetensors,
//                               centers-optimizer-00000-of-00002.safetensors, …
// docs/checkpoints.md describes every field.
//
// Shapes: C classes over K ranks, D embedding size; rank r holds the rows [begin, end) of C.
// Cost: writing streams every tensor once; opening reads every byte once, to verify it.
// Collectives: four sums of one integer per checkpoint written.
// Errors: a damaged checkpoint is kData naming file and tensor, a missing one kMissingInput, failed writes
// kIo.
// Threads: one at a time per root; a Checkpoint may be read by several.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/json.h"
#include "uir/base/row_range.h"
#include "uir/checkpoint/tensor_io.h"

namespace uir {

// The ranks that write one checkpoint together.
struct RankGroup {
  int64_t rank = 0, size = 1;
  // The sum of one value over all ranks; every rank calls it. Also serves as a barrier.
  std::function<int64_t(int64_t)> sum = [](int64_t value) { return value; };
};

// What a checkpoint holds. Replicated parts are taken from rank 0.
struct CheckpointContents {
  int64_t step = 0;                // optimizer steps done
  NamedTensors model;              // state dict of the backbone
  NamedTensors optimizer;          // replicated optimizer state
  NamedTensors state;              // any other replicated tensors (AdaFace's running statistics)
  int64_t num_classes = 0;         // C
  RowRange rows;                   // of this rank
  at::Tensor centers;              // [rows.size(), D]
  NamedTensors centers_optimizer;  // each [rows.size(), …]
  Json model_config;               // architecture, as the config's JSON
  Json train_state;                // positions and whatever else the trainer needs
  std::string config;              // resolved config, YAML
  std::string selection_warning;   // about how the run's best checkpoint is chosen; empty: there is none
  std::string data_fingerprint;
  std::string classes_fingerprint;
  int64_t threads = 1;
};

// A verified checkpoint. Cheap to copy; the files stay mapped while a copy lives.
class Checkpoint {
 public:
  const fs::path& folder() const;
  int64_t step() const;
  int64_t num_classes() const;
  int64_t num_ranks() const;  // that wrote it
  int64_t threads() const;    // of each of them
  const std::string& libtorch_version() const;
  const std::string& data_fingerprint() const;
  const std::string& classes_fingerprint() const;
  const Json& model_config() const;
  const Json& train_state() const;
  const std::string& config() const;

  // Copies in CPU memory.
  NamedTensors model() const;
  NamedTensors optimizer() const;
  NamedTensors state() const;
  // Rows [begin, end) of the class centers [C, D] and of their optimizer state, whatever shards they were
  // written in.
  at::Tensor read_centers(RowRange rows) const;
  NamedTensors read_centers_optimizer(RowRange rows) const;

 private:
  friend Checkpoint open_checkpoint(const fs::path& folder);
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

// Writes <root>/step-NNNNNNNNNN, then moves `latest`. Returns the folder. Every rank calls it with its rows
// of the centers, which together are [0, num_classes) in rank order; if one fails, all throw and nothing is
// published. When it returns, the checkpoint survives a crash of the machine. A checkpoint of the same step
// is replaced.
fs::path write_checkpoint(const fs::path& root, const CheckpointContents& contents,
                          const RankGroup& ranks = {});

// Opens a checkpoint folder and compares every byte with the manifest's checksums.
Checkpoint open_checkpoint(const fs::path& folder);

// The checkpoint named by `latest`, or the nearest earlier one that is valid, then the newest of any; each
// damaged one is warned about. None if there is no checkpoint at all; kData if all are damaged.
std::optional<Checkpoint> latest_checkpoint(const fs::path& root);

// Deletes all but the newest `keep_last` (at least 2) and the best, after verifying the newest: if that is
// damaged, warns and deletes nothing. Checkpoints of steps after `latest` belong to an abandoned run and
// count as the oldest.
void prune_checkpoints(const fs::path& root, int64_t keep_last);

// The checkpoint with the best metric so far.
struct BestCheckpoint {
  std::string name;  // of the folder in root
  std::string metric;
  double value = 0;
};
// Replaces the mark, atomically; the checkpoint must have been published.
void mark_best(const fs::path& root, const BestCheckpoint& best);
void unmark_best(const fs::path& root);  // the checkpoint itself stays
// None if none is marked or its folder is gone. Does not verify it.
std::optional<BestCheckpoint> best_checkpoint(const fs::path& root);

// Removes what interrupted writes left in root. For the start of a run, which owns the folder.
void remove_leftovers(const fs::path& root);

// Where the metadata of a checkpoint's model holds CheckpointContents::selection_warning.
inline constexpr const char* kSelectionWarning = "selection_warning";

std::string checkpoint_name(int64_t step);  // of its folder: "step-0000001000"

}  // namespace uir
