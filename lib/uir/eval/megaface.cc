#include "uir/eval/megaface.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <numeric>
#include <set>

#include "uir/base/error.h"
#include "uir/base/progress.h"
#include "uir/eval/roc.h"
#include "uir/search/canonical.h"
#include "uir/search/exact_scores.h"

namespace uir {
namespace {

constexpr int64_t kDistractorsPerBlock = 1024;
constexpr int64_t kTen = 10;
// Up to this share of distractors, scoring them again costs less than the filter saves.
constexpr double kSeldom = 0.01;

using NoiseNames = std::set<std::string, std::less<>>;

// The entries of a noise list.
NoiseNames read_noises(const fs::path& path) {
  const std::string text = read_text_file(path);
  NoiseNames noises;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = std::string_view(text).substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    begin = end + 1;
    if (line.empty() || line.starts_with('#')) continue;
    if (const size_t tab = line.find('\t'); tab != std::string_view::npos) {
      line = line.substr(tab + 1, line.find('\t', tab + 1) - tab - 1);
    }
    noises.emplace(line);
  }
  return noises;
}

// Whether the item, or what follows one of its slashes, is an entry.
bool names_item(const NoiseNames& noises, std::string_view item) {
  while (true) {
    if (noises.contains(item)) return true;
    const size_t slash = item.find('/');
    if (slash == std::string_view::npos) return false;
    item.remove_prefix(slash + 1);
  }
}

// The first rows of a set, told apart by a list of noises.
struct Rows {
  std::vector<int64_t> clean, noisy;
};

Rows rows_of(const EmbeddingStore& set, const DataPath& noise_list, int64_t num_rows) {
  Rows rows;
  std::vector<bool> noisy(static_cast<size_t>(set.size()), false);
  if (!noise_list.empty()) noisy = noisy_rows(noise_list.value, set.items());
  for (int64_t row = 0; row < num_rows; ++row) {
    (noisy[static_cast<size_t>(row)] ? rows.noisy : rows.clean).push_back(row);
  }
  return rows;
}

// Numbers of the identities of the rows.
std::vector<int64_t> identities_of(const EmbeddingStore& set, std::span<const int64_t> rows,
                                   IdentityOf rule) {
  std::vector<int64_t> identities;
  std::map<std::string_view, int64_t> folders;
  for (const int64_t row : rows) {
    const std::string_view item = set.item(row);
    if (rule == IdentityOf::kFolder) {
      const size_t slash = item.rfind('/');
      if (slash == std::string_view::npos) {
        fail(ErrorKind::kData, set.folder().string(), ": row ", row, " (", item,
             "): the item has no folder that could be its identity");
      }
      identities.push_back(
          folders.try_emplace(item.substr(0, slash), static_cast<int64_t>(folders.size())).first->second);
      continue;
    }
    identities.push_back(set.labels()[static_cast<size_t>(row)]);
    if (identities.back() >= 0) continue;
    fail(ErrorKind::kData, set.folder().string(), ": row ", row, " (", item,
         ") has no identity; give the set labels, or the protocol identity: folder");
  }
  return identities;
}

// The images that are searched for.
struct Probes {
  CanonicalVectors vectors;
  std::vector<int64_t> identities;
};

// Appends a vector for every identity that is given beyond the vectors' number: the direction of the sum of the identity's
// unit vectors.
void append_centers(Probes& probes) {
  CanonicalVectors& vectors = probes.vectors;
  const auto num_images = static_cast<size_t>(vectors.rows);
  const auto dim = static_cast<size_t>(vectors.cols);
  std::vector<float> sums;
  for (size_t i = num_images; i < probes.identities.size(); ++i) {
    std::vector<double> sum(dim, 0.0);
    for (size_t image = 0; image < num_images; ++image) {
      if (probes.identities[image] != probes.identities[i]) continue;
      const std::span<const float> vector = vectors.row(static_cast<int64_t>(image));
      for (size_t d = 0; d < dim; ++d) sum[d] += double{vector[d]};
    }
    sums.insert(sums.end(), sum.begin(), sum.end());
  }
  const auto num_centers = static_cast<int64_t>(probes.identities.size() - num_images);
  const CanonicalVectors centers =
      canonical_vectors({sums.data(), num_centers, vectors.cols}, std::nullopt, 1, [](int64_t i) {
        return concat("noisy probe ", i, ": no other image tells where the center of its identity is");
      });
  vectors.values.insert(vectors.values.end(), centers.values.begin(), centers.values.end());
  vectors.rows += num_centers;
}

Probes read_probes(const EmbeddingStore& set, const Rows& rows, const MegaFaceProtocol& protocol,
                   int threads) {
  std::vector<int64_t> used = rows.clean;
  const bool centers = protocol.noisy_probes == NoisyProbes::kCenter;
  if (centers) used.insert(used.end(), rows.noisy.begin(), rows.noisy.end());
  Probes probes{canonical_rows(set, rows.clean, threads), identities_of(set, used, protocol.identity)};
  if (centers) append_centers(probes);
  return probes;
}

// The scores of every probe with its mates, the other images of its identity.
struct Mates {
  std::vector<size_t> begin{0};  // probe i has scores[begin[i] .. begin[i + 1])
  std::vector<double> scores;    // ascending within a probe
  std::vector<double> genuine;   // each unordered pair once
  int64_t num_identities = 0;

