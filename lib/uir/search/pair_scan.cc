#include "uir/search/pair_scan.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/search/filtered_rows.h"
#include "uir/search/leading_axes.h"
#include "uir/search/scan_state.h"

namespace uir {
namespace {

using Clock = std::chrono::steady_clock;

BlockPlan plan_of(const ScoreMatrix& matrix, const BlockSizes& sizes, const ScanOptions& options) {
  return {matrix.rows.size(), matrix.columns.size(), options.row_block > 0 ? options.row_block : sizes.rows,
          options.column_block > 0 ? options.column_block : sizes.columns, matrix.pairs};
}

void check_shapes(const ScoreMatrix& matrix) {
  const int64_t dim = matrix.rows.dim();
  ensure(dim == matrix.columns.dim() && dim >= 1, "rows and columns have one dimension");
  ensure(matrix.pairs == PairsOf::kRowsAndColumns || matrix.rows.size() == matrix.columns.size(),
         "one set has as many columns as rows");
  if (dim > kMaxDim)
    fail(ErrorKind::kData, "embeddings of ", dim, " values; at most ", kMaxDim, " are supported");
}

// The state file of a scan, and when it was written last.
class StateFile {
 public:
  StateFile(const DividedScanOptions& options, MergeableSearch& search, uint64_t fingerprint)
      : path_(options.state), every_s_(options.save_every_s), search_(search), fingerprint_(fingerprint) {}

  // What an earlier run did; the search holds what it found.
  std::optional<ScanState> resume() {
    std::optional<ScanState> saved = load_scan_state(path_, fingerprint_);
    if (saved) search_.merge(saved->found);
    return saved;
  }
  // Both while no block is being committed.
  void save(const DoneBlocks& done, const ScanCounts& counts) {
    last_saved_ = Clock::now();
    save_scan_state(path_, fingerprint_,
                    {done.next(), done.ahead(), counts.pairs, counts.rescored, search_.save()});
  }
  void save_if_due(const DoneBlocks& done, const ScanCounts& counts) {
    if (Clock::now() - last_saved_ >= std::chrono::duration<double>(every_s_)) save(done, counts);
  }

 private:
  const fs::path path_;
  const double every_s_;
  MergeableSearch& search_;
  const uint64_t fingerprint_;
  Clock::time_point last_saved_ = Clock::now();
};

// One slice's scan in one process.
class Scan {
 public:
  Scan(const ScoreMatrix& matrix, PairSearch& search, const ScanOptions& options, Slice slice = {})
      : matrix_(matrix),
        search_(search),
        options_(options),
        sizes_(block_sizes(matrix.rows.dim(), search, options.resources)),
        plan_(plan_of(matrix, sizes_, options)),
        kernel_(options.kernel ? *options.kernel : filter_kernels().front()),
        axes_(first_look()),
        done_(plan_.size(), slice) {}

  const BlockPlan& plan() const { return plan_; }

  // Continues where an earlier run stopped, and keeps the file up to date. It must outlive this.
  void keep_state(StateFile& file) {
    state_file_ = &file;
    const std::optional<ScanState> saved = file.resume();
    if (!saved) return;
    done_.restore(saved->next_block, saved->done_ahead);
    counts_ = {saved->pairs, saved->rescored};
    log_info(options_.what, ": continuing after ", counts_.pairs, " pairs");
  }

  ScanCounts run() {
    if (const int wanted = resolve_threads(options_.resources.threads); sizes_.workers < wanted) {
      log_info(options_.what, ": eval.memory_mb is enough for ", sizes_.workers, " of ", wanted,
               " threads at once");
    }
    const int64_t remaining = remaining_pairs();
    std::optional<Progress> own_progress;
    progress_ =
        options_.progress ? options_.progress : &own_progress.emplace(options_.what, "pairs", remaining);
    for (int64_t r = 0; r < plan_.row_blocks() && !stopped_; ++r) scan_row_block(r);
    if (state_file_) state_file_->save(done_, counts_);
    if (stopped_) {
      fail(ErrorKind::kStopped, options_.what, ": stopped on request after ", counts_.pairs, " pairs",
           state_file_ ? "; its state is saved: run again to continue" : "");
    }
    return counts_;
  }

 private:
  int64_t remaining_pairs() const {
    int64_t pairs = 0;
    for (int64_t b = 0; b < plan_.size(); ++b) pairs += done_.to_do(b) ? plan_.pairs_of(b) : 0;
    return pairs;
  }

  void scan_row_block(int64_t number) {
    std::vector<int64_t> blocks;
    const int64_t first = number * plan_.column_blocks();
    for (int64_t b = first; b < first + plan_.column_blocks(); ++b) {
      if (done_.to_do(b)) blocks.push_back(b);
    }
    if (blocks.empty()) return;
    const RowRange range = plan_.rows_of(number);
    const std::unique_ptr<FilteredRows> rows = load(range);
    parallel_blocks(std::ssize(blocks), 1, sizes_.workers, [&](int64_t begin, int64_t) {
      if (stopped_ || (options_.stop && options_.stop())) {
        stopped_ = true;
        return;
      }
      scan_block(blocks[static_cast<size_t>(begin)], range, *rows);
    });
  }

