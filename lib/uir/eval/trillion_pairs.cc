#include "uir/eval/trillion_pairs.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>
#include <unordered_map>

#include "uir/base/error.h"
#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/search/byte_values.h"
#include "uir/search/pair_scan.h"
#include "uir/search/tail_search.h"

namespace uir {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The set, taken apart. Positions are those in `rows`.
struct Parts {
  UnitRows gallery, distractors;
  std::vector<int64_t> labels;  // of the gallery
  std::vector<std::vector<int64_t>>
      identities;  // positions in the gallery, of identities with two or more images

  int64_t gallery_pairs() const { return gallery.size() * (gallery.size() - 1) / 2; }
  int64_t genuine_pairs() const {
    int64_t pairs = 0;
    for (const auto& images : identities)
      pairs += static_cast<int64_t>(images.size() * (images.size() - 1) / 2);
    return pairs;
  }
};

Parts take_apart(const UnitRows& vectors, std::span<const int64_t> labels) {
  ensure(static_cast<int64_t>(labels.size()) == vectors.size(), "one label per row");
  std::vector<int64_t> gallery, distractors, gallery_labels;
  for (int64_t row = 0; row < vectors.size(); ++row)
    (labels[row] >= 0 ? gallery : distractors).push_back(row);
  if (gallery.empty()) {
    fail(ErrorKind::kData,
         "no row has a label, so there is no gallery; expected labels >= 0 for the gallery and -1 for "
         "distractors: from the set, or from a list 'image label' that the protocol names (labels)");
  }
  for (int64_t row : gallery) gallery_labels.push_back(labels[row]);

  std::vector<int64_t> order(gallery.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](int64_t i) { return gallery_labels[i]; });
  std::vector<std::vector<int64_t>> identities;
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && gallery_labels[order[end]] == gallery_labels[order[begin]]) ++end;
    if (end - begin >= 2) identities.emplace_back(order.begin() + begin, order.begin() + end);
  }
  return {vectors.subset(std::move(gallery)), vectors.subset(std::move(distractors)),
          std::move(gallery_labels), std::move(identities)};
}

// Calls visit(i, j, score) for all genuine pairs i < j, on several threads; those of one identity come from one.
template <class Visit>
void visit_genuine(const Parts& parts, int threads, Visit&& visit) {
  Progress progress("scoring genuine pairs", "pairs", parts.genuine_pairs());
  const auto identities = static_cast<int64_t>(parts.identities.size());
  const auto dim = static_cast<size_t>(parts.gallery.dim());
  parallel_blocks(identities, 1, threads, [&](int64_t begin, int64_t) {
    const std::vector<int64_t>& images = parts.identities[begin];
    std::vector<float> vectors(images.size() * dim);
    const auto vector = [&](size_t k) { return std::span(vectors).subspan(k * dim, dim); };
    for (size_t k = 0; k < images.size(); ++k) parts.gallery.read(images[k], vector(k));
    for (size_t a = 0; a < images.size(); ++a) {
      for (size_t b = a + 1; b < images.size(); ++b) visit(images[a], images[b], score(vector(a), vector(b)));
    }
    progress.add(static_cast<int64_t>(images.size() * (images.size() - 1) / 2));
  });
}

// Each gallery image's best score with its own identity; −infinity where there is no other image of it.
std::vector<double> own_scores(const Parts& parts, int threads) {
  std::vector<double> own(static_cast<size_t>(parts.gallery.size()), -kInfinity);
  visit_genuine(parts, threads, [&](int64_t i, int64_t j, double score) {
    own[i] = std::max(own[i], score);
    own[j] = std::max(own[j], score);
  });
  return own;
}