  std::span<const double> of(int64_t probe) const {
    const auto i = static_cast<size_t>(probe);
    return std::span(scores).subspan(begin[i], begin[i + 1] - begin[i]);
  }
};

Mates mates_of(const Probes& set) {
  const CanonicalVectors& probes = set.vectors;
  const std::vector<int64_t>& identities = set.identities;
  std::map<int64_t, std::vector<int64_t>> images;
  for (int64_t i = 0; i < probes.rows; ++i) images[identities[static_cast<size_t>(i)]].push_back(i);
  Mates mates;
  mates.num_identities = static_cast<int64_t>(images.size());
  for (int64_t i = 0; i < probes.rows; ++i) {
    for (const int64_t other : images[identities[static_cast<size_t>(i)]]) {
      if (other == i) continue;
      mates.scores.push_back(score(probes.row(i), probes.row(other)));
      if (other > i) mates.genuine.push_back(mates.scores.back());
    }
    std::ranges::sort(mates.scores.begin() + static_cast<int64_t>(mates.begin.back()), mates.scores.end());
    mates.begin.push_back(mates.scores.size());
  }
  return mates;
}

CanonicalVectors some_rows(const CanonicalVectors& all, std::span<const int64_t> rows) {
  CanonicalVectors some{{}, std::ssize(rows), all.cols};
  for (const int64_t row : rows)
    some.values.insert(some.values.end(), all.row(row).begin(), all.row(row).end());
  return some;
}

// What the distractors so far did to the probes.
struct Counts {
  // [j]: distractors whose score with the probe is at least mate score j, but below the probe's next higher one.
  std::vector<int64_t> between;
  Roc::Counter impostors;
};

struct Hit {
  int64_t probe;
  double score;
};

// Visits every (probe, distractor) whose score is at least the probe's floor, in float64 throughout: for probes that many
// distractors reach.
void visit_scores_from(MatrixView probes, const CanonicalVectors& distractors, std::span<const double> floors,
                       const std::function<void(const Hit&)>& visit) {
  const ScoreColumns columns(distractors.view());
  for (int64_t begin = 0; begin < probes.rows; begin += kScoreRows) {
    visit_scores(probes, begin, std::min(begin + kScoreRows, probes.rows), columns, 0,
                 [&](int64_t probe, int64_t, std::span<const double> scores) {
                   const double floor = floors[static_cast<size_t>(probe)];
                   for (const double s : scores) {
                     if (s >= floor) visit({probe, s});
                   }
                 });
  }
}

// The same behind the filter: for probes that few distractors reach. It visits from one thread at a time, before blocks
// are committed, so it cannot be restarted.
class FloorSearch : public PairSearch {
 public:
  using Visit = std::function<void(std::span<const Hit>)>;
  FloorSearch(std::span<const double> floors, Visit visit) : floors_(floors), visit_(std::move(visit)) {}

  std::unique_ptr<Block> begin(RowRange, RowRange) override { return std::make_unique<Part>(*this); }
  void commit(Block& block) override { static_cast<Part&>(block).flush(); }
  int64_t bytes() const override { return 0; }
  int64_t block_bytes(int64_t, int64_t) const override { return kBuffer * static_cast<int64_t>(sizeof(Hit)); }

 private:
  static constexpr int64_t kBuffer = 4096;
  struct Part : Block {
    explicit Part(FloorSearch& search) : search(search) { hits.reserve(kBuffer); }
    void thresholds(RowRange rows, RowRange, std::span<double> thresholds) override {
      std::copy_n(search.floors_.begin() + rows.begin, rows.size(), thresholds.begin());
    }
    bool wants(int64_t, int64_t) override { return true; }
    void add(int64_t row, int64_t, double score) override {
      if (score < search.floors_[static_cast<size_t>(row)]) return;
      hits.push_back({row, score});
      if (std::ssize(hits) == kBuffer) flush();
    }
    void flush() {
      std::lock_guard lock(search.mutex_);
      search.visit_(hits);
      hits.clear();
    }
    FloorSearch& search;
    std::vector<Hit> hits;
  };

