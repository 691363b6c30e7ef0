#include "uir/search/pair_scan.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <limits>
#include <mutex>
#include <optional>
#include <set>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/search/scan_state.h"

namespace uir {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kBlockValues = int64_t{1} << 25;  // of a row block
constexpr int64_t kCacheBytes = 256 << 10;          // of rows that stay in the second-level cache

constexpr int64_t kBlockColumns = 256;

// On a device: blocks that a row block's transfer and the calls' overhead vanish in.
constexpr int64_t kDeviceRows = int64_t{1} << 20, kDeviceTile = 4096;
constexpr int64_t kMostFound = int64_t{1} << 16;  // pairs that pass at once; more: thresholds are still low
constexpr int64_t kFoundBytes = 48;               // of one, its copies included
constexpr int64_t kRowsAtOnce = 1024;             // that are made for a row block

// The smallest multiple of a step that is at least x.
int64_t multiple_above(int64_t x, int64_t step) { return (x + step - 1) / step * step; }

// Of a vector in any kernel's layout: 4 bytes per value, and what FilterVectors keeps beside.
int64_t packed_bytes(int64_t dim, const BlockFilter* device) {
  return device ? device->vector_bytes(dim) : 4 * dim + 32;
}

// What a thread needs for a block: its columns as they are and packed, a row, a vector that is being packed, what it
// finds; on a device also a tile and the pairs that pass.
int64_t worker_bytes(int64_t dim, const BlockSizes& sizes, const PairSearch& search,
                     const BlockFilter* device) {
  const int64_t tile = device ? sizes.tile_rows * (sizes.columns * device->pair_bytes() + 16) +
                                    std::min(kMostFound, sizes.tile_rows * sizes.columns) * kFoundBytes
                              : 0;
  return sizes.columns * (4 * dim + packed_bytes(dim, device)) + 8 * dim + tile +
         search.block_bytes(sizes.rows, sizes.columns);
}

std::string mebibytes(int64_t bytes) { return concat((bytes + (1 << 20) - 1) >> 20, " MiB"); }

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
        visit(block, first_row + r, first_column + std::countr_zero(mask));
      }
    }
    finish(block);
  }
  // Pairs wait until there are a few of a row, or until finish().
  void visit(PairSearch::Block& block, int64_t row, int64_t column) {
    if (pairs_ == PairsOf::kOneSet && column <= row) return;
    if (row != row_number_ || waiting_ == kTogether) finish(block);
    if (!block.wants(row, column)) return;
    if (row != row_number_) rows_.read(row_number_ = row, row_);
    vectors_[waiting_] = columns_ + (column - first_column_) * static_cast<int64_t>(row_.size());
    numbers_[waiting_++] = column;
  }
  void finish(PairSearch::Block& block) {
    if (waiting_ == 0) return;
    std::array<double, kTogether> found;
    if (waiting_ == 1) {
      found[0] = score(row_, {vectors_[0], row_.size()});
    } else {
      scores(row_, std::span(vectors_).first(waiting_), found);
    }
    for (size_t k = 0; k < waiting_; ++k) block.add(row_number_, numbers_[k], found[k]);
    rescored_ += static_cast<int64_t>(waiting_);
    waiting_ = 0;
  }
  int64_t rescored() const { return rescored_; }

 private:
  static constexpr size_t kTogether = 8;
  const UnitRows& rows_;
  const PairsOf pairs_;
  std::vector<float> row_;
  int64_t row_number_ = -1;
  const float* columns_ = nullptr;
  int64_t first_column_ = 0, rescored_ = 0;
  size_t waiting_ = 0;
  std::array<const float*, kTogether> vectors_;
  std::array<int64_t, kTogether> numbers_;
};