  std::unique_ptr<LeadingAxes> first_look() const {
    if (options_.resources.device || matrix_.rows.size() == 0 || matrix_.columns.size() == 0) return nullptr;
    if (options_.leading_values > 0 && options_.leading_values < matrix_.rows.dim())
      return LeadingAxes::forced(matrix_, kernel_, options_.leading_values);
    return LeadingAxes::find(matrix_, kernel_);
  }

  std::unique_ptr<FilteredRows> load(RowRange rows) const {
    const BlockFilter* device = options_.resources.device;
    return device ? rows_on_device(matrix_, rows, *device, sizes_.product_rows, plan_.column_block,
                                   sizes_.workers)
                  : rows_on_processor(matrix_, rows, kernel_, axes_.get(), sizes_.workers);
  }

  void scan_block(int64_t number, RowRange row_range, const FilteredRows& rows) {
    std::unique_ptr<PairSearch::Block> found;
    int64_t rescored = 0;
    if (plan_.pairs_of(number) > 0) {
      const RowRange columns = plan_.columns_of(number);
      found = search_.begin(row_range, columns);
      rescored = rows.scan(columns, *found);
    }
    commit(number, found.get(), rescored);
    progress_->add(plan_.pairs_of(number));
  }

  // found: null for a block without pairs.
  void commit(int64_t number, PairSearch::Block* found, int64_t rescored) {
    std::lock_guard lock(mutex_);
    if (found) search_.commit(*found);
    counts_.pairs += plan_.pairs_of(number);
    counts_.rescored += rescored;
    done_.add(number);
    if (state_file_) state_file_->save_if_due(done_, counts_);
  }

  const ScoreMatrix matrix_;
  PairSearch& search_;
  const ScanOptions& options_;
  const BlockSizes sizes_;
  const BlockPlan plan_;
  const FilterKernel kernel_;
  const std::unique_ptr<LeadingAxes> axes_;  // null: no first look
  std::atomic<bool> stopped_{false};
  Progress* progress_ = nullptr;
  StateFile* state_file_ = nullptr;
  std::mutex mutex_;  // guards what follows, the state file and the search's commits
  DoneBlocks done_;
  ScanCounts counts_;
};

// Of all that a state's blocks depend on. Reads every row, so it also finds bad ones, alike in all processes;
// a scan by itself finds them on its way.
uint64_t fingerprint_of(const ScoreMatrix& matrix, const BlockPlan& plan, const MergeableSearch& search,
                        const DividedScanOptions& options) {
  const int threads = resolve_threads(options.resources.threads);
  const uint64_t rows = matrix.rows.fingerprint(threads);
  const uint64_t columns = plan.pairs == PairsOf::kOneSet ? rows : matrix.columns.fingerprint(threads);
  return checksum64(as_bytes(concat("scan 1; ", rows, " ", columns, " ", static_cast<int>(plan.pairs), " ",
                                    plan.row_block, " ", plan.column_block, " ", options.slice.index, "/",
                                    options.slice.count, "; ", search.settings())));
}

// Slices that cut the work into other blocks would leave out pairs without a word, so each names its blocks.
void merge_other_slices(const BlockPlan& plan, MergeableSearch& search, const DividedScanOptions& options) {
  const std::string blocks = concat(plan.row_block, " x ", plan.column_block, "\n");
  const std::vector<std::string> found = options.exchange(blocks + search.save());
  ensure(std::ssize(found) == options.slice.count, "every slice says what it found");
  for (int64_t slice = 0; slice < options.slice.count; ++slice) {
    if (slice == options.slice.index) continue;
    const std::string_view other = found[static_cast<size_t>(slice)];
    if (!other.starts_with(blocks)) {
      fail(ErrorKind::kConfig, options.what, ": process ", slice, " cuts the work into blocks of ",
           other.substr(0, other.find('\n')), " pairs, process ", options.slice.index, " of ",
           blocks.substr(0, blocks.size() - 1), "; give all the same memory and kind of device");
    }
    search.merge(other.substr(blocks.size()));
  }
}

}  // namespace

ScanCounts scan_pairs(const UnitRows& rows, const UnitRows& columns, PairsOf pairs, PairSearch& search,
                      const ScanOptions& options) {
  const ScoreMatrix matrix{rows, columns, pairs};
  check_shapes(matrix);
  return Scan(matrix, search, options).run();
}

ScanCounts scan_pairs(const UnitRows& rows, const UnitRows& columns, PairsOf pairs, MergeableSearch& search,
                      const DividedScanOptions& options) {
  const ScoreMatrix matrix{rows, columns, pairs};
  check_shapes(matrix);
  ensure(options.slice.index >= 0 && options.slice.index < options.slice.count, "slice index < count");
  Scan scan(matrix, search, options, options.slice);
  std::optional<StateFile> state_file;
  if (!options.state.empty() || options.slice.count > 1) {
    const uint64_t fingerprint = fingerprint_of(matrix, scan.plan(), search, options);
    if (!options.state.empty()) scan.keep_state(state_file.emplace(options, search, fingerprint));
  }
  const ScanCounts counts = scan.run();
  if (options.exchange) merge_other_slices(scan.plan(), search, options);
  return counts;
}

}  // namespace uir