  std::span<const double> floors_;
  Visit visit_;
  std::mutex mutex_;
};

// Some of the probes, with their floors.
struct Wanted {
  std::vector<int64_t> probes;
  std::vector<double> floors;
  void add(int64_t probe, double floor) {
    probes.push_back(probe);
    floors.push_back(floor);
  }
};

class Search {
 public:
  Search(const CanonicalVectors& probes, const Mates& mates, const EmbeddingStore& distractors,
         const std::vector<int64_t>& rows, double largest_far, const ScanResources& resources)
      : probes_(probes),
        mates_(mates),
        distractors_(distractors),
        rows_(rows),
        largest_far_(largest_far),
        resources_(resources),
        roc_(mates.genuine),
        between_(mates.scores.size(), 0),
        progress_("searching for the probes", "pairs", probes.rows * std::ssize(rows)) {}

  // Goes on with the distractors up to number `end`, in pieces that tell soon which scores no longer matter.
  void search_to(int64_t end) {
    while (done_ < end) {
      const int64_t piece_end = std::min(end, std::max(kDistractorsPerBlock, kTen * done_));
      search_piece(piece_end);
      done_ = piece_end;
    }
  }

  // For every mate score, the number of distractors so far that score at least as high with the probe.
  std::vector<int64_t> at_least() const {
    std::vector<int64_t> counts = between_;
    for (int64_t probe = 0; probe < probes_.rows; ++probe) {
      const size_t begin = mates_.begin[static_cast<size_t>(probe)],
                   end = mates_.begin[static_cast<size_t>(probe) + 1];
      for (size_t j = end; j-- > begin + 1;) counts[j - 1] += counts[j];
    }
    return counts;
  }

  // Exact at rates up to the largest.
  const Roc& roc() const { return roc_; }

 private:
  void search_piece(int64_t end) {
    const RocPoint tail = verification_floor();
    Wanted often, seldom;  // by how many distractors they were reached so far
    for (int64_t probe = 0; probe < probes_.rows; ++probe) {
      const auto scores = mates_.of(probe);
      const bool by_mate = !scores.empty() && scores.front() < tail.threshold;
      const double share = by_mate ? share_above_mates(probe) : tail.far;
      (share <= kSeldom ? seldom : often).add(probe, by_mate ? scores.front() : tail.threshold);
    }
    tail_ = tail.threshold;
    Counts counts{std::vector<int64_t>(between_.size(), 0), roc_.counter()};
    const int64_t counted = search_often(often, end, counts) + search_seldom(seldom, end, counts);
    counts.impostors.between[0] += probes_.rows * (end - done_) - counted;  // too low to matter
    for (size_t j = 0; j < between_.size(); ++j) between_[j] += counts.between[j];
    roc_.merge(counts.impostors);
  }

  // Whether the score counts as an impostor's of its own.
  bool count(const Hit& hit, Counts& counts) const {
    const auto mates = mates_.of(hit.probe);
    const auto beaten = std::upper_bound(mates.begin(), mates.end(), hit.score) - mates.begin();
    if (beaten > 0)
      ++counts.between[mates_.begin[static_cast<size_t>(hit.probe)] + static_cast<size_t>(beaten) - 1];
    if (hit.score < tail_) return false;
    roc_.count(hit.score, counts.impostors);
    return true;
  }

  // Both return the number of impostors that were counted.
  int64_t search_often(const Wanted& wanted, int64_t end, Counts& counts) {
    if (wanted.probes.empty()) return 0;
    const CanonicalVectors probes = some_rows(probes_, wanted.probes);
    int64_t counted = 0;
    struct Part {
      Counts counts;
      int64_t counted;
    };
    const Part empty{{std::vector<int64_t>(between_.size(), 0), roc_.counter()}, 0};
    const auto search_block = [&](Part& part, int64_t first, int64_t last) {
      const auto rows =
          std::span(rows_).subspan(static_cast<size_t>(done_ + first), static_cast<size_t>(last - first));
      visit_scores_from(
          probes.view(), canonical_rows(distractors_, rows), wanted.floors, [&](const Hit& hit) {
            part.counted += count({wanted.probes[static_cast<size_t>(hit.probe)], hit.score}, part.counts);
          });
      progress_.add((last - first) * probes.rows);
    };
    reduce_blocks(end - done_, kDistractorsPerBlock, resources_.threads, empty, search_block,
                  [&](const Part& part) {
                    counted += part.counted;
                    add(part.counts, counts);
                  });
    return counted;
  }

