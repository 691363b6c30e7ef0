#include "uir/data/verification_bin.h"

#include "uir/base/error.h"
#include "uir/base/progress.h"
#include "uir/data/image_source.h"
#include "uir/formats/bin_set.h"

namespace uir {

VerificationBinReport write_verification_bin(const Index& index, std::span<const RowPair> pairs,
                                             const fs::path& file) {
  constexpr int kQuality = 95;
  const ImageSource images(index);
  BinSetWriter writer(file);
  VerificationBinReport report{file, std::ssize(pairs), 0, 0};
  std::vector<uint8_t> is_same;
  std::vector<std::byte> encoded;
  Progress progress("writing " + file.string(), "pairs", std::ssize(pairs));
  for (const RowPair& pair : pairs) {
    for (const int64_t row : {pair.a, pair.b}) {
      ++(images.as_jpeg(row, kQuality, encoded) ? report.copied : report.encoded);
      writer.add_image(encoded);
    }
    is_same.push_back(pair.same ? 1 : 0);
    progress.add(1);
  }
  writer.commit(is_same);
  return report;
}

std::string VerificationBinReport::line() const {
  return concat("wrote ", file.string(), ": ", pairs, " pairs of two images, ", copied, " images unchanged, ",
                encoded, " encoded anew");
}

}  // namespace uir