// The n columns whose best score is highest: every column with a best score >= the n-th one, however many tie there.
class BestColumns {
 public:
  explicit BestColumns(int64_t n) : n_(n) {}
  // Columns whose best score is below it are not among them.
  double threshold() const { return threshold_.load(std::memory_order_relaxed); }
  // One thread at a time. Adding a score again changes nothing.
  void add(int64_t column, double score) {
    if (score < threshold()) return;
    const auto [place, is_new] = best_.try_emplace(column, score);
    place->second = std::max(place->second, score);
    if (is_new && static_cast<int64_t>(best_.size()) >= next_cut_) cut();
  }
  // Descending; all that are known.
  std::vector<double> scores() const {
    std::vector<double> scores;
    for (const auto& [column, score] : best_) scores.push_back(score);
    std::ranges::sort(scores, std::greater<>());
    return scores;
  }
  int64_t n() const { return n_; }
  int64_t bytes() const { return kEntryBytes * (n_ + growth()); }
  std::string save() const {
    std::vector<std::pair<int64_t, double>> sorted(best_.begin(), best_.end());
    std::ranges::sort(sorted);
    ByteWriter writer;
    writer.put(static_cast<int64_t>(sorted.size()));
    for (const auto& [column, score] : sorted) {
      writer.put(column);
      writer.put(score);
    }
    return writer.take();
  }
  void merge(ByteReader& reader) {
    for (auto left = reader.get<int64_t>(); left > 0; --left) {
      const auto column = reader.get<int64_t>();
      add(column, reader.get<double>());
    }
  }

 private:
  void cut() {
    std::vector<double> sorted = scores();
    if (static_cast<int64_t>(sorted.size()) >= n_) {
      raise(threshold_, sorted[static_cast<size_t>(n_ - 1)]);
      std::erase_if(best_, [&](const auto& entry) { return entry.second < threshold(); });
    }
    const auto kept = static_cast<int64_t>(best_.size());
    next_cut_ = kept + std::max(growth(), kept / 2);  // many may tie at the threshold
  }
  int64_t growth() const { return std::max<int64_t>(n_ / 4, 64); }

  static constexpr int64_t kEntryBytes =
      56;  // a node, its place in the table, its copy while they are sorted

  int64_t n_, next_cut_ = n_;
  std::unordered_map<int64_t, double> best_;
  std::atomic<double> threshold_{-kInfinity};
};

// One pass over gallery x distractors: the best pairs, and the distractors with the best scores (0: not wanted).
class DistractorSearch : public MergeableSearch {
 public:
  DistractorSearch(int64_t pairs, int64_t distractors)
      : pairs_(pairs, "gallery_x_distractors"), distractors_(distractors) {}
  const std::vector<ScoreCount>& pair_scores() { return pairs_.scores(); }
  std::vector<double> distractor_scores() const { return distractors_.scores(); }

  std::unique_ptr<Block> begin(RowRange rows, RowRange columns) override {
    return std::make_unique<Part>(*this, pairs_.begin(rows, columns), columns);
  }
  void commit(Block& block) override {
    auto& part = static_cast<Part&>(block);
    pairs_.commit(*part.pairs);
    for (size_t c = 0; c < part.best.size(); ++c) {
      if (distractors_.n() > 0 && part.best[c] > -kInfinity)
        distractors_.add(part.first_column + static_cast<int64_t>(c), part.best[c]);
    }
  }
  std::string save() const override {
    ByteWriter writer;
    writer.put_text(pairs_.save());
    return writer.take() + distractors_.save();
  }
  void merge(std::string_view saved) override {
    ByteReader reader(saved);
    pairs_.merge(reader.get_text());
    distractors_.merge(reader);
  }
  std::string settings() const override {
    return concat(pairs_.settings(), " distractors ", distractors_.n());
  }
  int64_t bytes() const override { return pairs_.bytes() + distractors_.bytes(); }
  int64_t block_bytes(int64_t rows, int64_t columns) const override {
    return pairs_.block_bytes(rows, columns) + columns * 16;
  }

 private:
  struct Part : Block {
    Part(DistractorSearch& search, std::unique_ptr<Block> pairs, RowRange columns)
        : search(search),
          pairs(std::move(pairs)),
          first_column(columns.begin),
          best(static_cast<size_t>(columns.size()), -kInfinity),
          least(static_cast<size_t>(columns.size() / kFilterColumns + 1), -kInfinity) {}

