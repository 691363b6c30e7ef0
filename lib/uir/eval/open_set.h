// Open-set identification: detection and identification rate (DIR) at a false-acceptance rate (FAR).
//
// Gallery G with identities; a probe is mated when its identity is in G. With n non-mated probes,
//   threshold(FAR) = entry max(int(n·FAR) − 1, 0) of their best gallery scores, sorted descending
//   DIR = share of mated probes whose best score with their own identity is greater than the threshold and
//         than every score with another identity
// so a tie is a miss. Rank-1 rate: the same without the threshold.
// Source: NIST IJB-B/C 1:N (Whitelam et al. 2017, Maze et al. 2018), TPIR@FPIR; P. J. Phillips et al.,
// Handbook of Face Recognition (2011), ch. 21 (DIR). Cost: |G|·|probes|·D; memory: a few numbers per probe.
// Errors: kData for unlabeled rows, list entries that are not in the set, an item in both lists or in one
// twice.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/file.h"
#include "uir/eval/calibration.h"
#include "uir/eval/flip_test.h"
#include "uir/eval/protocol.h"
#include "uir/eval/split.h"
#include "uir/report/uncertainty.h"

namespace uir {

// DIR@FAR. Without lists: the first image of every identity with two or more is the gallery, its other images
// are the mated probes, images of identities with a single image the non-mated ones.
struct OpenSetProtocol {
  static constexpr std::string_view kType = "open_set";
  static NumberFacts number_facts();
  std::string set;
  DataPath gallery;
  DataPath probe;
  std::vector<double> far{1e-2, 1e-3};
  bool flip = true;
  SplitOptions split{};
};
template <class Visitor>
void describe(Visitor& v, OpenSetProtocol& c) {
  v.field("set", c.set, "The embedding set.", Required{});
  v.field("gallery", c.gallery, "List of gallery images (path row identity); empty: see above.");
  v.field("probe", c.probe, "List of probe images (path row identity).");
  v.field("far", c.far, "False-acceptance rates.", GreaterThan{0}, Between{0, 1}, Distinct{});
  v.field("flip", c.flip, kFlipTest);
  describe_split(v, c.split);
}

std::vector<std::string> sets_of(const OpenSetProtocol& config);
std::vector<std::string> problems_of(const OpenSetProtocol& config, const KnownSources& sources);
std::vector<ProtocolResult> measure(const std::string& name, const OpenSetProtocol& config,
                                    EvalContext& context);

struct OpenSetEntry {
  int64_t row = 0;  // of the embedding set
  int64_t identity = 0;
  bool operator==(const OpenSetEntry&) const = default;
};

struct OpenSetLists {
  std::vector<OpenSetEntry> gallery, probes;
  bool by_rule = false;
};

// The first image of every identity with two or more is the gallery, all other images are probes: mated where
// the identity has a gallery image, non-mated where it has that single image.
OpenSetLists open_set_by_rule(std::span<const int64_t> labels);
// Lists of lines "path number identity", separated by white space (the number is not used).
OpenSetLists read_open_set_lists(const fs::path& gallery, const fs::path& probes,
                                 std::span<const std::string_view> items);

struct OpenSetRate {
  double far = 0;
  double threshold = 0;
  double dir = 0;
  double achieved_far = 0;  // share of non-mated probes above the threshold
};
struct OpenSetResult {
  int64_t num_gallery = 0, num_mated = 0, num_non_mated = 0;
  double rank1 = 0;  // not a number without mated probes
  // Both empty unless there are mated and non-mated probes.
  std::vector<OpenSetRate> rates;
  // far: wanted of 1 stranger; a score at the threshold is accepted.
  struct Calibrated : OpenSetRate {
    Uncertainty of_dir{}, of_far{};
  };
  std::vector<Calibrated> calibrated;
  Uncertainty rank1_uncertainty{};
  std::vector<Uncertainty> rate_uncertainty{};  // of rates
};
// gallery: thresholds for a gallery of this size, found elsewhere; null: none.
OpenSetResult measure_open_set(const CanonicalVectors& vectors, const OpenSetLists& lists,
                               const std::vector<double>& far, int threads = 1,
                               const CalibratedGallery* gallery = nullptr);

// calibration: its thresholds for a gallery of so many people are applied as well; null: none.
ProtocolResult run_open_set(const std::string& name, const CanonicalVectors& vectors,
                            const OpenSetLists& lists, const std::vector<double>& far, int threads = 1,
                            const Calibration* calibration = nullptr);

}  // namespace uir
