#include "uir/eval/pair_scan.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <limits>
#include <mutex>
#include <set>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/eval/scan_state.h"

namespace uir {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kBlockValues = int64_t{1} << 25;  // of a row block
constexpr int64_t kCacheBytes = 256 << 10;          // of rows that stay in the second-level cache

int64_t default_row_block(int64_t dim) {
  return std::max<int64_t>(kBlockValues / std::max<int64_t>(dim, 1), 1024);
}

// Blocks of the score matrix, numbered row block by row block.
struct BlockPlan {
  int64_t rows, columns, row_block, column_block;
  PairsOf pairs;

  int64_t row_blocks() const { return (rows + row_block - 1) / row_block; }
  int64_t column_blocks() const { return (columns + column_block - 1) / column_block; }
  int64_t size() const { return row_blocks() * column_blocks(); }
  RowRange rows_of(int64_t row_block_number) const {
    return {row_block_number * row_block, std::min(rows, (row_block_number + 1) * row_block)};
  }
  RowRange columns_of(int64_t block) const {
    const int64_t c = block % column_blocks();
    return {c * column_block, std::min(columns, (c + 1) * column_block)};
  }
  int64_t pairs_of(int64_t block) const {
    const RowRange r = rows_of(block / column_blocks()), c = columns_of(block);
    if (pairs == PairsOf::kRowsAndColumns) return r.size() * c.size();
    int64_t count = 0;  // of i < j
    for (int64_t j = c.begin; j < c.end; ++j) count += std::clamp<int64_t>(j - r.begin, 0, r.size());
    return count;
  }
};

// The exact part: scores the pairs that passed the filter.
class Rescorer {
 public:
  Rescorer(const UnitRows& rows, PairsOf pairs, int64_t dim)
      : rows_(rows), pairs_(pairs), row_(static_cast<size_t>(dim)) {}

  // The columns of one block: vectors from `first` on.
  void set_columns(const float* vectors, int64_t first) {
    columns_ = vectors;
    first_column_ = first;
  }
  void visit(PairSearch::Block& block, int64_t first_row, int64_t first_column, const FilterMasks& masks) {
    for (int64_t r = 0; r < kFilterRows; ++r) {
      for (uint64_t mask = masks[r]; mask != 0; mask &= mask - 1) {
        const int64_t row = first_row + r, column = first_column + std::countr_zero(mask);
        if (pairs_ == PairsOf::kOneSet && column <= row) continue;
        if (block.wants(row, column)) block.add(row, column, exact(row, column));
      }
    }
  }
  int64_t rescored() const { return rescored_; }

 private:
  double exact(int64_t row, int64_t column) {
    if (row != row_number_) rows_.read(row_number_ = row, row_);
    ++rescored_;
    return score(row_,
                 {columns_ + (column - first_column_) * static_cast<int64_t>(row_.size()), row_.size()});
  }

  const UnitRows& rows_;
  const PairsOf pairs_;
  std::vector<float> row_;
  int64_t row_number_ = -1;
  const float* columns_ = nullptr;
  int64_t first_column_ = 0, rescored_ = 0;
};

class Scan {
 public:
  Scan(const UnitRows& rows, const UnitRows& columns, PairsOf pairs, PairSearch& search,
       const ScanOptions& options)
      : rows_(rows), columns_(columns), search_(search), options_(options), kernels_(filter_kernels()) {
    ensure(rows.dim() == columns.dim() && rows.dim() >= 1, "rows and columns have one dimension");
    ensure(pairs == PairsOf::kRowsAndColumns || rows.size() == columns.size(),
           "one set has as many columns as rows");
    ensure(options.slice.index >= 0 && options.slice.index < options.slice.count, "slice index < count");
    if (rows.dim() > kMaxDim)
      fail(ErrorKind::kData, "embeddings of ", rows.dim(), " values; at most ", kMaxDim, " are supported");
    const int64_t row_block = options.row_block > 0 ? options.row_block : default_row_block(rows.dim());
    plan_ = {rows.size(), columns.size(), row_block, options.column_block, pairs};
    kernel_ = options.kernel ? *options.kernel : kernels_.front();
  }

