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

void check_rows(Verifier& verifier, const SourceInfo& source, int threads) {
  Progress progress("verifying " + source.name, "images", source.num_rows);
  parallel_blocks(source.num_rows, 64, threads, [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> rgb(kImageBytes);
    for (int64_t i = begin; i < end; ++i) verifier.check(source.first_row + i, rgb.data());
    progress.add(end - begin);
  });
}

// The flags with kBad exactly where an image failed.
std::vector<uint32_t> flags_with(const Index& index, const std::vector<BadImage>& bad) {
  std::vector<uint32_t> flags(index.flags().begin(), index.flags().end());
  for (uint32_t& flag : flags) flag &= ~uint32_t{kBad};
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
    check_rows(verifier, source, threads);
    report.images += source.num_rows;
  }
  report.bad = verifier.take_bad();
  const std::vector<uint32_t> flags = flags_with(index, report.bad);
  if (!std::equal(flags.begin(), flags.end(), index.flags().begin()))
    write_index_with_flags(folder, folder, flags);
  return report;
}

}  // namespace uir
