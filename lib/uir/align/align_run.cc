#include "uir/align/align_run.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/base/progress.h"

namespace uir {
namespace {

constexpr int64_t kPhotosPerThread = 64, kVideosPerThread = 4;  // between two chances to save

Json settings_of(const AlignRun& run) {
  Json json = describe_input(run.input);
  json["detector"] = checksum_of_input(run.aligner.detector);
  json["faces"] = enum_name(run.aligner.faces);
  json["min_score"] = run.aligner.min_score;
  json["min_size"] = run.aligner.min_size;
  json["detect_side"] = run.aligner.detect_side;
  json["check"] = run.aligner.check;
  json["points"] = "found again";  // other versions took them as they were
  json["image"] = run.encoding.png ? "png" : concat("jpeg ", run.encoding.quality);
  return json;
}

// As many workers as threads ask for at once.
class WorkerPool {
 public:
  WorkerPool(const AlignRun& run, const AlignOutput& out) : run_(run), out_(out) {}
  template <class Body>
  auto with(Body&& body) {
    std::unique_ptr<AlignWorker> worker = take();
    auto result = body(*worker);
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(worker));
    return result;
  }

 private:
  std::unique_ptr<AlignWorker> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<AlignWorker>(run_.aligner, run_.encoding, out_);
    std::unique_ptr<AlignWorker> worker = std::move(free_.back());
    free_.pop_back();
    return worker;
  }

  const AlignRun& run_;
  const AlignOutput& out_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<AlignWorker>> free_;
};

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
  explicit Alignment(const AlignRun& run) : run_(run) {
    if (const auto root = photo_root(run.input)) {
      photos_.emplace(*root);
      check_apart(*root, run.out);
    }
    AlignUnits found = list_units(run.input);
    units_ = std::move(found.units);
    left_out_ = std::move(found.left_out);
  }

  AlignReport run() {
    FaceAligner(run_.aligner);  // a wrong model is refused before anything is written
    AlignOutput out(run_.out, settings_of(run_), run_.resume, videos(), left_out_.to_json());
    std::vector<std::string> names;
    for (const AlignUnit& unit : units_) names.push_back(unit.name);
    out.check_names(names);
    if (out.complete()) {
      log_info(run_.out.string(), ": complete already");
    } else {
      align(out);
      if (out.counts().faces == 0) refuse_without_faces(out);
      out.commit();
    }
    return {out.counts(), videos(), run_.out, left_out_};
  }

 private:
  bool videos() const { return !photos_; }

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
            [&](AlignWorker& worker) { return align(worker, units_[static_cast<size_t>(begin + i)]); });
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

  AlignedUnit align(AlignWorker& worker, const AlignUnit& unit) const {
    return videos() ? worker.video(video_sampling(run_.input), unit) : worker.photo(*photos_, unit);
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
  std::optional<ImageFolder> photos_;
  std::vector<AlignUnit> units_;
  LeftOut left_out_;
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
  if (c.corrected > 0) {
    lines.push_back(
        concat(c.corrected, " of the faces by a closer look: turned heads, or faces that fill their photo"));
  }
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
  for (const std::string& line : left_out.lines()) lines.push_back("left out: " + line);
  return lines;
}

AlignReport align_faces(const AlignRun& run) { return Alignment(run).run(); }

}  // namespace uir