    // A pair matters to the distractors when it is among the best of any of them and of its column so far.
    void thresholds(RowRange rows, RowRange columns, std::span<double> thresholds) override {
      pairs->thresholds(rows, columns, thresholds);
      if (search.distractors_.n() == 0) return;
      const auto panel = [&](int64_t column) {
        return least.begin() + (column - first_column) / kFilterColumns;
      };
      const double of_columns = *std::min_element(panel(columns.begin), panel(columns.end - 1) + 1);
      const double mine = std::max(search.distractors_.threshold(), of_columns);
      for (double& threshold : thresholds) threshold = std::min(threshold, mine);
    }
    bool wants(int64_t, int64_t) override { return true; }
    void add(int64_t row, int64_t column, double score) override {
      pairs->add(row, column, score);
      double& known = best[static_cast<size_t>(column - first_column)];
      if (score <= known) return;
      known = score;
      const int64_t panel = (column - first_column) / kFilterColumns;
      const auto begin = best.begin() + panel * kFilterColumns;
      const auto end = best.begin() + std::min<int64_t>((panel + 1) * kFilterColumns, std::ssize(best));
      least[static_cast<size_t>(panel)] = *std::min_element(begin, end);
    }

    DistractorSearch& search;
    std::unique_ptr<Block> pairs;
    int64_t first_column;
    std::vector<double> best, least;  // per column; the lowest of each panel of columns
  };

  TailSearch pairs_;
  BestColumns distractors_;
};

// One pass over the ordered pairs of the gallery: which images have a better match (or an equal one) with another
// identity than with their own.
class MismatchSearch : public MergeableSearch {
 public:
  MismatchSearch(const std::vector<int64_t>& labels, const std::vector<double>& own)
      : labels_(labels), own_(own), beaten_(own.size()) {}
  bool beaten(int64_t row) const { return beaten_[row].load(std::memory_order_relaxed); }

  std::unique_ptr<Block> begin(RowRange, RowRange) override { return std::make_unique<Part>(*this); }
  void commit(Block&) override {}
  std::string save() const override {
    std::string flags;
    for (const auto& beaten : beaten_) flags += beaten ? '1' : '0';
    return flags;
  }
  void merge(std::string_view saved) override {
    ensure(saved.size() == beaten_.size(), "the merged searches have the same rows");
    for (size_t i = 0; i < saved.size(); ++i) {
      if (saved[i] == '1') beaten_[i] = true;
    }
  }
  std::string settings() const override {
    return concat("mismatches ", checksum_hex(std::as_bytes(std::span(labels_))));
  }
  int64_t bytes() const override { return std::ssize(beaten_); }
  int64_t block_bytes(int64_t, int64_t) const override { return 0; }

 private:
  struct Part : Block {
    explicit Part(MismatchSearch& search) : search(search) {}
    void thresholds(RowRange rows, RowRange, std::span<double> thresholds) override {
      for (int64_t i = 0; i < rows.size(); ++i) {
        const double own = search.own_[rows.begin + i];
        thresholds[i] = own == -kInfinity || search.beaten(rows.begin + i) ? kInfinity : own;
      }
    }
    bool wants(int64_t row, int64_t column) override {
      return search.labels_[row] != search.labels_[column] && !search.beaten(row);
    }
    void add(int64_t row, int64_t, double score) override {
      if (score >= search.own_[row]) search.beaten_[row].store(true, std::memory_order_relaxed);
    }
    MismatchSearch& search;
  };

  const std::vector<int64_t>& labels_;
  const std::vector<double>& own_;
  std::vector<std::atomic<bool>> beaten_;
};

constexpr std::string_view kScans[] = {"distractors", "impostors", "mismatches"};

fs::path state_of(const fs::path& state, std::string_view scan) {
  if (state.empty()) return {};
  return state.string() + concat(".", scan, ".state");
}

DividedScanOptions scan_options(const TrillionPairsRun& run, std::string_view scan, std::string what) {
  DividedScanOptions options{{.resources = run.resources, .what = std::move(what)}};
  options.state = state_of(run.state, scan);
  options.stop = run.stop;
  options.slice = run.slice;
  options.exchange = run.exchange;
  return options;
}

// Where at most k impostors are accepted: scores above `limit`, the (k+1)-th best one.
struct Limit {
  double rate = 0;
  int64_t allowed = 0;
  double limit = -kInfinity;  // every score is above it: all are allowed
};

Limit limit_of(double rate, int64_t n, const std::vector<ScoreCount>& best) {
  Limit limit{rate, allowed_at_most(n, rate)};
  int64_t seen = 0;
  for (const ScoreCount& s : best) {
    seen += s.count;
    if (seen > limit.allowed) {
      limit.limit = s.score;
      break;
    }
  }
  ensure(limit.allowed >= n || seen > limit.allowed, "the tail holds the deciding score");
  return limit;
}

