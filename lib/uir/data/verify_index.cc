#include <algorithm>
#include <mutex>

#include "uir/base/error.h"
#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/data/image_source.h"
#include "uir/data/index_builder.h"
#include "uir/data/index_flags.h"
#include "uir/images/decode.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

// Collects the rows that cannot be loaded.
class Verifier {
 public:
  explicit Verifier(const ImageSource& images) : images_(images) {}

  void check(int64_t row, uint8_t* rgb) {
    try {
      images_.load(row, rgb);
    } catch (const Error& error) {
      if (!concerns_image(error)) throw;
      std::lock_guard lock(mutex_);
      bad_.push_back({row, error.what()});
    }
  }

  std::vector<BadImage> take_bad() {
    std::sort(bad_.begin(), bad_.end(), [](const BadImage& a, const BadImage& b) { return a.row < b.row; });
    return std::move(bad_);
  }

 private:
  const ImageSource& images_;
  std::mutex mutex_;
  std::vector<BadImage> bad_;
};

// Excluded rows are never used, and their images need not be there.
std::vector<int64_t> rows_to_check(const Index& index, const SourceInfo& source) {
  std::vector<int64_t> rows;
  for (int64_t row = source.first_row; row < source.first_row + source.num_rows; ++row) {
    if (!(index.flags()[static_cast<size_t>(row)] & kExcluded)) rows.push_back(row);
  }
  return rows;
}

void check_rows(Verifier& verifier, const std::string& source, const std::vector<int64_t>& rows,
                int threads) {
  Progress progress("verifying " + source, "images", std::ssize(rows));
  parallel_blocks(std::ssize(rows), 64, threads, [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> rgb(kImageBytes);
    for (int64_t i = begin; i < end; ++i) verifier.check(rows[static_cast<size_t>(i)], rgb.data());
    progress.add(end - begin);
  });
}

// The flags with kBad exactly where an image failed.
std::vector<uint32_t> flags_with(const Index& index, const std::vector<BadImage>& bad) {
  std::vector<uint32_t> flags(index.flags().begin(), index.flags().end());
  for (uint32_t& flag : flags) {
    if (!(flag & kExcluded)) flag &= ~uint32_t{kBad};
  }
  for (const BadImage& image : bad) flags[static_cast<size_t>(image.row)] |= kBad;
  return flags;
}

}  // namespace

std::vector<std::string> VerifyReport::lines() const {
  std::vector<std::string> lines;
  for (const BadImage& image : bad) lines.push_back("bad: " + image.reason);
  lines.push_back(concat("verified ", images, " images: ", bad.size(), " bad",
                         bad.empty() ? "" : "; they are marked and will not be used"));
  return lines;
}

VerifyReport verify_index(const fs::path& folder, int threads) {
  const Index index = Index::open(folder, Index::Check::kFull);
  const ImageSource images(index);
  Verifier verifier(images);
  VerifyReport report;
  for (const SourceInfo& source : index.sources()) {
    if (source.kind == SourceKind::kSynthetic) continue;
    const std::vector<int64_t> rows = rows_to_check(index, source);
    check_rows(verifier, source.name, rows, threads);
    report.images += std::ssize(rows);
  }
  report.bad = verifier.take_bad();
  const std::vector<uint32_t> flags = flags_with(index, report.bad);
  if (!std::equal(flags.begin(), flags.end(), index.flags().begin()))
    write_index_with_flags(folder, folder, flags);
  return report;
}

}  // namespace uir
