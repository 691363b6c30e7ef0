// MegaFace's search: probes x distractors in float64, and how long the whole challenge would take.
//
//   bench_megaface [distractors [threads [probes [dim [noise]]]]]   defaults: 20000, 0 (one per processor),
//                                                                   3530, 512, 1.7
//
// Synthetic faces: 80 people with photos of the given noise among random directions (1.7: rank 1 of .93 among
// 10^5; 2.5: .11, the worst case, where the filter saves nothing); features are written as .npy into a
// temporary folder, as evaluation reads them. million_s: the measured time scaled to a million distractors;
// cpu: time of all threads together, which other programs disturb less.
#include <stdlib.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "uir/base/json.h"
#include "uir/base/parallel.h"
#include "uir/base/random.h"
#include "uir/eval/megaface.h"
#include "uir/report/report.h"
#include "uir/search/pair_scan.h"
#include "uir/store/embedding_store.h"

namespace uir {
namespace {

EmbeddingStore write_set(const fs::path& folder, const std::string& name, int64_t rows, int64_t dim,
                         int64_t identities, double noise) {
  std::ofstream features(folder / (name + ".npy"), std::ios::binary), labels(folder / (name + ".labels"));
  features << npy_header(rows, dim);
  std::vector<float> values(static_cast<size_t>(dim));
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t person = identities > 0 ? i % identities : -1;
    ItemRandom center(1, RandomPurpose::kTest, 1, static_cast<uint64_t>(person));
    ItemRandom image(1, RandomPurpose::kTest, identities > 0 ? 2 : 3, static_cast<uint64_t>(i));
    for (float& value : values) {
      value = static_cast<float>((identities > 0 ? center.normal() : 0.0) + noise * image.normal());
    }
    features << as_text(std::as_bytes(std::span(values)));
    labels << person << '\n';
  }
  features.close();
  labels.close();
  return EmbeddingStore::open(
      EmbeddingFiles{folder / (name + ".npy"), {}, {}, folder / (name + ".labels"), {}});
}

int run(int argc, char** argv) {
  const auto argument = [&](int i, int64_t otherwise) { return argc > i ? std::stoll(argv[i]) : otherwise; };
  const int64_t distractors = argument(1, 20000), threads = argument(2, 0), probes = argument(3, 3530),
                dim = argument(4, 512);
  const double noise = argc > 5 ? std::stod(argv[5]) : 1.7;
  std::string folder = (fs::temp_directory_path() / "bench-megaface-XXXXXX").string();
  if (!::mkdtemp(folder.data())) return 1;
  const EmbeddingStore probe_set = write_set(folder, "probes", probes, dim, 80, noise);
  const EmbeddingStore distractor_set = write_set(folder, "distractors", distractors, dim, 0, 1);

  const std::clock_t cpu_start = std::clock();
  const auto start = std::chrono::steady_clock::now();
  const ProtocolResult result = run_megaface("bench", probe_set, distractor_set, MegaFaceProtocol{},
                                             {.threads = static_cast<int>(threads)});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  fs::remove_all(folder);
  const double pairs = static_cast<double>(probes) * static_cast<double>(distractors);
  std::cout << Json{{"probes", probes},
                    {"distractors", distractors},
                    {"dim", dim},
                    {"noise", noise},
                    {"threads", resolve_threads(static_cast<int>(threads))},
                    {"seconds", seconds},
                    {"cpu_seconds", cpu},
                    {"pairs_per_s", pairs / seconds},
                    {"million_s", seconds * 1e6 / static_cast<double>(distractors)},
                    {"million_cpu_s", cpu * 1e6 / static_cast<double>(distractors)},
                    {"rank_1", result.value_of("identification_rank_1")}}
                   .dump(2)
            << "\n";
  return 0;
}

}  // namespace
}  // namespace uir

int main(int argc, char** argv) { return uir::run(argc, argv); }