int64_t accepted(const std::vector<ScoreCount>& best, double threshold) {
  int64_t count = 0;
  for (const ScoreCount& s : best) count += s.score >= threshold ? s.count : 0;
  return count;
}

// How many of the best of n scores decide the rates.
int64_t deciding(const std::vector<double>& rates, int64_t n) {
  int64_t most = 0;
  for (double rate : rates) most = std::max(most, allowed_at_most(n, rate) + 1);
  return std::min(most, std::max<int64_t>(n, 1));
}

// Genuine pairs above each limit.
struct Above {
  int64_t count = 0;
  double lowest = kInfinity;
};
std::vector<Above> genuine_above(const Parts& parts, const std::vector<Limit>& limits, int threads) {
  std::vector<Above> total(limits.size());
  std::mutex mutex;
  visit_genuine(parts, threads, [&](int64_t, int64_t, double score) {
    for (size_t k = 0; k < limits.size(); ++k) {
      if (score <= limits[k].limit) continue;
      std::lock_guard lock(mutex);
      ++total[k].count;
      total[k].lowest = std::min(total[k].lowest, score);
    }
  });
  return total;
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

void report_verification(const Parts& parts, const std::vector<double>& rates, int64_t impostors,
                         const std::vector<ScoreCount>& best, int threads, ProtocolResult& report) {
  const int64_t genuine = parts.genuine_pairs();
  std::vector<Limit> limits;
  for (double rate : rates) limits.push_back(limit_of(rate, impostors, best));
  const std::vector<Above> above = genuine_above(parts, limits, threads);
  Json thresholds = Json::array();
  for (size_t k = 0; k < rates.size(); ++k) {
    const std::string number = name_with_rate("tpr_at_fpr", rates[k]);
    if (genuine == 0) {
      report.undefined(number, "there are no pairs of the same person");
      continue;
    }
    const double tpr = static_cast<double>(above[k].count) / static_cast<double>(genuine);
    report.number(number, tpr);
    const auto reached =
        static_cast<double>(accepted(best, above[k].lowest)) / static_cast<double>(impostors);
    thresholds.push_back({{"fpr", rates[k]},
                          {"impostors_allowed", limits[k].allowed},
                          {"above", number_or_null(limits[k].limit)},
                          {"threshold", number_or_null(above[k].lowest)},
                          {"achieved_fpr", limits[k].allowed >= impostors ? Json() : Json(reached)},
                          {"tpr", tpr}});
  }
  report.details["thresholds"] = thresholds;
}

void report_identification(const std::vector<double>& rates, const std::vector<double>& own,
                           const MismatchSearch& mismatches, int64_t distractors,
                           const std::vector<double>& best, ProtocolResult& report) {
  int64_t probes = 0, first = 0;
  for (size_t i = 0; i < own.size(); ++i) {
    if (own[i] == -kInfinity) continue;
    ++probes;
    first += !mismatches.beaten(static_cast<int64_t>(i));
  }
  report.count("identification_probes", probes);
  std::vector<ScoreCount> counted;
  for (double score : best) counted.push_back({score, 1});
  Json thresholds = Json::array();
  if (probes > 0) {
    report.number("identification_rank_1", static_cast<double>(first) / static_cast<double>(probes));
  } else {
    report.undefined("identification_rank_1", "no identity has two images");
  }
  for (double rate : rates) {
    const std::string number = name_with_rate("identification_tpr_at_fpr", rate);
    if (probes == 0) {
      report.undefined(number, "no identity has two images");
      continue;
    }
    const Limit limit = limit_of(rate, distractors, counted);
    int64_t hits = 0;
    for (size_t i = 0; i < own.size(); ++i)
      hits += own[i] > limit.limit && !mismatches.beaten(static_cast<int64_t>(i)) && own[i] > -kInfinity;
    const double tpr = static_cast<double>(hits) / static_cast<double>(probes);
    report.number(number, tpr);
    thresholds.push_back({{"fpr", rate},
                          {"distractors_allowed", limit.allowed},
                          {"above", number_or_null(limit.limit)},
                          {"tpr", tpr}});
  }
  report.details["identification_thresholds"] = thresholds;
}

std::string describe_protocol(bool all, bool identification) {
  return concat(
      "Rows with a label are the gallery, rows labeled -1 the distractors. Genuine pairs: all pairs of one "
      "identity "
      "in the gallery. Impostor pairs (",
      all ? "all" : "gallery_x_distractors", "): every gallery image with every distractor",
      all ? ", and all pairs of two identities in the gallery" : "",
      ". TPR at FPR by the rule at_most (the largest TPR whose FPR does not exceed the target), exact with "
      "ties. ",
      identification
          ? "Identification: every gallery image of an identity with two or more images against the rest "
            "of the gallery; a hit scores more with its own identity than with any other, and more than "
            "the threshold that at most the given share of distractors reach by their best gallery score. "
          : "",
      "Score: cosine of the unit vectors. The organisers' evaluator was never published: this is the reading "
      "of the "
      "literature.");
}

}  // namespace