  ScanCounts run() {
    fingerprint_ = fingerprint();
    continue_from_state();
    const auto remaining = remaining_pairs();
    Progress progress(options_.what, "pairs", remaining);
    progress_ = &progress;
    for (int64_t r = 0; r < plan_.row_blocks() && !stopped_; ++r) scan_row_block(r);
    save();
    if (stopped_) {
      fail(ErrorKind::kStopped, options_.what, ": stopped on request after ", state_.pairs, " pairs",
           options_.state.empty() ? "" : "; its state is saved: run again to continue");
    }
    if (options_.exchange) merge_other_slices();
    return {state_.pairs, state_.rescored};
  }

 private:
  uint64_t fingerprint() const {
    const uint64_t rows = rows_.fingerprint(options_.threads);
    const uint64_t columns = plan_.pairs == PairsOf::kOneSet ? rows : columns_.fingerprint(options_.threads);
    return checksum64(as_bytes(concat("scan 1; ", rows, " ", columns, " ", static_cast<int>(plan_.pairs), " ",
                                      plan_.row_block, " ", plan_.column_block, " ", options_.slice.index,
                                      "/", options_.slice.count, "; ", search_.settings())));
  }

  void continue_from_state() {
    if (options_.state.empty()) return;
    std::optional<ScanState> saved = load_scan_state(options_.state, fingerprint_);
    if (!saved) return;
    search_.merge(saved->found);
    done_ahead_ = {saved->done_ahead.begin(), saved->done_ahead.end()};
    state_ = std::move(*saved);
    log_info(options_.what, ": continuing after ", state_.pairs, " pairs");
  }

  bool mine(int64_t block) const { return block % options_.slice.count == options_.slice.index; }
  bool done(int64_t block) const { return block < state_.next_block || done_ahead_.contains(block); }
  std::vector<int64_t> blocks_to_do(int64_t row_block) const {
    std::vector<int64_t> blocks;
    const int64_t begin = row_block * plan_.column_blocks();
    for (int64_t b = begin; b < begin + plan_.column_blocks(); ++b) {
      if (mine(b) && !done(b)) blocks.push_back(b);
    }
    return blocks;
  }
  int64_t remaining_pairs() const {
    int64_t pairs = 0;
    for (int64_t b = 0; b < plan_.size(); ++b) pairs += mine(b) && !done(b) ? plan_.pairs_of(b) : 0;
    return pairs;
  }

  void scan_row_block(int64_t number) {
    const std::vector<int64_t> blocks = blocks_to_do(number);
    if (blocks.empty()) return;
    const RowRange range = plan_.rows_of(number);
    FilterVectors packed(kernel_, FilterVectors::Side::kRows, range.size(), rows_.dim());
    parallel_blocks(range.size(), 1024, options_.threads, [&](int64_t begin, int64_t end) {
      std::vector<float> unit(static_cast<size_t>(rows_.dim()));
      for (int64_t i = begin; i < end; ++i) {
        rows_.read(range.begin + i, unit);
        packed.set(i, unit);
      }
    });
    parallel_blocks(static_cast<int64_t>(blocks.size()), 1, options_.threads, [&](int64_t begin, int64_t) {
      if (stopped_ || (options_.stop && options_.stop())) {
        stopped_ = true;
        return;
      }
      scan_block(blocks[static_cast<size_t>(begin)], range, packed);
    });
  }

