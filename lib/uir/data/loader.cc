#include "uir/data/loader.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/data/augment.h"
#include "uir/data/image_source.h"
#include "uir/images/decode.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

// Images taken by a thread at once: few, so that a batch is finished by all threads together.
constexpr size_t kChunk = 4;

// What went wrong with one sample of a batch.
struct Problem {
  size_t position;
  BadImage image;
};

// A batch on its way: planned, then decoded by several threads, then delivered.
struct PendingBatch {
  std::vector<Sample> samples;
  Batch batch;
  size_t handed_out = 0, done = 0;
  std::vector<Problem> problems;
  std::exception_ptr error;  // of the first sample that failed for another reason than its image
  size_t error_position = 0;

  bool is_ready() const { return done == samples.size(); }
};

}  // namespace

struct Loader::Impl {
  Impl(Index index, BatchPlan batch_plan, LoaderOptions loader_options)
      : source(std::move(index)), plan(std::move(batch_plan)), options(std::move(loader_options)) {
    planned = options.first_batch;
    end = options.first_batch + options.num_batches;
  }

  // Not in the constructor: should a thread not start, the destructor joins those that did.
  void start() {
    const int num_threads = resolve_threads(static_cast<int>(options.config.threads));
    for (int i = 0; i < num_threads; ++i) threads.emplace_back([this] { work(); });
  }

  ~Impl() {
    {
      std::lock_guard lock(mutex);
      stopped = true;
    }
    may_work.notify_all();
    for (std::thread& thread : threads) thread.join();
  }

  // --- Decoding threads ---------------------------------------------------------------------------------

  void work() {
    std::unique_lock lock(mutex);
    while (PendingBatch* pending = batch_with_work(lock)) {
      const size_t begin = pending->handed_out;
      pending->handed_out = std::min(begin + kChunk, pending->samples.size());
      const size_t chunk_end = pending->handed_out;
      lock.unlock();
      for (size_t i = begin; i < chunk_end && !stopped; ++i) load_sample(*pending, i);
      lock.lock();
      pending->done += chunk_end - begin;
      if (pending->is_ready()) batch_ready.notify_all();
    }
  }

  // The newest batch, planning another when all its samples are handed out; none when there is nothing left
  // to do.
  PendingBatch* batch_with_work(std::unique_lock<std::mutex>& lock) {
    while (!stopped) {
      if (!queue.empty() && queue.back()->handed_out < queue.back()->samples.size())
        return queue.back().get();
      if (planned == end) return nullptr;
      if (static_cast<int64_t>(queue.size()) < options.config.prefetch) {
        plan_batch();
      } else {
        may_work.wait(lock);
      }
    }
    return nullptr;
  }

  void plan_batch() {
    auto pending = std::make_unique<PendingBatch>();
    if (!spare.empty()) {
      pending->batch = std::move(spare.back());
      spare.pop_back();
    }
    try {
      pending->samples = plan(planned++);
      const size_t size = pending->samples.size();
      pending->batch.images.resize(size * kImageBytes);
      pending->batch.labels.resize(size);
      pending->batch.rows.resize(size);
    } catch (...) {
      pending->error = std::current_exception();
      pending->samples.clear();
      planned = end;
    }
    queue.push_back(std::move(pending));
    may_work.notify_all();
    if (queue.back()->is_ready()) batch_ready.notify_all();
  }

  void load_sample(PendingBatch& pending, size_t position) {
    uint8_t* rgb = pending.batch.images.data() + position * kImageBytes;
    Sample sample = pending.samples[position];
    try {
      sample = options.training ? load_for_training(pending, position, sample, rgb)
                                : load_as_it_is(pending, position, sample, rgb);
    } catch (...) {
      std::lock_guard lock(mutex);
      if (pending.error && pending.error_position < position) return;
      pending.error = std::current_exception();
      pending.error_position = position;
    }
    pending.batch.labels[position] = sample.label;
    pending.batch.rows[position] = sample.row;
  }

  Sample load_as_it_is(PendingBatch& pending, size_t position, Sample sample, uint8_t* rgb) {
    if (try_to_load(pending, position, sample.row, rgb)) return sample;
    std::memset(rgb, 0, kImageBytes);
    return {-1, sample.label, sample.epoch};
  }