int64_t allowed_at_most(int64_t n, double rate) {
  const auto share = [&](int64_t k) { return static_cast<double>(k) / static_cast<double>(n); };
  if (n <= 0 || share(n) <= rate) return n;
  auto k = static_cast<int64_t>(rate * static_cast<double>(n));
  while (k > 0 && share(k) > rate) --k;
  while (share(k + 1) <= rate) ++k;
  return k;
}

std::vector<fs::path> trillion_pairs_states(const fs::path& state) {
  std::vector<fs::path> files;
  for (std::string_view scan : kScans) files.push_back(state_of(state, scan));
  return files;
}

ProtocolResult run_trillion_pairs(const std::string& name, const UnitRows& vectors,
                                  std::span<const int64_t> labels, const TrillionPairsProtocol& config,
                                  const TrillionPairsRun& run) {
  const bool all = config.impostors == Impostors::kAll, identification = !config.identification_fpr.empty();
  const Parts parts = take_apart(vectors, labels);
  const int64_t distractors = parts.distractors.size();
  if (distractors == 0 && (!all || identification)) {
    fail(ErrorKind::kData,
         "no row has the label -1, so there are no distractors; without them only impostors: all "
         "with identification_fpr: [] can be measured");
  }
  const int64_t impostors =
      parts.gallery.size() * distractors + (all ? parts.gallery_pairs() - parts.genuine_pairs() : 0);
  if (impostors == 0) fail(ErrorKind::kData, "there are no pairs of different people");

  const int64_t tail = deciding(config.fpr, impostors);
  TopScores best(std::max<int64_t>(tail, 1));
  DistractorSearch strangers(best.n(), identification ? deciding(config.identification_fpr, distractors) : 0);
  scan_pairs(parts.gallery, parts.distractors, PairsOf::kRowsAndColumns, strangers,
             scan_options(run, kScans[0], "gallery x distractors"));
  for (const ScoreCount& s : strangers.pair_scores()) best.add(s.score, s.count);
  if (all) {
    TailSearch inside(best.n(), concat("impostors of ", checksum_hex(std::as_bytes(std::span(parts.labels)))),
                      [&](int64_t i, int64_t j) { return parts.labels[i] != parts.labels[j]; });
    scan_pairs(parts.gallery, parts.gallery, PairsOf::kOneSet, inside,
               scan_options(run, kScans[1], "gallery x gallery"));
    for (const ScoreCount& s : inside.scores()) best.add(s.score, s.count);
  }

  std::vector<int64_t> identities = parts.labels;
  std::ranges::sort(identities);
  ProtocolResult report{name, "trillion_pairs", describe_protocol(all, identification), {},
                        {},   Json::object()};
  report.count("gallery_images", parts.gallery.size());
  report.count("identities", std::unique(identities.begin(), identities.end()) - identities.begin());
  report.count("distractors", distractors);
  report.count("genuine_pairs", parts.genuine_pairs());
  report.count("impostor_pairs", impostors);
  report_verification(parts, config.fpr, impostors, best.scores(), run.resources.threads, report);
  if (identification) {
    const std::vector<double> own = own_scores(parts, run.resources.threads);
    MismatchSearch mismatches(parts.labels, own);
    scan_pairs(parts.gallery, parts.gallery, PairsOf::kRowsAndColumns, mismatches,
               scan_options(run, kScans[2], "gallery against gallery"));
    report_identification(config.identification_fpr, own, mismatches, distractors,
                          strangers.distractor_scores(), report);
  }
  return report;
}

}  // namespace uir