  int64_t search_seldom(const Wanted& wanted, int64_t end, Counts& counts) {
    if (wanted.probes.empty()) return 0;
    int64_t counted = 0;
    FloorSearch search(wanted.floors, [&](std::span<const Hit> hits) {
      for (const Hit& hit : hits)
        counted += count({wanted.probes[static_cast<size_t>(hit.probe)], hit.score}, counts);
    });
    scan_pairs(UnitRows(probes_).subset(wanted.probes),
               UnitRows(distractors_).subset({rows_.begin() + done_, rows_.begin() + end}),
               PairsOf::kRowsAndColumns, search, {.resources = resources_, .progress = &progress_});
    return counted;
  }

  static void add(const Counts& more, Counts& counts) {
    const auto add_all = [](const std::vector<int64_t>& from, std::vector<int64_t>& to) {
      for (size_t i = 0; i < to.size(); ++i) to[i] += from[i];
    };
    add_all(more.between, counts.between);
    add_all(more.impostors.between, counts.impostors.between);
    add_all(more.impostors.equal, counts.impostors.equal);
  }

  // Of the distractors so far, those that score at least as high as the probe's worst mate.
  double share_above_mates(int64_t probe) const {
    if (done_ == 0) return 1;
    const auto begin = between_.begin() + static_cast<int64_t>(mates_.begin[static_cast<size_t>(probe)]);
    const auto end = between_.begin() + static_cast<int64_t>(mates_.begin[static_cast<size_t>(probe) + 1]);
    return static_cast<double>(std::accumulate(begin, end, int64_t{0})) / static_cast<double>(done_);
  }

  // No threshold below this one can have a false-acceptance rate up to the largest that is asked for, whatever the
  // distractors to come score; so impostor scores below need not be told apart.
  RocPoint verification_floor() const {
    if (done_ == 0) return {.far = 1, .threshold = -std::numeric_limits<double>::infinity()};
    const double share = static_cast<double>(done_) / static_cast<double>(rows_.size());
    constexpr double kRoundingUp = 1 + 1e-9;  // too low a floor costs time only
    return roc_.at_most(largest_far_ / share * kRoundingUp);
  }

  const CanonicalVectors& probes_;
  const Mates& mates_;
  const EmbeddingStore& distractors_;
  const std::vector<int64_t>& rows_;
  const double largest_far_;
  const ScanResources& resources_;
  int64_t done_ = 0;
  double tail_ = 0;
  Roc roc_;
  std::vector<int64_t> between_;
  Progress progress_;
};

// The wanted numbers of rows, ascending; 10, 100, 1000 … and all where none are given.
std::vector<int64_t> gallery_sizes(const MegaFaceProtocol& protocol, const EmbeddingStore& distractors) {
  std::vector<int64_t> sizes = protocol.distractor_counts;
  if (sizes.empty()) {
    for (int64_t n = kTen; n < distractors.size(); n *= kTen) sizes.push_back(n);
    sizes.push_back(distractors.size());
  }
  std::ranges::sort(sizes);
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  if (sizes.back() > distractors.size()) {
    fail(ErrorKind::kData, distractors.folder().string(), ": distractor_counts asks for ", sizes.back(),
         " distractors; the set has ", distractors.size(), " rows");
  }
  return sizes;
}

// Share of the searches whose mate has at most the rank.
double rate_of_rank(const std::vector<int64_t>& at_least, int64_t rank) {
  const auto hits = std::ranges::count_if(at_least, [&](int64_t better) { return better < rank; });
  return static_cast<double>(hits) / static_cast<double>(at_least.size());
}

// Cumulative match characteristic: ranks 1, 2, 5, 10, 20 … up to that of a mate behind all distractors.
Json cmc_json(const std::vector<int64_t>& at_least, int64_t rows, int64_t distractors) {
  Json points = Json::array();
  const auto add = [&](int64_t rank) { points.push_back({rank, rate_of_rank(at_least, rank)}); };
  for (int64_t decade = 1; decade <= distractors; decade *= kTen) {
    for (const int64_t step : {1, 2, 5}) {
      if (step * decade <= distractors) add(step * decade);
    }
  }
  add(distractors + 1);
  return {{"rows", rows}, {"distractors", distractors}, {"columns", {"rank", "rate"}}, {"points", points}};
}

std::string describe_protocol(const MegaFaceProtocol& protocol) {
  return concat(
      "Identification: for every ordered pair (probe, mate) of images of one identity, the mate is put among "
      "the "
      "distractors and the probe is searched for; its rank is 1 + the number of distractors that score at "
      "least "
      "as high (a tie is a miss). Galleries: the first so many rows of the distractors. Verification: "
      "genuine "
      "pairs among the probes, every probe with every distractor as impostors, TAR at FAR by the rule "
      "at_most. "
      "Score: cosine of the unit vectors. Identities: the probes' ",
      protocol.identity == IdentityOf::kFolder ? "folders" : "labels", ". Noises of the probes: ",
      protocol.probe_noises.empty() ? "none given"
      : protocol.noisy_probes == NoisyProbes::kLeftOut
          ? "left out"
          : "replaced by the mean of their identity's other images",
      "; of the distractors: ", protocol.distractor_noises.empty() ? "none given" : "left out", ".");
}

}  // namespace

