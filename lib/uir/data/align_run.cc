#include "uir/data/align_run.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/data/folder_listing.h"
#include "uir/data/frame_choice.h"
#include "uir/data/sources.h"
#include "uir/data/video_sources.h"
#include "uir/images/video_file.h"

namespace uir {
namespace {

constexpr uint64_t kMaxFileSize = uint64_t{1} << 28;            // of one photo
constexpr int64_t kPhotosPerThread = 64, kVideosPerThread = 4;  // between two chances to save

bool concerns_picture(const Error& error) {
  return error.kind() == ErrorKind::kData || error.kind() == ErrorKind::kMissingInput;
}

// A photo or a video.
struct Unit {
  std::string name;  // as tables have it
  std::string stem;  // of its faces: their names without number and extension
  fs::path path;     // of a video
  std::optional<Landmarks> landmarks;
};

// --- What there is -----------------------------------------------------------------------------------------

// a/b.png -> a/b, unless another name has that too.
void choose_stems(std::vector<Unit>& units) {
  const auto without_extension = [](const std::string& name) {
    return fs::path(name).replace_extension().string();
  };
  std::unordered_map<std::string, int64_t> uses;
  for (const Unit& unit : units) ++uses[without_extension(unit.name)];
  std::unordered_set<std::string> taken;
  for (Unit& unit : units) {
    unit.stem = without_extension(unit.name);
    if (uses[unit.stem] > 1) unit.stem = unit.name;
    if (!taken.insert(unit.stem).second)
      fail(ErrorKind::kData, unit.name, ": its face would have the name of another's; rename it");
  }
}

std::vector<Unit> photos_of(const SourceConfig& config) {
  std::vector<Unit> photos;
  std::unordered_set<std::string> names;
  open_source(config)->for_each_row([&](SourceRow row) {
    if (!names.insert(row.item).second)
      fail(ErrorKind::kData, config.name, ": '", row.item, "' stands there twice");
    photos.push_back({std::move(row.item), "", {}, row.landmarks});
  });
  choose_stems(photos);
  return photos;
}

std::vector<Unit> units_of(const FolderSource& folder) {
  return photos_of({folder.root.value, Role::kUnlabeled, folder, {0, 0}, 0, {}});
}
std::vector<Unit> units_of(const ListSource& list) {
  return photos_of({list.list.value, Role::kUnlabeled, list, {0, 0}, 0, {}});
}
std::vector<Unit> units_of(const VideosSource& videos) {
  std::vector<Unit> units;
  for (const std::string& name : list_videos(videos))
    units.push_back({name, name, resolve_inside(videos.root.value, name), {}});
  return units;
}
std::vector<Unit> units_of(const VideoFiles& videos) {
  std::vector<Unit> units;
  std::unordered_set<std::string> names;
  for (const fs::path& file : videos.files) {
    const std::string name = file.filename().string();
    if (!fs::is_regular_file(file)) fail(ErrorKind::kMissingInput, file.string(), ": cannot open video");
    if (!names.insert(name).second)
      fail(ErrorKind::kUsage, file.string(), ": two videos are called ", name, "; align them apart");
    units.push_back({name, name, file, {}});
  }
  return units;
}

void check_names(const std::vector<Unit>& units, bool videos) {
  if (units.empty()) fail(ErrorKind::kData, "there is nothing to align");
  for (const Unit& unit : units) {
    if (unit.name.find_first_of("\t\n\r") != std::string::npos)
      fail(ErrorKind::kData, unit.name, ": a tab or line break in its name, which landmarks.tsv cannot hold");
    if (videos && unit.name.find(' ') != std::string::npos)
      fail(ErrorKind::kData, unit.name, ": a space in its name, which filelist.txt cannot hold; rename it");
  }
}

// --- Settings ----------------------------------------------------------------------------------------------

std::string absolute(const std::string& path) {
  return path.empty() ? "" : fs::absolute(path).lexically_normal().string();
}
std::string checksum_of(const fs::path& path) {
  if (path.empty()) return "";
  if (!fs::is_regular_file(path)) fail(ErrorKind::kMissingInput, path.string(), ": cannot open");
  return checksum_hex(MappedFile(path).bytes());
}

Json describe_input(const FolderSource& c) {
  return {{"photos", absolute(c.root.value)}, {"landmarks", checksum_of(c.landmarks.value)}};
}
Json describe_input(const ListSource& c) {
  return {{"photos", absolute(c.root.value)},
          {"list", checksum_of(c.list.value)},
          {"format", enum_name(c.format)},
          {"landmarks", checksum_of(c.landmarks.value)}};
}
Json describe_input(const VideosSource& c) {
  return {{"videos", absolute(c.root.value)},
          {"every", c.every},
          {"fps", c.frames_per_second},
          {"max_frames", c.max_frames},
          {"missing_frames", c.missing_frames}};
}
Json describe_input(const VideoFiles& c) {
  Json json = describe_input(c.sampling);
  json["videos"] = Json::array();
  for (const fs::path& file : c.files) json["videos"].push_back(absolute(file.string()));
  return json;
}

Json settings_of(const AlignRun& run) {
  Json json = std::visit([](const auto& input) { return describe_input(input); }, run.input);
  json["detector"] = checksum_of(run.aligner.detector);
  json["faces"] = enum_name(run.aligner.faces);
  json["min_score"] = run.aligner.min_score;
  json["min_size"] = run.aligner.min_size;
  json["detect_side"] = run.aligner.detect_side;
  json["check"] = run.aligner.check;
  json["image"] = run.png ? "png" : concat("jpeg ", run.quality);
  return json;
}

// --- One photo or video ------------------------------------------------------------------------------------

void read_file(const ImageFolder& folder, const std::string& item, std::vector<std::byte>& bytes) {
  const ImageFile file = folder.open(item);
  const uint64_t size = file.facts().size;
  if (size > kMaxFileSize) fail(ErrorKind::kData, size, " bytes; a photo may have ", kMaxFileSize);
  bytes.resize(size);
  if (file.read(bytes, size) != size) fail(ErrorKind::kData, "became shorter while it was read");
}

// The shortest text that reads back as the same number.
void append_number(std::string& line, float value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  (line += '\t').append(text.data(), end);
}

std::string landmarks_line(const std::string& picture, const AlignedFace& face, const std::string& name) {
  std::string line = picture;
  if (face.found) {
    for (const float edge : face.found->box) append_number(line, edge);
    append_number(line, face.found->score);
  } else {
    line += "\t\t\t\t\t";
  }
  for (const float coordinate : face.landmarks) append_number(line, coordinate);
  return concat(line, '\t', name, '\n');
}

// Reasons come from decoders, too: one line each.
std::string not_found_line(const std::string& picture, std::string reason) {
  std::ranges::replace_if(
      reason, [](char c) { return c == '\n' || c == '\t' || c == '\r'; }, ' ');
  return concat(picture, '\t', reason, '\n');
}

// One thread's tools.
class Worker {
 public:
  Worker(const AlignRun& run, const AlignOutput& out) : run_(run), out_(out), aligner_(run.aligner) {}

