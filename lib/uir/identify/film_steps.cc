#include "uir/identify/film_steps.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "uir/base/error.h"

namespace uir {
namespace {

constexpr size_t kMostSteps = 8;                   // of a batch
constexpr int64_t kMostBytes = int64_t{64} << 20;  // of its frames, about

}  // namespace

int64_t StepMaker::period_of(int64_t ticks) const {
  return static_cast<int64_t>(
      std::floor(static_cast<double>(ticks - shot_begin_) * rate_ / static_cast<double>(ticks_per_second_)));
}

std::optional<FilmStep> StepMaker::add(VideoFrame frame, int64_t lost, const ShotDecision& shot) {
  std::optional<FilmStep> step;
  const int64_t ticks = frame.facts().ticks;
  if (!frame_.empty()) {
    last_distance_ = ticks - frame_.facts().ticks;
    const int64_t fade = shot.fade * last_distance_;
    step = settle({ticks, lost_, shot.fade, fade}, shot.begins);
    fade_in_ = fade;
  }
  frame_ = std::move(frame);
  lost_ = lost;
  begins_ = shot.begins;
  if (shot.begins) shot_begin_ = ticks;
  return step;
}

std::optional<FilmStep> StepMaker::finish() {
  if (frame_.empty()) return std::nullopt;
  const int64_t duration = frame_.duration();
  return settle({frame_.facts().ticks + (duration > 0 ? duration : last_distance_), lost_, 0, 0}, true);
}

// The frame at hand is a sample, or lies between two.
std::optional<FilmStep> StepMaker::settle(const ShotStart& next, bool ends_shot) {
  const int64_t period = period_of(frame_.facts().ticks);
  if (!begins_ && !ends_shot && period == last_period_) {
    between_.push_back(std::move(frame_));
    return std::nullopt;
  }
  last_period_ = period;
  FilmStep step;
  step.between = std::exchange(between_, {});
  step.sample = std::exchange(frame_, {});
  step.begins_shot = begins_;
  step.ends_shot = ends_shot;
  step.fade_in = fade_in_;
  step.following = next;
  return step;
}

struct FilmSteps::Impl {
  VideoReader reader;
  StepMaker maker;
  ShotDetector shots;
  int64_t lost_before, lost_at_start = 0;
  bool nothing_left = false;  // behind the shot to begin with
  fs::path path;

  struct Waiting {
    VideoFrame frame;
    int64_t lost;
  };
  std::deque<Waiting> waiting;  // for the shot detector

  std::thread thread;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::vector<FilmStep>> batches;
  std::exception_ptr error;
  bool finished = false, stop = false;
  int64_t lost = 0;

  Impl(const fs::path& film, double rate, const std::optional<ShotStart>& from)
      : reader(film),
        maker(reader.ticks_per_second(), rate, from ? from->fade : 0),
        shots(from ? from->fade_frames : 0),
        lost_before(from ? from->lost : 0),
        path(film) {
    nothing_left = !(from ? reader.seek(from->ticks) : reader.next());
    if (nothing_left && !from) fail(ErrorKind::kData, path.string(), ": not one frame can be decoded");
    lost_at_start = from ? reader.lost() : 0;
    thread = std::thread([this] { work(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    changed.notify_all();
    thread.join();
  }

  int64_t lost_so_far() const { return lost_before + reader.lost() - lost_at_start; }

  void work() {
    try {
      read_all();
    } catch (...) {
      const std::lock_guard lock(mutex);
      error = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    finished = true;
    changed.notify_all();
  }

  void read_all() {
    std::vector<FilmStep> batch;
    int64_t bytes = 0;
    for (bool more = !nothing_left; more; more = reader.next()) {
      VideoFrame frame = reader.keep();
      const FrameFacts facts = frame.facts();
      bytes += int64_t{facts.width} * facts.height * 3 / 2;
      const std::optional<ShotDecision> shot = shots.add(frame.thumbnail());
      waiting.push_back({std::move(frame), lost_so_far()});
      if (shot) pass_on(*shot, batch);
      const bool full = batch.size() >= kMostSteps || (bytes > kMostBytes && !batch.empty());
      if (full && !put(batch)) return;
      if (full) bytes = 0;
    }
    while (const std::optional<ShotDecision> shot = shots.finish()) pass_on(*shot, batch);
    if (std::optional<FilmStep> step = maker.finish()) batch.push_back(std::move(*step));
    lost = lost_so_far();
    if (!reader.saw_all()) {  // what the container's table lists and is not there, as a whole run counts it
      if (const auto list = read_frame_list(path)) lost += list->lost;
    }
    if (!batch.empty()) put(batch);
  }

  void pass_on(const ShotDecision& shot, std::vector<FilmStep>& batch) {
    Waiting next = std::move(waiting.front());
    waiting.pop_front();
    if (std::optional<FilmStep> step = maker.add(std::move(next.frame), next.lost, shot))
      batch.push_back(std::move(*step));
  }

  bool put(std::vector<FilmStep>& batch) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return batches.empty() || stop; });
    if (stop) return false;
    batches.push_back(std::exchange(batch, {}));
    changed.notify_all();
    return true;
  }

  std::optional<std::vector<FilmStep>> take() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !batches.empty() || finished; });
    if (batches.empty()) {
      if (error) std::rethrow_exception(error);
      return std::nullopt;
    }
    std::vector<FilmStep> batch = std::move(batches.front());
    batches.pop_front();
    changed.notify_all();
    return batch;
  }
};

FilmSteps::FilmSteps(const fs::path& path, double rate, std::optional<ShotStart> from)
    : impl_(std::make_unique<Impl>(path, rate, from)) {}
FilmSteps::~FilmSteps() = default;
int64_t FilmSteps::lost() const { return impl_->lost; }
std::optional<std::vector<FilmStep>> FilmSteps::next() { return impl_->take(); }

}  // namespace uir
