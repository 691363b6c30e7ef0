#include "uir/search/block_sizes.h"

#include <algorithm>
#include <string>

#include "uir/base/error.h"
#include "uir/base/parallel.h"
#include "uir/search/pair_filter.h"

namespace uir {
namespace {

constexpr int64_t kBlockValues = int64_t{1} << 25;  // of a row block
constexpr int64_t kLeastRows = 1024;                // of a row block that the memory does not limit
constexpr int64_t kBlockColumns = 256;

// On a device: blocks that a row block's transfer and the calls' overhead vanish in.
constexpr int64_t kDeviceRows = int64_t{1} << 20, kDeviceColumns = 4096, kProductRows = 4096;

constexpr BlockSizes kSmallest{kFilterRows, kFilterColumns, kFilterRows, 1};

// Half of x, but a multiple of the filter's rows and at least once these.
int64_t halved(int64_t x) {
  const int64_t groups = (x / 2 + kFilterRows - 1) / kFilterRows;
  return std::max(kFilterRows, groups * kFilterRows);
}

// The memory of a scan's parts.
class Demand {
 public:
  Demand(int64_t dim, const PairSearch& search, const BlockFilter* device)
      : dim_(dim), search_(search), device_(device) {}

  int64_t search() const { return search_.bytes(); }
  // Of a vector in any kernel's layout: 4 bytes per value, and what FilterVectors keeps beside.
  int64_t row() const { return device_ ? device_->vector_bytes(dim_) : 4 * dim_ + 32; }
  // What a thread needs for a block: its columns as they are and packed, a row, a vector that is being
  // packed, what it finds; on a device also a product and the pairs that pass.
  int64_t worker(const BlockSizes& sizes) const {
    return sizes.columns * (4 * dim_ + row()) + 8 * dim_ + product(sizes) +
           search_.block_bytes(sizes.rows, sizes.columns);
  }

 private:
  int64_t product(const BlockSizes& sizes) const {
    constexpr int64_t kFoundBytes = 48;  // of a pair that passes, its copies included
    if (!device_) return 0;
    return sizes.product_rows * (sizes.columns * device_->pair_bytes() + 16) +
           std::min(kMostFound, sizes.product_rows * sizes.columns) * kFoundBytes;
  }

  int64_t dim_;
  const PairSearch& search_;
  const BlockFilter* device_;
};

std::string mebibytes(int64_t bytes) { return concat((bytes + (1 << 20) - 1) >> 20, " MiB"); }

// The largest ones up to those wanted that leave a thread's part in `half` of the memory.
BlockSizes largest_blocks(int64_t dim, const Demand& demand, bool on_device, int64_t half) {
  const auto too_large = [&](const BlockSizes& sizes) { return demand.worker(sizes) > half; };
  BlockSizes sizes = kSmallest;
  sizes.product_rows = on_device ? kProductRows : kFilterRows;
  sizes.columns = on_device ? kDeviceColumns : kBlockColumns;
  while (too_large(sizes) && (sizes.columns > kFilterColumns || sizes.product_rows > kFilterRows)) {
    if (sizes.columns > kFilterColumns) sizes.columns /= 2;
    sizes.product_rows = halved(sizes.product_rows);
  }
  const int64_t wanted =
      on_device ? kDeviceRows : std::max(kBlockValues / std::max<int64_t>(dim, 1), kLeastRows);
  sizes.rows = std::min(wanted, half / demand.row() / kFilterRows * kFilterRows);
  while (sizes.rows > kFilterRows && too_large(sizes)) sizes.rows = halved(sizes.rows);
  sizes.product_rows = std::min(sizes.product_rows, sizes.rows);
  return sizes;
}

}  // namespace

BlockSizes block_sizes(int64_t dim, const PairSearch& search, const ScanResources& resources) {
  const Demand demand(dim, search, resources.device);
  const int64_t half = (resources.memory - demand.search()) / 2;
  const int64_t least = std::max(kFilterRows * demand.row(), demand.worker(kSmallest));
  if (half < least) {
    fail(ErrorKind::kConfig, "a search through pairs of vectors of ", dim, " values needs at least ",
         mebibytes(demand.search() + 2 * least), " of memory, ", mebibytes(demand.search()),
         " of them for what it finds; it may use ", mebibytes(resources.memory), ": raise eval.memory_mb");
  }
  BlockSizes sizes = largest_blocks(dim, demand, resources.device != nullptr, half);
  const int64_t for_workers = resources.memory - demand.search() - sizes.rows * demand.row();
  const int64_t most = for_workers / demand.worker(sizes);
  sizes.workers = static_cast<int>(std::min<int64_t>(most, resolve_threads(resources.threads)));
  return sizes;
}

}  // namespace uir
