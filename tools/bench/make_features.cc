// Writes embeddings like those of a face network on a set like Trillion-Pairs (synthetic_features.h), for
// trial runs of uir-eval at any size: FOLDER/features.bin (or .npy) and FOLDER/labels.txt.
//
//   make_features FOLDER [gallery [identities [distractors [dim [npy|bin [seed]]]]]]
//
// Defaults: a hundredth of Trillion-Pairs (2740 images of 57 identities, 15800 distractors, 512 values).
#include <iostream>

#include "support/synthetic_features.h"
#include "uir/base/file.h"
#include "uir/base/parallel.h"
#include "uir/store/embedding_store.h"

namespace uir {
namespace {

void write_features(const fs::path& path, const SyntheticFeatures& set, bool npy) {
  constexpr int64_t kBlock = 8192;
  AtomicFile file(path);
  file.out().write(npy ? npy_header(set.rows(), set.dim) : challenge_header(set.rows(), set.dim));
  std::vector<float> values(static_cast<size_t>(kBlock * set.dim));
  for (int64_t first = 0; first < set.rows(); first += kBlock) {
    const int64_t rows = std::min(kBlock, set.rows() - first);
    parallel_blocks(rows, 64, 0, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        set.write(first + i, {values.data() + i * set.dim, static_cast<size_t>(set.dim)});
    });
    file.out().write_values(std::span<const float>(values).first(static_cast<size_t>(rows * set.dim)));
  }
  file.commit();
}

void write_labels(const fs::path& path, const SyntheticFeatures& set) {
  AtomicFile file(path);
  for (int64_t row = 0; row < set.rows(); ++row) file.out().write(concat(set.label(row), "\n"));
  file.commit();
}

int run(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: make_features FOLDER [gallery [identities [distractors [dim [npy|bin [seed]]]]]]\n";
    return static_cast<int>(ErrorKind::kUsage);
  }
  const auto number = [&](int i, int64_t otherwise) { return argc > i ? std::stoll(argv[i]) : otherwise; };
  const SyntheticFeatures set{number(2, 2740), number(3, 57), number(4, 15800), number(5, 512),
                              static_cast<uint64_t>(number(7, 1))};
  const bool npy = argc > 6 && std::string(argv[6]) == "npy";
  const fs::path folder = argv[1];
  write_labels(folder / "labels.txt", set);
  write_features(folder / (npy ? "features.npy" : "features.bin"), set, npy);
  return 0;
}

}  // namespace
}  // namespace uir

int main(int argc, char** argv) {
  try {
    return uir::run(argc, argv);
  } catch (const uir::Error& e) {
    std::cerr << "make_features: " << e.what() << "\n";
    return e.exit_code();
  }
}