std::vector<bool> noisy_rows(const fs::path& list, std::span<const std::string_view> items) {
  const NoiseNames noises = read_noises(list);
  std::vector<bool> noisy;
  for (const std::string_view item : items) noisy.push_back(names_item(noises, item));
  if (!noises.empty() && std::ranges::count(noisy, true) == 0) {
    fail(ErrorKind::kData, list.string(), ": none of its ", noises.size(), " entries (", *noises.begin(),
         " …) is the end of an item of the set", items.empty() ? "" : concat(" (", items.front(), " …)"),
         "; are the names written the same way?");
  }
  return noisy;
}

ProtocolResult run_megaface(const std::string& name, const EmbeddingStore& probe_set,
                            const EmbeddingStore& distractor_set, const MegaFaceProtocol& protocol,
                            const ScanResources& resources) {
  if (probe_set.embeddings().cols != distractor_set.embeddings().cols) {
    fail(ErrorKind::kData, "probes have ", probe_set.embeddings().cols, " dimensions, distractors ",
         distractor_set.embeddings().cols, "; both sets must come from one network");
  }
  const std::vector<int64_t> sizes = gallery_sizes(protocol, distractor_set);
  const Rows probe_rows = rows_of(probe_set, protocol.probe_noises, probe_set.size());
  const Rows distractor_rows = rows_of(distractor_set, protocol.distractor_noises, sizes.back());
  if (distractor_rows.clean.empty()) {
    fail(ErrorKind::kData, distractor_set.folder().string(), ": no distractors",
         distractor_rows.noisy.empty() ? "" : " but noises");
  }
  const Probes probes = read_probes(probe_set, probe_rows, protocol, resources.threads);
  const Mates mates = mates_of(probes);
  if (mates.scores.empty()) {
    fail(ErrorKind::kData, probe_set.folder().string(), ": no identity has two images among the probes");
  }

  ProtocolResult report{name, "megaface", describe_protocol(protocol), {}, {}, Json::object()};
  report.count("probes", probes.vectors.rows);
  report.count("probe_identities", mates.num_identities);
  report.count("probe_noises", std::ssize(probe_rows.noisy));
  report.count("distractors", std::ssize(distractor_rows.clean));
  report.count("distractor_noises", std::ssize(distractor_rows.noisy));
  report.count("searches", std::ssize(mates.scores));
  report.count("genuine_pairs", std::ssize(mates.genuine));
  report.count("impostor_pairs", probes.vectors.rows * std::ssize(distractor_rows.clean));

  const double largest_far = protocol.far.empty() ? 0 : *std::ranges::max_element(protocol.far);
  Search search(probes.vectors, mates, distractor_set, distractor_rows.clean, largest_far, resources);
  Json cmc = Json::array();
  for (const int64_t size : sizes) {
    const auto distractors =
        std::ranges::lower_bound(distractor_rows.clean, size) - distractor_rows.clean.begin();
    search.search_to(distractors);
    const std::vector<int64_t> at_least = search.at_least();
    const std::string ending = size == sizes.back() ? "" : concat("_distractors_", size);
    for (const int64_t rank : protocol.ranks) {
      report.number(concat("identification_rank_", rank, ending), rate_of_rank(at_least, rank));
    }
    cmc.push_back(cmc_json(at_least, size, distractors));
  }
  Json thresholds = Json::array();
  for (const double far : protocol.far) {
    const RocPoint point = search.roc().at_most(far);
    report.number(name_with_rate("tar_at_far", far), point.tar);
    thresholds.push_back(
        {{"far", far}, {"threshold", point.threshold}, {"achieved_far", point.far}, {"tar", point.tar}});
  }
  report.details["cmc"] = std::move(cmc);
  report.details["thresholds"] = std::move(thresholds);
  return report;
}

}  // namespace uir