  AlignedUnit photo(const ImageFolder& folder, const Unit& unit) {
    AlignedUnit result;
    add_picture(unit.name, unit.stem, result, [&] {
      read_file(folder, unit.name, bytes_);
      decode_image(bytes_, image_);
      return aligner_.align(image_, orientation_of(bytes_), unit.landmarks);
    });
    return result;
  }

  AlignedUnit video(const VideosSource& sampling, const Unit& unit) {
    AlignedUnit result;
    try {
      const VideoFacts facts = survey_video(unit.path, nullptr);
      check_complete(facts, unit.path, sampling.missing_frames);
      VideoReader reader(unit.path);
      for (const int64_t frame : frames_to_take(sampling, facts)) {
        char number[24];
        std::snprintf(number, sizeof number, "%06lld", static_cast<long long>(frame));
        add_picture(concat(unit.name, '/', number), concat(unit.stem, '/', number), result, [&] {
          return aligner_.align(reader.frame(frame), Orientation::kAsStored, std::nullopt);
        });
      }
    } catch (const Error& error) {
      if (!concerns_picture(error)) throw;
      ++result.counts.pictures;
      result.not_found += not_found_line(unit.name, error.what());
    }
    if (result.counts.faces > 0) result.filelist = concat(unit.name, ' ', result.counts.faces, '\n');
    return result;
  }

