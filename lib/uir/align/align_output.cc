#include "uir/align/align_output.h"

#include <utility>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/json_text.h"

namespace uir {
namespace {

constexpr std::string_view kManifest = "align.json", kLandmarks = "landmarks.tsv",
                           kNotFound = "not_found.txt", kFileList = "filelist.txt";
constexpr std::string_view kHeader =
    "path\tbox_left\tbox_top\tbox_right\tbox_bottom\tscore\teyeL_x\teyeL_y\teyeR_x\teyeR_y\tnose_x\tnose_y\t"
    "mouthL_x\tmouthL_y\tmouthR_x\tmouthR_y\tface\n";
constexpr std::chrono::seconds kSaveEvery{10};

uint64_t chained(uint64_t names, std::string_view name) {
  return checksum64(as_bytes(concat(names, '\n', name)));
}

Json to_json(const AlignCounts& c) {
  return {{"pictures", c.pictures},
          {"with_faces", c.with_faces},
          {"faces", c.faces},
          {"corrected", c.corrected},
          {"checked", c.checked},
          {"found_again", c.found_again},
          {"eyes", c.eyes},
          {"points", c.points},
          {"eyes_again", c.eyes_again},
          {"points_again", c.points_again}};
}

AlignCounts counts_from(const Json& json, const std::string& place) {
  const auto whole = [&](const char* key) { return json_at<int64_t>(json, key, place); };
  const auto number = [&](const char* key) { return json_at<double>(json, key, place); };
  return {whole("pictures"),    whole("with_faces"),   whole("faces"), whole("corrected"),
          whole("checked"),     whole("found_again"),  number("eyes"), number("points"),
          number("eyes_again"), number("points_again")};
}

}  // namespace

void AlignCounts::add(const AlignCounts& other) {
  pictures += other.pictures;
  with_faces += other.with_faces;
  faces += other.faces;
  corrected += other.corrected;
  checked += other.checked;
  found_again += other.found_again;
  eyes += other.eyes;
  points += other.points;
  eyes_again += other.eyes_again;
  points_again += other.points_again;
}

AlignOutput::AlignOutput(const fs::path& out, Json settings, bool resume_wanted, bool videos, Json left_out)
    : out_(out),
      partial_(fs::path(out) += ".partial"),
      settings_(std::move(settings)),
      left_out_(std::move(left_out)) {
  if (fs::exists(out_)) {
    const fs::path manifest = out_ / kManifest;
    if (!resume_wanted || !fs::exists(manifest))
      fail(ErrorKind::kUsage, out_.string(), ": something stands there already; choose another --out");
    complete_ = true;
    resume(read_json_file(manifest));
    return;
  }
  const bool interrupted = fs::exists(partial_ / kManifest);
  if (interrupted && !resume_wanted) {
    fail(ErrorKind::kUsage, partial_.string(),
         ": an interrupted run left it; --resume continues it, or delete it");
  }
  create_folders(partial_);
  lock_.emplace(partial_);
  Json state;
  if (interrupted) resume(state = read_json_file(partial_ / kManifest));
  open_files(state, videos);
  if (!interrupted) save();
}

void AlignOutput::open_files(const Json& state, bool videos) {
  const std::string place = (partial_ / kManifest).string();
  std::vector<std::string> names{std::string(kLandmarks), std::string(kNotFound)};
  if (videos) names.emplace_back(kFileList);
  for (const std::string& name : names) {
    const fs::path path = partial_ / name;
    const uint64_t bytes =
        state.is_null() ? 0 : json_at<uint64_t>(json_at<Json>(state, "files", place), name, place);
    if (bytes > 0 && (!fs::exists(path) || fs::file_size(path) < bytes)) {
      fail(ErrorKind::kData, path.string(), ": shorter than align.json says; delete ", partial_.string(),
           " and start over");
    }
    files_.try_emplace(name, path, bytes);
  }
  if (state.is_null()) files_.at(std::string(kLandmarks)).write(as_bytes(kHeader));
}

void AlignOutput::resume(const Json& state) {
  const std::string place = ((complete_ ? out_ : partial_) / kManifest).string();
  const std::string differs = first_difference(json_at<Json>(state, "settings", place), settings_);
  if (!differs.empty()) {
    fail(ErrorKind::kUsage, place, ": made with other settings (", differs,
         "); choose another --out or the same settings");
  }
  counts_ = counts_from(json_at<Json>(state, "counts", place), place);
  units_ = json_at<int64_t>(state, "units", place);
  names_ = json_at<uint64_t>(state, "names", place);
}

void AlignOutput::check_names(const std::vector<std::string>& names) const {
  uint64_t checksum = 0;
  const bool enough = static_cast<int64_t>(names.size()) >= units_;
  for (int64_t i = 0; enough && i < units_; ++i) checksum = chained(checksum, names[static_cast<size_t>(i)]);
  if (enough && checksum == names_ && (!complete_ || static_cast<int64_t>(names.size()) == units_)) return;
  fail(ErrorKind::kUsage, (complete_ ? out_ : partial_).string(),
       ": the pictures are not those of that run; choose another --out, or delete it and start over");
}

void AlignOutput::write_face(const std::string& name, Bytes encoded) const {
  const fs::path path = join_inside(partial_, name);
  create_folders(path.parent_path());
  OutputFile file(path);
  file.write(encoded);
  file.close(OutputFile::Sync::kLater);
}

void AlignOutput::add(const std::string& name, const AlignedUnit& unit) {
  files_.at(std::string(kLandmarks)).write(as_bytes(unit.landmarks));
  files_.at(std::string(kNotFound)).write(as_bytes(unit.not_found));
  if (const auto list = files_.find(std::string(kFileList)); list != files_.end())
    list->second.write(as_bytes(unit.filelist));
  counts_.add(unit.counts);
  names_ = chained(names_, name);
  ++units_;
}

Json AlignOutput::state() const {
  Json files = Json::object();
  for (const auto& [name, file] : files_) files[name] = file.size();
  return {{"format", "uir-align"}, {"version", 1},         {"settings", settings_},
          {"units", units_},       {"names", names_},      {"counts", to_json(counts_)},
          {"files", files},        {"left_out", left_out_}};
}

void AlignOutput::save_now_and_then() {
  if (std::chrono::steady_clock::now() - saved_ > kSaveEvery) save();
}

void AlignOutput::save() {
  for (auto& [name, file] : files_) file.sync();
  sync_file_system(partial_);
  write_file_atomically(partial_ / kManifest, json_text(state(), 1) + "\n");
  saved_ = std::chrono::steady_clock::now();
}

void AlignOutput::commit() {
  save();
  files_.clear();
  publish_folder(partial_, out_);
}

void AlignOutput::discard() {
  files_.clear();
  std::error_code ignored;
  fs::remove_all(partial_, ignored);
}

}  // namespace uir
