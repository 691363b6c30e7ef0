#include <unistd.h>

#include <torch/version.h>

#include <exception>
#include <optional>
#include <system_error>

#include "uir/base/error.h"
#include "uir/checkpoint/checkpoint.h"
#include "uir/checkpoint/layout.h"
#include "uir/network/architecture.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

using namespace checkpoint_layout;

// Runs the action on this rank; throws on every rank if it failed on any.
template <class Action>
void together(const RankGroup& ranks, const fs::path& path, Action&& action) {
  std::exception_ptr error;
  try {
    action();
  } catch (...) {
    error = std::current_exception();
  }
  const int64_t failed = ranks.sum(error ? 1 : 0);
  if (error) std::rethrow_exception(error);
  if (failed > 0)
    fail(ErrorKind::kIo, path.string(), ": ", failed, " other rank(s) could not write their part");
}

void check_contents(const CheckpointContents& c, const RankGroup& ranks) {
  ensure(0 <= ranks.rank && ranks.rank < ranks.size, "the rank lies in its group");
  ensure(0 <= c.step && 0 <= c.rows.begin && c.rows.begin <= c.rows.end && c.rows.end <= c.num_classes,
         "the class rows of a rank lie in [0, C]");
  ensure(c.centers.defined() && c.centers.dim() == 2 && c.centers.size(0) == c.rows.size(),
         "centers are [rows, D]");
  for (const auto& [name, tensor] : c.centers_optimizer) {
    ensure(tensor.dim() > 0 && tensor.size(0) == c.rows.size(),
           "the centers' optimizer state has a row per class");
  }
}

Json manifest_entry(const WrittenFile& file) {
  Json tensors = Json::object();
  for (const auto& [name, checksum] : file.tensor_checksums) tensors[name] = checksum_hex(checksum);
  return {{"bytes", file.bytes}, {"checksum", checksum_hex(file.checksum)}, {"tensors", std::move(tensors)}};
}

Json write_text(const fs::path& path, std::string_view text) {
  OutputFile out(path);
  out.write(text);
  out.close();
  return {{"bytes", out.size()}, {"checksum", checksum_hex(out.checksum())}};
}

Metadata model_metadata(const CheckpointContents& c) {
  Metadata metadata{{kArchitectureKey, c.model_config.dump()},
                    {"color_order", std::string(kColorOrder)},
                    {"normalization", std::string(kNormalization)},
                    {"step", std::to_string(c.step)}};
  if (!c.selection_warning.empty()) metadata[kSelectionWarning] = c.selection_warning;
  return metadata;
}

void write_replicated(const fs::path& folder, const CheckpointContents& c, Json& files) {
  files[kConfig] = write_text(folder / kConfig, c.config);
  files[kModel] = manifest_entry(write_tensors(folder / kModel, c.model, model_metadata(c)));
  files[kOptimizer] = manifest_entry(write_tensors(folder / kOptimizer, c.optimizer, {}));
  files[kState] = manifest_entry(write_tensors(folder / kState, c.state, {}));
}

void write_shard(const fs::path& folder, const CheckpointContents& c, const RankGroup& ranks, Json& files) {
  const Metadata metadata{{"row_begin", std::to_string(c.rows.begin)},
                          {"row_end", std::to_string(c.rows.end)},
                          {"num_classes", std::to_string(c.num_classes)}};
  const auto write = [&](const char* stem, const NamedTensors& tensors) {
    const std::string name = shard_name(stem, ranks.rank, ranks.size);
    files[name] = manifest_entry(write_tensors(folder / name, tensors, metadata));
    files[name]["rows"] = {c.rows.begin, c.rows.end};
  };
  write(kCenters, {{kCentersTensor, c.centers}});
  write(kCentersOptimizer, c.centers_optimizer);
}

// How the other ranks tell rank 0 what they wrote.
fs::path note_of(const fs::path& folder, int64_t rank) { return folder / concat("rank-", rank, ".json"); }

void collect_notes(const fs::path& folder, int64_t num_ranks, Json& files) {
  for (int64_t rank = 1; rank < num_ranks; ++rank) {
    const fs::path note = note_of(folder, rank);
    const Json entries = read_json_file(note);
    for (const auto& [name, entry] : entries.items()) files[name] = entry;
    std::error_code ignored;
    fs::remove(note, ignored);
  }
}

Json make_manifest(const CheckpointContents& c, int64_t num_ranks, Json files) {
  return {{"format", kFormat},
          {"version", kVersion},
          {"step", c.step},
          {"num_classes", c.num_classes},
          {"num_ranks", num_ranks},
          {"threads", c.threads},
          {"libtorch", TORCH_VERSION},
          {"data_fingerprint", c.data_fingerprint},
          {"classes_fingerprint", c.classes_fingerprint},
          {"model", c.model_config},
          {"train_state", c.train_state},
          {"files", std::move(files)}};
}

void publish(AtomicFolder& folder, const CheckpointContents& c, int64_t num_ranks, Json files) {
  collect_notes(folder.path(), num_ranks, files);
  failpoint("checkpoint.before_manifest");
  write_text(folder.path() / kManifest, seal(make_manifest(c, num_ranks, std::move(files))));
  folder.commit();
  failpoint("checkpoint.before_latest");
  const std::string name = checkpoint_name(c.step);
  write_file_atomically(folder.final_path().parent_path() / kLatest,
                        concat(name, " ", checksum_hex(as_bytes(name)), "\n"));
}

}  // namespace

fs::path write_checkpoint(const fs::path& root, const CheckpointContents& contents, const RankGroup& ranks) {
  check_contents(contents, ranks);
  const fs::path target = root / checkpoint_name(contents.step);
  const bool first = ranks.rank == 0;
  std::optional<AtomicFolder> folder;
  together(ranks, target, [&] {
    if (first) folder.emplace(target);
  });
  // The other ranks learn the process number in the temporary folder's name (AtomicFolder) from rank 0.
  const fs::path temporary = target.string() + concat(".tmp-", ranks.sum(first ? ::getpid() : 0));
  Json files = Json::object();
  together(ranks, target, [&] {
    if (first) write_replicated(temporary, contents, files);
    write_shard(temporary, contents, ranks, files);
    if (!first) write_text(note_of(temporary, ranks.rank), files.dump());
  });
  together(ranks, target, [&] {
    if (first) publish(*folder, contents, ranks.size, std::move(files));
  });
  return target;
}

}  // namespace uir