class Scan {
 public:
  Scan(const UnitRows& rows, const UnitRows& columns, PairsOf pairs, PairSearch& search,
       const ScanOptions& options)
      : rows_(rows), columns_(columns), search_(search), options_(options) {
    ensure(rows.dim() == columns.dim() && rows.dim() >= 1, "rows and columns have one dimension");
    ensure(pairs == PairsOf::kRowsAndColumns || rows.size() == columns.size(),
           "one set has as many columns as rows");
    ensure(options.slice.index >= 0 && options.slice.index < options.slice.count, "slice index < count");
    if (rows.dim() > kMaxDim)
      fail(ErrorKind::kData, "embeddings of ", rows.dim(), " values; at most ", kMaxDim, " are supported");
    const BlockSizes blocks = block_sizes(rows.dim(), search, options.resources);
    threads_ = resolve_threads(options.resources.threads);
    workers_ = blocks.workers;
    tile_rows_ = blocks.tile_rows;
    plan_ = {rows.size(), columns.size(), options.row_block > 0 ? options.row_block : blocks.rows,
             options.column_block > 0 ? options.column_block : blocks.columns, pairs};
    kernel_ = options.kernel ? *options.kernel : filter_kernels().front();
  }

  ScanCounts run() {
    // It also finds bad rows, alike in all processes; alone, the scan itself does.
    if (!options_.state.empty() || options_.slice.count > 1) fingerprint_ = fingerprint();
    continue_from_state();
    if (workers_ < threads_) {
      log_info(options_.what, ": eval.memory_mb is enough for ", workers_, " of ", threads_,
               " threads at once");
    }
    const auto remaining = remaining_pairs();
    std::optional<Progress> own_progress;
    progress_ =
        options_.progress ? options_.progress : &own_progress.emplace(options_.what, "pairs", remaining);
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
    const uint64_t rows = rows_.fingerprint(threads_);
    const uint64_t columns = plan_.pairs == PairsOf::kOneSet ? rows : columns_.fingerprint(threads_);
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
    if (options_.resources.device) return scan_row_block_on_device(blocks, range);
    FilterVectors packed(kernel_, FilterVectors::Side::kRows, range.size(), rows_.dim());
    parallel_blocks(range.size(), 1024, workers_, [&](int64_t begin, int64_t end) {
      std::vector<float> unit(static_cast<size_t>(rows_.dim()));
      for (int64_t i = begin; i < end; ++i) {
        rows_.read(range.begin + i, unit);
        packed.set(i, unit);
      }
    });
    scan_blocks(blocks, [&](int64_t block) { scan_block(block, range, packed); });
  }

  // The rows go to the device once; each block's columns follow them, and while one thread waits for its products
  // another makes vectors or scores.
  void scan_row_block_on_device(const std::vector<int64_t>& blocks, RowRange range) {
    const BlockFilter& device = *options_.resources.device;
    const int64_t dim = rows_.dim();
    const std::unique_ptr<BlockFilter::Vectors> loaded = device.make_vectors(range.size(), dim);
    const int64_t at_once = std::min<int64_t>(kRowsAtOnce, std::max(kFilterColumns, plan_.column_block));
    parallel_blocks(range.size(), at_once, workers_, [&](int64_t begin, int64_t end) {
      loaded->set(begin, unit_vectors(rows_, {range.begin + begin, range.begin + end}));
    });
    scan_blocks(blocks, [&](int64_t block) { scan_block_on_device(block, range, *loaded); });
  }

  template <class ScanBlock>
  void scan_blocks(const std::vector<int64_t>& blocks, ScanBlock&& scan_one) {
    parallel_blocks(static_cast<int64_t>(blocks.size()), 1, workers_, [&](int64_t begin, int64_t) {
      if (stopped_ || (options_.stop && options_.stop())) {
        stopped_ = true;
        return;
      }
      scan_one(blocks[static_cast<size_t>(begin)]);
    });
  }

  static std::vector<float> unit_vectors(const UnitRows& of, RowRange range) {
    const auto dim = static_cast<size_t>(of.dim());
    std::vector<float> unit(static_cast<size_t>(range.size()) * dim);
    for (int64_t i = 0; i < range.size(); ++i)
      of.read(range.begin + i, std::span(unit).subspan(static_cast<size_t>(i) * dim, dim));
    return unit;
  }

