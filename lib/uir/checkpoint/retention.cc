#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/checkpoint/checkpoint.h"
#include "uir/checkpoint/layout.h"

namespace uir {
namespace {

using namespace checkpoint_layout;

constexpr uint64_t kMaxMarker = 1 << 16;

std::vector<int64_t> steps_in(const fs::path& root) {
  std::vector<int64_t> steps;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root, error)) {
    const auto step = parse_name(entry.path().filename().string());
    if (step && entry.is_directory(error)) steps.push_back(*step);
  }
  return steps;
}

// The step that `latest` names; none if the file is missing or damaged.
std::optional<int64_t> latest_step(const fs::path& root) {
  std::error_code error;
  if (!fs::exists(root / kLatest, error)) return std::nullopt;
  const std::string text = read_text_file(root / kLatest, kMaxMarker);
  const std::string name = text.substr(0, text.find(' '));
  const auto step = parse_name(name);
  if (step && text == concat(name, " ", checksum_hex(as_bytes(name)), "\n")) return step;
  log_warning((root / kLatest).string(), ": damaged; looking for the newest checkpoint instead");
  return std::nullopt;
}

// Steps of all checkpoints, best candidate first: that of `latest`, those before it downwards, those after it
// downwards (an abandoned run's, or one whose writer was killed before it moved `latest`).
std::vector<int64_t> steps_by_age(const fs::path& root) {
  std::vector<int64_t> steps = steps_in(root);
  std::sort(steps.rbegin(), steps.rend());
  if (const auto latest = latest_step(root)) {
    std::stable_partition(steps.begin(), steps.end(), [&](int64_t step) { return step <= *latest; });
  }
  return steps;
}

bool is_valid(const fs::path& folder) {
  try {
    open_checkpoint(folder);
    return true;
  } catch (const Error& e) {
    log_warning(e.what());
    return false;
  }
}

// Under a temporary name first: half a checkpoint must not look like one.
void delete_folder(const fs::path& folder) {
  const fs::path doomed = folder.string() + concat(".tmp-", ::getpid());
  std::error_code error;
  fs::rename(folder, doomed, error);
  failpoint("checkpoint.before_delete");
  if (!error) fs::remove_all(doomed, error);
  if (error) fail(ErrorKind::kIo, folder.string(), ": cannot delete: ", error.message());
}

}  // namespace

std::optional<Checkpoint> latest_checkpoint(const fs::path& root) {
  std::optional<Error> newest_error;
  for (const int64_t step : steps_by_age(root)) {
    try {
      return open_checkpoint(root / checkpoint_name(step));
    } catch (const Error& e) {
      log_warning(e.what(), "; trying the previous checkpoint");
      if (!newest_error) newest_error = e;
    }
  }
  if (newest_error) {
    fail(ErrorKind::kData, root.string(), ": no checkpoint is intact; the newest: ", newest_error->what());
  }
  return std::nullopt;
}

void prune_checkpoints(const fs::path& root, int64_t keep_last) {
  ensure(keep_last >= 2, "at least two checkpoints are kept");
  const std::vector<int64_t> steps = steps_by_age(root);
  // Also when nothing is to be deleted: every checkpoint is verified while it is the newest.
  if (steps.empty() || !is_valid(root / checkpoint_name(steps[0])) || std::ssize(steps) <= keep_last) return;
  std::optional<BestCheckpoint> best;
  try {
    best = best_checkpoint(root);
  } catch (const Error& e) {
    return log_warning(e.what(), "; no checkpoint is deleted until another one is marked as the best");
  }
  for (auto step = steps.begin() + keep_last; step != steps.end(); ++step) {
    const std::string name = checkpoint_name(*step);
    if (best && best->name == name) continue;
    delete_folder(root / name);
  }
}

void mark_best(const fs::path& root, const BestCheckpoint& best) {
  write_file_atomically(root / kBest,
                        seal({{"name", best.name}, {"metric", best.metric}, {"value", best.value}}));
}

void unmark_best(const fs::path& root) {
  std::error_code error;
  fs::remove(root / kBest, error);
  if (error) fail(ErrorKind::kIo, (root / kBest).string(), ": cannot remove: ", error.message());
}

std::optional<BestCheckpoint> best_checkpoint(const fs::path& root) {
  const fs::path path = root / kBest;
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  const Json json = unseal(read_text_file(path, kMaxMarker), path);
  const std::string place = path.string();
  BestCheckpoint best{json_at<std::string>(json, "name", place), json_at<std::string>(json, "metric", place),
                      json_at<double>(json, "value", place)};
  if (!parse_name(best.name))
    fail(ErrorKind::kData, place, ": '", best.name, "' is not the name of a checkpoint");
  return fs::is_directory(root / best.name, error) ? std::optional(std::move(best)) : std::nullopt;
}

void remove_leftovers(const fs::path& root) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root, ignored)) {
    const std::string name = entry.path().filename().string();
    const size_t mark = name.find(".tmp-");
    if (mark == std::string::npos) continue;
    const std::string target = name.substr(0, mark);
    if (parse_name(target) || target == kLatest || target == kBest) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace uir