 private:
  static std::vector<int64_t> frames_to_take(const VideosSource& sampling, const VideoFacts& facts) {
    const FrameChoice choice(sampling, facts.frames_per_second);
    std::vector<int64_t> frames;
    for (int64_t frame = 0; frame < facts.frames; ++frame) {
      if (choice.takes(frame)) frames.push_back(frame);
    }
    return choice.thin(std::move(frames));
  }

  template <class Align>
  void add_picture(const std::string& name, const std::string& stem, AlignedUnit& result, Align&& align) {
    ++result.counts.pictures;
    std::vector<AlignedFace> faces;
    try {
      faces = align();
    } catch (const Error& error) {
      if (!concerns_picture(error)) throw;
      result.not_found += not_found_line(name, error.what());
      return;
    }
    ++result.counts.with_faces;
    for (size_t i = 0; i < faces.size(); ++i) {
      const bool numbered = run_.aligner.faces == FaceChoice::kAll;
      const std::string file = concat(stem, numbered ? concat('_', i) : "", run_.png ? ".png" : ".jpg");
      out_.write_face(file, encoded(faces[i]));
      result.landmarks += landmarks_line(name, faces[i], file);
      count(faces[i], result.counts);
    }
  }

  std::vector<std::byte> encoded(const AlignedFace& face) const {
    constexpr ImageSize kSize{static_cast<int>(kImageSize), static_cast<int>(kImageSize)};
    return run_.png ? encode_png(face.rgb.data(), kSize) : encode_jpeg(face.rgb.data(), kSize, run_.quality);
  }

  void count(const AlignedFace& face, AlignCounts& counts) const {
    ++counts.faces;
    counts.eyes += face.distance.eyes;
    counts.points += face.distance.points;
    if (!run_.aligner.check) return;
    ++counts.checked;
    if (!face.again) return;
    ++counts.found_again;
    counts.eyes_again += face.again->eyes;
    counts.points_again += face.again->points;
  }

  const AlignRun& run_;
  const AlignOutput& out_;
  FaceAligner aligner_;
  std::vector<std::byte> bytes_;
  RgbImage image_;
};

// As many workers as threads ask for at once.
class WorkerPool {
 public:
  WorkerPool(const AlignRun& run, const AlignOutput& out) : run_(run), out_(out) {}
  template <class Body>
  auto with(Body&& body) {
    std::unique_ptr<Worker> worker = take();
    auto result = body(*worker);
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(worker));
    return result;
  }

 private:
  std::unique_ptr<Worker> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<Worker>(run_, out_);
    std::unique_ptr<Worker> worker = std::move(free_.back());
    free_.pop_back();
    return worker;
  }

  const AlignRun& run_;
  const AlignOutput& out_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Worker>> free_;
};

// --- All of them -------------------------------------------------------------------------------------------

// Where photos lie, and how videos are sampled.
struct Place {
  std::optional<ImageFolder> photos;
  VideosSource sampling;
};
Place place_of(const FolderSource& c) { return {ImageFolder(c.root.value), {}}; }
Place place_of(const ListSource& c) { return {ImageFolder(c.root.value), {}}; }
Place place_of(const VideosSource& c) { return {std::nullopt, c}; }
Place place_of(const VideoFiles& c) { return {std::nullopt, c.sampling}; }

// The next run would find the faces among the photos.
void check_apart(const fs::path& root, const fs::path& out) {
  std::error_code ignored;
  const fs::path inside = fs::weakly_canonical(out, ignored), outside = fs::weakly_canonical(root, ignored);
  const auto [mismatch, unused] = std::mismatch(outside.begin(), outside.end(), inside.begin(), inside.end());
  if (mismatch == outside.end())
    fail(ErrorKind::kUsage, out.string(), ": lies in the folder of the photos; choose another --out");
}

class Alignment {
 public:
  explicit Alignment(const AlignRun& run)
      : run_(run), place_(std::visit([](const auto& input) { return place_of(input); }, run.input)) {
    if (place_.photos) check_apart(place_.photos->root(), run.out);
    units_ = std::visit([](const auto& input) { return units_of(input); }, run.input);
    check_names(units_, videos());
  }