  void scan_block_on_device(int64_t number, RowRange rows, const BlockFilter::Vectors& loaded_rows) {
    const RowRange columns = plan_.columns_of(number);
    if (plan_.pairs_of(number) == 0) return commit(number, nullptr, 0);
    const BlockFilter& device = *options_.resources.device;
    const std::vector<float> unit = unit_vectors(columns_, columns);
    const std::unique_ptr<BlockFilter::Vectors> loaded = device.make_vectors(columns.size(), columns_.dim());
    loaded->set(0, unit);
    const std::unique_ptr<PairSearch::Block> block = search_.begin(rows, columns);
    Rescorer rescorer(rows_, plan_.pairs, columns_.dim());
    rescorer.set_columns(unit.data(), columns.begin);
    for (int64_t first = rows.begin; first < rows.end; first += tile_rows_) {
      const RowRange of_tile{first, std::min(rows.end, first + tile_rows_)};
      if (plan_.pairs == PairsOf::kOneSet && of_tile.begin >= columns.end - 1) break;
      const std::unique_ptr<BlockFilter::Tile> tile = device.multiply(
          loaded_rows, {of_tile.begin - rows.begin, of_tile.end - rows.begin}, *loaded, {0, columns.size()});
      scan_part(*block, rescorer, *tile, rows.begin, of_tile, columns.begin, columns);
    }
    commit(number, block.get(), rescorer.rescored());
  }

  // While thresholds are low nearly all pairs pass; a part of few pairs raises them for the parts that follow.
  void scan_part(PairSearch::Block& block, Rescorer& rescorer, const BlockFilter::Tile& tile,
                 int64_t first_row, RowRange rows, int64_t first_column, RowRange columns) const {
    if (plan_.pairs == PairsOf::kOneSet && rows.begin >= columns.end - 1) return;
    std::vector<double> thresholds(static_cast<size_t>(rows.size()));
    block.thresholds(rows, columns, thresholds);
    std::vector<BlockFilter::Pair> found;
    if (tile.passing({rows.begin - first_row, rows.end - first_row},
                     {columns.begin - first_column, columns.end - first_column}, thresholds,
                     most_at_once(rows, columns), found)) {
      for (const BlockFilter::Pair& pair : found)
        rescorer.visit(block, first_row + pair.row, first_column + pair.column);
      return rescorer.finish(block);
    }
    const bool by_rows = rows.size() >= columns.size();
    const RowRange cut = by_rows ? rows : columns;
    const int64_t middle = cut.begin + (cut.size() + 1) / 2;
    for (const RowRange half : {RowRange{cut.begin, middle}, RowRange{middle, cut.end}})
      scan_part(block, rescorer, tile, first_row, by_rows ? half : rows, first_column,
                by_rows ? columns : half);
  }