  void scan_block(int64_t number, RowRange rows, const FilterVectors& packed_rows) {
    const RowRange range = plan_.columns_of(number);
    if (plan_.pairs_of(number) == 0) return commit(number, nullptr, 0);
    const int64_t dim = columns_.dim();
    std::vector<float> unit(static_cast<size_t>(range.size() * dim));
    FilterVectors packed(kernel_, FilterVectors::Side::kColumns, range.size(), dim);
    for (int64_t c = 0; c < range.size(); ++c) {
      const std::span<float> vector(unit.data() + c * dim, static_cast<size_t>(dim));
      columns_.read(range.begin + c, vector);
      packed.set(c, vector);
    }
    const std::unique_ptr<PairSearch::Block> block = search_.begin(rows, range);
    Rescorer rescorer(rows_, plan_.pairs, dim);
    rescorer.set_columns(unit.data(), range.begin);

    // A panel of columns stays in the first-level cache while some groups of rows, which stay in the second, pass by.
    const int64_t groups = packed_rows.num_groups();
    const int64_t step =
        std::max<int64_t>(1, kCacheBytes / std::max<int64_t>(1, packed_rows.bytes() / groups));
    for (int64_t first = 0; first < groups; first += step) {
      for (int64_t panel = 0; panel < packed.num_groups(); ++panel) {
        for (int64_t g = first; g < std::min(groups, first + step); ++g) {
          scan_tile(*block, rescorer, rows, packed_rows, g, range, packed, panel);
        }
      }
    }
    commit(number, block.get(), rescorer.rescored());
  }

  void scan_tile(PairSearch::Block& block, Rescorer& rescorer, RowRange rows,
                 const FilterVectors& packed_rows, int64_t group, RowRange columns,
                 const FilterVectors& packed_columns, int64_t panel) const {
    const int64_t first_row = rows.begin + group * kFilterRows,
                  end_row = std::min(rows.end, first_row + kFilterRows);
    const int64_t first_column = columns.begin + panel * kFilterColumns;
    const int64_t end_column = std::min(columns.end, first_column + kFilterColumns);
    if (plan_.pairs == PairsOf::kOneSet && first_row >= end_column - 1) return;
    std::array<double, kFilterRows> thresholds;
    thresholds.fill(std::numeric_limits<double>::infinity());
    block.thresholds({first_row, end_row}, {first_column, end_column},
                     std::span(thresholds).first(static_cast<size_t>(end_row - first_row)));
    FilterMasks masks;
    if (!filter_tile(kernel_, packed_rows, group, packed_columns, panel, thresholds, masks)) return;
    rescorer.visit(block, first_row, first_column, masks);
  }

  void commit(int64_t number, PairSearch::Block* block, int64_t rescored) {
    {
      std::lock_guard lock(mutex_);
      if (block) search_.commit(*block);
      state_.pairs += plan_.pairs_of(number);
      state_.rescored += rescored;
      done_ahead_.insert(number);
      while (state_.next_block < plan_.size() &&
             (!mine(state_.next_block) || done_ahead_.contains(state_.next_block))) {
        done_ahead_.erase(state_.next_block++);
      }
      if (Clock::now() - last_saved_ >= std::chrono::duration<double>(options_.save_every_s)) save();
    }
    progress_->add(plan_.pairs_of(number));
  }

  void merge_other_slices() {
    const std::vector<std::string> found = options_.exchange(search_.save());
    ensure(std::ssize(found) == options_.slice.count, "every slice says what it found");
    for (int64_t slice = 0; slice < options_.slice.count; ++slice) {
      if (slice != options_.slice.index) search_.merge(found[static_cast<size_t>(slice)]);
    }
  }

  void save() {
    last_saved_ = Clock::now();
    if (options_.state.empty()) return;
    state_.done_ahead = {done_ahead_.begin(), done_ahead_.end()};
    state_.found = search_.save();
    save_scan_state(options_.state, fingerprint_, state_);
  }

  const UnitRows& rows_;
  const UnitRows& columns_;
  PairSearch& search_;
  const ScanOptions& options_;
  const std::vector<FilterKernel> kernels_;
  FilterKernel kernel_;
  BlockPlan plan_{};
  uint64_t fingerprint_ = 0;
  std::atomic<bool> stopped_{false};
  Progress* progress_ = nullptr;
  std::mutex mutex_;  // guards what follows, and the search's commits
  ScanState state_;
  std::set<int64_t> done_ahead_;
  Clock::time_point last_saved_ = Clock::now();
};

}  // namespace

ScanCounts scan_pairs(const UnitRows& rows, const UnitRows& columns, PairsOf pairs, PairSearch& search,
                      const ScanOptions& options) {
  return Scan(rows, columns, pairs, search, options).run();
}

}  // namespace uir