  AlignReport run() {
    FaceAligner(run_.aligner);  // a wrong model is refused before anything is written
    AlignOutput out(run_.out, settings_of(run_), run_.resume, videos());
    std::vector<std::string> names;
    for (const Unit& unit : units_) names.push_back(unit.name);
    out.check_names(names);
    if (out.complete()) {
      log_info(run_.out.string(), ": complete already");
    } else {
      align(out);
      if (out.counts().faces == 0) refuse_without_faces(out);
      out.commit();
    }
    return {out.counts(), videos(), run_.out};
  }

 private:
  bool videos() const { return !place_.photos; }

  void align(AlignOutput& out) {
    WorkerPool workers(run_, out);
    const auto total = static_cast<int64_t>(units_.size());
    const int64_t batch = resolve_threads(run_.threads) * (videos() ? kVideosPerThread : kPhotosPerThread);
    if (out.units_done() > 0) log_info("continuing after ", out.units_done(), " of ", total);
    Progress progress("aligning", videos() ? "videos" : "photos", total - out.units_done());
    for (int64_t begin = out.units_done(); begin < total; begin += batch) {
      std::vector<AlignedUnit> results(static_cast<size_t>(std::min(batch, total - begin)));
      parallel_blocks(std::ssize(results), 1, run_.threads, [&](int64_t i, int64_t) {
        results[static_cast<size_t>(i)] = workers.with(
            [&](Worker& worker) { return align(worker, units_[static_cast<size_t>(begin + i)]); });
        progress.add(1);
      });
      for (size_t i = 0; i < results.size(); ++i) {
        if (first_reason_.empty()) first_reason_ = results[i].not_found;
        out.add(units_[static_cast<size_t>(begin) + i].name, results[i]);
      }
      out.save_now_and_then();
      if (run_.stop && begin + batch < total && run_.stop()) stop(out, total);
    }
  }

  AlignedUnit align(Worker& worker, const Unit& unit) const {
    return videos() ? worker.video(place_.sampling, unit) : worker.photo(*place_.photos, unit);
  }

  static void stop(AlignOutput& out, int64_t total) {
    out.save();
    fail(ErrorKind::kStopped, "stopped after ", out.units_done(), " of ", total,
         "; run again with --resume to continue");
  }

  void refuse_without_faces(AlignOutput& out) const {
    out.discard();
    std::string first = first_reason_.substr(0, first_reason_.find('\n'));
    std::ranges::replace(first, '\t', ':');
    fail(ErrorKind::kData, "no face in any of ", out.counts().pictures, " pictures; the first: ", first);
  }

  const AlignRun& run_;
  Place place_;
  std::vector<Unit> units_;
  std::string first_reason_;
};

std::string percent(int64_t part, int64_t whole) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

std::string pixels(double sum, int64_t count) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f px", sum / static_cast<double>(count));
  return text;
}

}  // namespace

std::vector<std::string> AlignReport::lines() const {
  const AlignCounts& c = counts;
  std::vector<std::string> lines;
  lines.push_back(concat(out.string(), ": ", c.faces, " faces of ", c.with_faces, " of ", c.pictures,
                         videos ? " frames (" : " photos (", percent(c.with_faces, c.pictures), ")"));
  lines.push_back(concat("mean distance of the eyes from the template: ", pixels(c.eyes, c.faces),
                         ", of all five points: ", pixels(c.points, c.faces)));
  if (c.checked > 0) {
    lines.push_back(concat("detected again in the aligned faces: ", c.found_again, " of ", c.checked, " (",
                           percent(c.found_again, c.checked), ")"));
    if (c.found_again > 0)
      lines.back() += concat("; the eyes ", pixels(c.eyes_again, c.found_again),
                             " from the template, all five points ", pixels(c.points_again, c.found_again));
  }
  if (c.with_faces < c.pictures) {
    lines.push_back(concat("nothing found in ", c.pictures - c.with_faces,
                           "; reasons: ", (out / "not_found.txt").string()));
  }
  return lines;
}

AlignReport align_faces(const AlignRun& run) { return Alignment(run).run(); }

}  // namespace uir