  // A bad image is replaced by the next good training row of its source. More attempts than the budget allows
  // would only delay the error that next() is going to throw.
  Sample load_for_training(PendingBatch& pending, size_t position, Sample sample, uint8_t* rgb) {
    for (int64_t attempt = 0; attempt <= options.config.max_bad; ++attempt) {
      if (try_to_load(pending, position, sample.row, rgb)) {
        augment_face(options.augment, options.seed, sample.epoch, sample.row, rgb);
        break;
      }
      sample.row = next_training_row(sample.row);
      if (sample.row == pending.samples[position].row) {
        fail(ErrorKind::kData, source.describe(sample.row), ": no image of this source can be read");
      }
      sample.label = source.index().labels()[static_cast<size_t>(sample.row)];
    }
    return sample;
  }

  // False, with the problem noted, if the image is bad.
  bool try_to_load(PendingBatch& pending, size_t position, int64_t row, uint8_t* rgb) {
    try {
      source.load(row, rgb);
      return true;
    } catch (const Error& error) {
      if (!concerns_image(error)) throw;
      std::lock_guard lock(mutex);
      pending.problems.push_back({position, {row, error.what()}});
      return false;
    }
  }

  // The next row of the same source that training may use, from its first row again after its last.
  int64_t next_training_row(int64_t row) const {
    const SourceInfo& info = source.index().source_of_row(row);
    const auto flags = source.index().flags();
    do {
      row = row + 1 < info.first_row + info.num_rows ? row + 1 : info.first_row;
    } while (flags[static_cast<size_t>(row)] & (kHeldOut | kBad | kExcluded));
    return row;
  }

  // --- The consumer -------------------------------------------------------------------------------------

  bool next(Batch& batch) {
    if (failure) std::rethrow_exception(failure);
    if (delivered == options.num_batches) return false;
    std::unique_ptr<PendingBatch> pending = take_ready_batch();
    try {
      check(*pending);
    } catch (...) {
      failure = std::current_exception();
      throw;
    }
    ++delivered;
    std::swap(batch, pending->batch);
    std::lock_guard lock(mutex);
    spare.push_back(std::move(pending->batch));
    return true;
  }

  std::unique_ptr<PendingBatch> take_ready_batch() {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    std::unique_lock lock(mutex);
    batch_ready.wait(lock, [&] { return !queue.empty() && queue.front()->is_ready(); });
    waited_s += std::chrono::duration<double>(Clock::now() - start).count();
    std::unique_ptr<PendingBatch> pending = std::move(queue.front());
    queue.pop_front();
    may_work.notify_all();
    return pending;
  }

  // Throws what went wrong in the batch; the order of its samples decides, not that of the threads.
  void check(PendingBatch& pending) {
    if (pending.error) std::rethrow_exception(pending.error);
    std::stable_sort(pending.problems.begin(), pending.problems.end(),
                     [](const Problem& a, const Problem& b) { return a.position < b.position; });
    for (Problem& problem : pending.problems) note_bad(std::move(problem.image));
  }

  void note_bad(BadImage image) {
    if (!bad_rows.insert(image.row).second) return;
    const auto count = static_cast<int64_t>(bad_rows.size());
    if (count > options.config.max_bad) {
      fail(ErrorKind::kData, image.reason, " (bad image ", count, " of this run; data.loader.max_bad allows ",
           options.config.max_bad, "; uir-index --verify lists and excludes all of them)");
    }
    log_warning(image.reason,
                options.training ? "; replaced by the next good image of its source" : "; left out");
    bad.push_back(std::move(image));
  }

  ImageSource source;
  BatchPlan plan;
  LoaderOptions options;

  std::mutex mutex;
  std::condition_variable may_work, batch_ready;
  std::deque<std::unique_ptr<PendingBatch>>
      queue;                 // in plan order; only the last one has samples to hand out
  std::vector<Batch> spare;  // memory to use again
  int64_t planned = 0, end = 0;
  std::atomic<bool> stopped = false;

  int64_t delivered = 0;
  double waited_s = 0;
  std::unordered_set<int64_t> bad_rows;
  std::vector<BadImage> bad;
  std::exception_ptr failure;

  std::vector<std::thread> threads;
};

Loader::Loader(Index index, BatchPlan plan, LoaderOptions options)
    : impl_(std::make_unique<Impl>(std::move(index), std::move(plan), std::move(options))) {
  impl_->start();
}
Loader::~Loader() = default;

bool Loader::next(Batch& batch) { return impl_->next(batch); }
double Loader::waited_s() const { return impl_->waited_s; }
std::vector<BadImage> Loader::bad_images() const { return impl_->bad; }
int64_t Loader::num_bad_images() const { return static_cast<int64_t>(impl_->bad.size()); }

}  // namespace uir