  // A share of the part, so that what passes pays for the products; but small parts are not cut.
  static int64_t most_at_once(RowRange rows, RowRange columns) {
    constexpr int64_t kSmallPart = 4096, kShare = 64;
    const int64_t pairs = rows.size() * columns.size();
    return pairs <= kSmallPart ? pairs : std::min(kMostFound, std::max(kSmallPart, pairs / kShare));
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

  // Slices that cut the work into other blocks would leave out pairs without a word, so each names its blocks.
  void merge_other_slices() {
    const std::string plan = concat(plan_.row_block, " x ", plan_.column_block, "\n");
    const std::vector<std::string> found = options_.exchange(plan + search_.save());
    ensure(std::ssize(found) == options_.slice.count, "every slice says what it found");
    for (int64_t slice = 0; slice < options_.slice.count; ++slice) {
      if (slice == options_.slice.index) continue;
      const std::string_view other = found[static_cast<size_t>(slice)];
      if (!other.starts_with(plan)) {
        fail(ErrorKind::kConfig, options_.what, ": process ", slice, " cuts the work into blocks of ",
             other.substr(0, other.find('\n')), " pairs, process ", options_.slice.index, " of ",
             plan.substr(0, plan.size() - 1), "; give all the same memory and kind of device");
      }
      search_.merge(other.substr(plan.size()));
    }
  }

  void save() {
    last_saved_ = Clock::now();
    if (options_.state.empty()) return;
    state_.done_ahead = {done_ahead_.begin(), done_ahead_.end()};
    state_.found = search_.save();
    save_scan_state(options_.state, fingerprint_, state_);
    state_.found = {};
  }

  const UnitRows& rows_;
  const UnitRows& columns_;
  PairSearch& search_;
  const ScanOptions& options_;
  FilterKernel kernel_;
  BlockPlan plan_{};
  int threads_ = 1, workers_ = 1;  // workers: as many threads as the memory allows to scan at once
  int64_t tile_rows_ = 0;
  uint64_t fingerprint_ = 0;
  std::atomic<bool> stopped_{false};
  Progress* progress_ = nullptr;
  std::mutex mutex_;  // guards what follows, and the search's commits
  ScanState state_;
  std::set<int64_t> done_ahead_;
  Clock::time_point last_saved_ = Clock::now();
};

}  // namespace

// Half of the memory, besides the search's own, is for rows, half for the threads' columns.
BlockSizes block_sizes(int64_t dim, const PairSearch& search, const ScanResources& resources) {
  const BlockFilter* device = resources.device;
  const int64_t half = (resources.memory - search.bytes()) / 2, row_bytes = packed_bytes(dim, device);
  const BlockSizes smallest{kFilterRows, kFilterColumns, kFilterRows, 1};
  const int64_t least = std::max(kFilterRows * row_bytes, worker_bytes(dim, smallest, search, device));
  if (half < least) {
    fail(ErrorKind::kConfig, "a search through pairs of vectors of ", dim, " values needs at least ",
         mebibytes(search.bytes() + 2 * least), " of memory, ", mebibytes(search.bytes()),
         " of them for what it finds; it may use ", mebibytes(resources.memory), ": raise eval.memory_mb");
  }
  const auto too_large = [&](const BlockSizes& sizes) {
    return worker_bytes(dim, sizes, search, device) > half;
  };
  const auto halved = [](int64_t rows) {
    return std::max(kFilterRows, multiple_above(rows / 2, kFilterRows));
  };

  BlockSizes sizes = smallest;
  sizes.tile_rows = device ? kDeviceTile : kFilterRows;
  sizes.columns = device ? kDeviceTile : kBlockColumns;
  while (too_large(sizes) && (sizes.columns > kFilterColumns || sizes.tile_rows > kFilterRows)) {
    if (sizes.columns > kFilterColumns) sizes.columns /= 2;
    sizes.tile_rows = halved(sizes.tile_rows);
  }
  const int64_t wanted =
      device ? kDeviceRows : std::max<int64_t>(kBlockValues / std::max<int64_t>(dim, 1), 1024);
  sizes.rows = std::min(wanted, half / row_bytes / kFilterRows * kFilterRows);
  while (sizes.rows > kFilterRows && too_large(sizes)) sizes.rows = halved(sizes.rows);
  sizes.tile_rows = std::min(sizes.tile_rows, sizes.rows);
  const int64_t for_workers = resources.memory - search.bytes() - sizes.rows * row_bytes;
  const int64_t most = for_workers / worker_bytes(dim, sizes, search, device);
  sizes.workers = static_cast<int>(std::min<int64_t>(most, resolve_threads(resources.threads)));
  return sizes;
}

ScanCounts scan_pairs(const UnitRows& rows, const UnitRows& columns, PairsOf pairs, PairSearch& search,
                      const ScanOptions& options) {
  return Scan(rows, columns, pairs, search, options).run();
}

}  // namespace uir
