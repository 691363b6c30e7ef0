#include "uir/eval/calibrate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/eval/people.h"
#include "uir/eval/quantile.h"
#include "uir/eval/random_galleries.h"
#include "uir/search/best_pairs.h"
#include "uir/search/count_at_least.h"
#include "uir/search/tail_search.h"

namespace uir {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kAcceptAll = -1;  // no cosine is lower
constexpr int kCurveSteps = 100;   // thresholds 0, 0.01 … 1

double curve_threshold(int step) { return static_cast<double>(step) / kCurveSteps; }

double share_from(const std::vector<double>& sorted, double threshold) {
  return share(sorted.end() - std::ranges::lower_bound(sorted, threshold), std::ssize(sorted));
}

// Scores from the highest down, as they come with a weight, and the lowest threshold that lets no more than
// an allowed weight through.
class Cut {
 public:
  explicit Cut(double allowed) : allowed_(allowed) {}
  // A score and what it adds at all its ties together; false once the threshold is found.
  bool add(double score, double weight) {
    if (weight_ + weight > allowed_ * (1 + 1e-12)) {
      threshold_ = std::isfinite(last_) ? score + (last_ - score) / 2 : std::nextafter(score, 2.0);
      if (threshold_ <= score) threshold_ = std::nextafter(score, 2.0);
      return false;
    }
    weight_ += weight;
    last_ = score;
    return true;
  }
  // kAcceptAll while all that was added may pass.
  double threshold() const { return threshold_; }

 private:
  double allowed_, weight_ = 0, threshold_ = kAcceptAll;
  double last_ = std::numeric_limits<double>::infinity();
};

// ---- 1:1

class PairThresholds {
 public:
  PairThresholds(const CalibrationSets& sets, const CanonicalVectors& known, const People& people,
                 const std::vector<double>& rates, const ScanOptions& scan)
      : genuine_(genuine_scores(known, people)), pairs_(pairs_within(people)) {
    for (const NamedStore& set : sets.strangers) pairs_ += people.num_images() * set.store->size();
    const double highest = rates.empty() ? 0 : std::ranges::max(rates);
    const auto kept = static_cast<int64_t>(highest * static_cast<double>(pairs_)) + 1;
    if (kept > kMaxTail)
      fail(ErrorKind::kConfig, "false match rate ", highest, " of ", pairs_, " pairs: ", kept,
           " scores would have to be kept, at most ", kMaxTail, " can be; ask for lower rates, as ",
           static_cast<double>(kMaxTail / 2) / static_cast<double>(pairs_), ", or give fewer strangers");
    TopPairs best(kept);
    add(best, within(sets.known, people, kept, scan));
    for (const NamedStore& set : sets.strangers) add(best, with(sets.known, set, people, kept, scan));
    tail_ = best.pairs();
  }

  void describe(const std::vector<double>& rates, Calibration& result) const {
    result.genuine_pairs = std::ssize(genuine_);
    result.impostor_pairs = pairs_;
    for (const double rate : rates) result.pairs.push_back(at(rate));
    for (CalibrationPoint& point : result.curve) {
      point.accepted_pairs = share_from(genuine_, point.threshold);
      point.false_matches = false_matches(point.threshold);
    }
  }

 private:
  static std::vector<double> genuine_scores(const CanonicalVectors& known, const People& people) {
    std::vector<double> genuine;
    for (int64_t p = 0; p < people.size(); ++p) {
      const std::span<const int64_t> rows = people.rows(p);
      for (size_t i = 0; i < rows.size(); ++i)
        for (size_t j = 0; j < i; ++j) genuine.push_back(score(known.row(rows[i]), known.row(rows[j])));
    }
    std::ranges::sort(genuine);
    return genuine;
  }

  static int64_t pairs_within(const People& people) {
    int64_t same = 0;
    for (int64_t p = 0; p < people.size(); ++p)
      same += std::ssize(people.rows(p)) * std::ssize(people.rows(p));
    return (people.num_images() * people.num_images() - same) / 2;
  }

  static std::vector<int64_t> images_of(const People& people) {
    std::vector<int64_t> rows;
    for (int64_t p = 0; p < people.size(); ++p)
      rows.insert(rows.end(), people.rows(p).begin(), people.rows(p).end());
    return rows;
  }

  static std::vector<TailPair> within(const NamedStore& known, const People& people, int64_t kept,
                                      const ScanOptions& scan) {
    const UnitRows images = UnitRows(*known.store).subset(images_of(people));
    const std::span<const int64_t> labels = known.store->labels();
    const auto strangers = [&](int64_t a, int64_t b) {
      return labels[static_cast<size_t>(images.row_of(a))] != labels[static_cast<size_t>(images.row_of(b))];
    };
    TailSearch search(kept, "other people", strangers);
    DividedScanOptions options{scan};
    options.what = "scoring " + known.name;
    scan_pairs(images, images, PairsOf::kOneSet, search, options);
    return search.pairs();
  }

  static std::vector<TailPair> with(const NamedStore& known, const NamedStore& strangers,
                                    const People& people, int64_t kept, const ScanOptions& scan) {
    TailSearch search(kept, strangers.name);
    DividedScanOptions options{scan};
    options.what = concat("scoring ", known.name, " with ", strangers.name);
    scan_pairs(UnitRows(*known.store).subset(images_of(people)), UnitRows(*strangers.store),
               PairsOf::kRowsAndColumns, search, options);
    return search.pairs();
  }

  static void add(TopPairs& best, const std::vector<TailPair>& pairs) {
    for (const TailPair& pair : pairs) best.add(pair);
  }

  int64_t accepted(double threshold) const {
    int64_t count = 0;
    for (const TailPair& pair : tail_) count += pair.score >= threshold;
    return count;
  }

  bool complete(double threshold) const {
    return !tail_.empty() && (threshold > tail_.back().score || accepted(-2) == pairs_);
  }

  double false_matches(double threshold) const {
    return complete(threshold) ? share(accepted(threshold), pairs_) : kUnknown;
  }

  CalibratedThreshold at(double rate) const {
    const auto allowed = static_cast<int64_t>(rate * static_cast<double>(pairs_));
    Cut cut(static_cast<double>(allowed));
    for (auto pair = tail_.begin(); pair != tail_.end();) {
      const auto next =
          std::find_if(pair, tail_.end(), [&](const TailPair& other) { return other.score != pair->score; });
      if (!cut.add(pair->score, static_cast<double>(next - pair))) break;
      pair = next;
    }
    CalibratedThreshold result{rate, accepted(cut.threshold()), {}, kUnknown};
    if (result.events < kResolvingEvents) return result;
    result.threshold = cut.threshold();
    result.accepted = share_from(genuine_, cut.threshold());
    return result;
  }

  std::vector<double> genuine_;  // ascending
  int64_t pairs_;                // of impostors
  std::vector<TailPair> tail_;   // rows of whichever set they come from
};

// ---- 1:N

class GalleryThresholds {
 public:
  GalleryThresholds(const CalibrationSets& sets, const CanonicalVectors& known, const People& people,
                    const CalibrationRates& rates, const ScanOptions& scan)
      : rates_(rates), scan_(scan) {
    if (sets.gallery) {
      const People theirs(sets.gallery->store->labels());
      gallery_ = theirs.means(canonical_vectors(*sets.gallery->store, scan.resources.threads));
      choose_probes(known, people, theirs);
    } else {
      gallery_ = people.means(known);
      choose_probes(known, people);
    }
    if (gallery_.rows == 0) fail(ErrorKind::kData, "the gallery has no images with a label");
    choose_sizes();
    rank_probes();
    find_strangers(sets);
  }

  void describe(Calibration& result) {
    result.people = gallery_.rows;
    result.probes = probes_.rows;
    result.strangers = strangers_;
    for (const int64_t size : sizes_) describe(size, result);
  }

 private:
  struct Probe {
    double own = 0;
    int64_t person = 0, others_at_least = 0;  // others: people of the gallery
  };

  void add_probe(std::span<const float> image, std::span<const float> person, int64_t number) {
    probes_.values.insert(probes_.values.end(), image.begin(), image.end());
    ++probes_.rows;
    found_.push_back({score(image, person), number, 0});
  }

  void choose_probes(const CanonicalVectors& known, const People& people) {
    probes_.cols = known.cols;
    for (int64_t p = 0; p < people.size(); ++p) {
      if (people.rows(p).size() < 2) continue;
      for (const int64_t row : people.rows(p))
        add_probe(known.row(row), people.mean_without(known, p, row), p);
    }
  }

  void choose_probes(const CanonicalVectors& known, const People& people, const People& gallery) {
    probes_.cols = known.cols;
    for (int64_t p = 0; p < people.size(); ++p) {
      const int64_t number = gallery.person_of(people.label(p));
      if (number < 0) continue;
      for (const int64_t row : people.rows(p)) add_probe(known.row(row), gallery_.row(number), number);
    }
    if (probes_.rows == 0)
      fail(ErrorKind::kData, "none of the known people is in the gallery: their labels differ");
  }

  void choose_sizes() {
    sizes_ = rates_.sizes;
    if (sizes_.empty()) {
      for (int64_t n = 10; n < gallery_.rows; n *= 10) sizes_.push_back(n);
      sizes_.push_back(gallery_.rows);
    }
    std::ranges::sort(sizes_);
    if (sizes_.back() > gallery_.rows)
      fail(ErrorKind::kConfig, "a gallery of ", sizes_.back(), " people cannot be drawn from ",
           gallery_.rows);
  }

  void rank_probes() {
    std::vector<double> own;
    for (const Probe& probe : found_) own.push_back(probe.own);
    CountAtLeast search(
        own, [&](int64_t row, int64_t column) { return found_[static_cast<size_t>(row)].person != column; });
    ScanOptions options = scan_;
    options.what = "known people in the gallery";
    if (probes_.rows > 0)
      scan_pairs(UnitRows(probes_), UnitRows(gallery_), PairsOf::kRowsAndColumns, search, options);
    for (size_t i = 0; i < found_.size(); ++i) found_[i].others_at_least = search.count(i);
  }

  // So many of the best pairs of strangers and people are expected to decide the highest rate of the smallest
  // gallery, with room for strangers who resemble many.
  int64_t expected_pairs() const {
    const double most = std::min(0.999, std::ranges::max(rates_.false_alarms) / 1000);
    const double share = 1 - std::pow(1 - most, 1 / static_cast<double>(sizes_.front()));
    const double pairs = static_cast<double>(strangers_) * static_cast<double>(gallery_.rows);
    return static_cast<int64_t>(std::min(pairs, 4 * share * pairs + 1000));
  }

  // Strangers who resemble many need more pairs than are expected.
  void find_strangers(const CalibrationSets& sets) {
    for (const NamedStore& set : sets.strangers) strangers_ += set.store->size();
    const int64_t most = std::clamp<int64_t>(strangers_ * gallery_.rows, 1, kMaxTail);
    for (int64_t limit = std::clamp<int64_t>(expected_pairs(), 1, most);; limit = std::min(most, 8 * limit)) {
      find_strangers(sets, limit);
      if (limit == most || all_decided()) return;
    }
  }

  void find_strangers(const CalibrationSets& sets, int64_t limit) {
    BestPairs all(limit);
    int64_t first = 0;
    for (const NamedStore& set : sets.strangers) {
      BestPairs found(limit);
      ScanOptions options = scan_;
      options.what = concat(set.name, " in the gallery");
      scan_pairs(UnitRows(*set.store), UnitRows(gallery_), PairsOf::kRowsAndColumns, found, options);
      all.add(found, first);
      first += set.store->size();
    }
    pairs_ = all.pairs();
    floor_ = all.floor();
  }

  bool all_decided() const {
    return std::ranges::all_of(sizes_, [&](int64_t size) {
      return std::ranges::all_of(rates_.false_alarms,
                                 [&](double rate) { return at(size, rate).has_value(); });
    });
  }

  // Visits the pairs' distinct scores from the highest down, each with the expected number of strangers who
  // are named from there on, and with those who reach the score with anybody; until visit returns false.
  template <class Visit>
  void walk(int64_t size, Visit&& visit) const {
    RandomGalleries draws(gallery_.rows, size);
    std::vector<int64_t> reached(static_cast<size_t>(strangers_), 0);
    int64_t named_by_any = 0;
    for (size_t i = 0; i < pairs_.size();) {
      const double score = pairs_[i].score;
      if (score <= floor_) return;
      double more = 0;
      for (; i < pairs_.size() && pairs_[i].score == score; ++i) {
        int64_t& people = reached[static_cast<size_t>(pairs_[i].row)];
        named_by_any += people == 0;
        more += draws.none(people) - draws.none(people + 1);
        ++people;
      }
      if (!visit(score, more, named_by_any)) return;
    }
  }

  // Share of probes that are named right in a gallery of `size` that holds their person.
  double named_right(int64_t size, double threshold) const {
    RandomGalleries others(gallery_.rows - 1, size - 1);
    double right = 0;
    for (const Probe& probe : found_) {
      if (probe.own >= threshold) right += others.none(probe.others_at_least);
    }
    return right / static_cast<double>(found_.size());
  }

  // None: what would decide it was not kept.
  std::optional<CalibratedThreshold> at(int64_t size, double rate) const {
    Cut cut(rate / 1000 * static_cast<double>(strangers_));
    bool decided = false;
    int64_t events = 0;
    walk(size, [&](double score, double more, int64_t named_by_any) {
      decided = !cut.add(score, more);
      if (!decided) events = named_by_any;
      return !decided;
    });
    if (!decided && std::isfinite(floor_)) return std::nullopt;
    CalibratedThreshold result{rate, events, {}, kUnknown};
    if (events < kResolvingEvents) return result;
    result.threshold = cut.threshold();
    result.accepted = named_right(size, cut.threshold());
    return result;
  }

  void describe(int64_t size, Calibration& result) const {
    CalibratedGallery gallery{size, {}};
    for (const double rate : rates_.false_alarms) {
      if (const auto found = at(size, rate))
        gallery.thresholds.push_back(*found);
      else
        log_warning(rate, " false alarms per 1,000 strangers in a gallery of ", size, ": more than ",
                    std::ssize(pairs_),
                    " scores would decide it; left out: ask for fewer, or give fewer strangers");
    }
    result.galleries.push_back(std::move(gallery));
    std::vector<std::pair<double, double>> alarms;  // score, expected strangers named from it on
    walk(size, [&](double score, double more, int64_t) {
      alarms.emplace_back(score, (alarms.empty() ? 0 : alarms.back().second) + more);
      return true;
    });
    for (CalibrationPoint& point : result.curve) {
      const bool known = point.threshold > floor_;
      const auto end =
          std::ranges::partition_point(alarms, [&](const auto& a) { return a.first >= point.threshold; });
      const double named = end == alarms.begin() ? 0 : std::prev(end)->second;
      point.false_alarms.push_back(known ? named / static_cast<double>(strangers_) : kUnknown);
      point.named_right.push_back(named_right(size, point.threshold));
    }
  }

  const CalibrationRates& rates_;
  const ScanOptions& scan_;
  CanonicalVectors gallery_, probes_;
  std::vector<Probe> found_;  // [probes]
  std::vector<int64_t> sizes_;
  int64_t strangers_ = 0;
  std::vector<RowScore> pairs_;  // the best of strangers and people; all of them above floor_
  double floor_ = 0;
};

void check_sets(const CalibrationSets& sets) {
  std::set<std::string> names{sets.known.name};
  for (const NamedStore& set : sets.strangers) {
    if (!names.insert(set.name).second)
      fail(ErrorKind::kUsage, "set '", set.name, "' is given twice; strangers are none of the known people");
    if (set.store->size() == 0) fail(ErrorKind::kData, "set '", set.name, "' is empty");
  }
  if (sets.gallery && sets.gallery->store->mirrored() && !sets.known.store->mirrored())
    fail(ErrorKind::kData, "set '", sets.gallery->name, "' has mirrored embeddings, set '", sets.known.name,
         "' has none; extract both alike");
  const bool flip = sets.known.store->mirrored().has_value();
  for (const NamedStore& set : sets.strangers) {
    if (set.store->mirrored().has_value() == flip) continue;
    fail(ErrorKind::kData, "set '", set.name, "' has ", flip ? "no " : "", "mirrored embeddings, set '",
         sets.known.name, "' has ", flip ? "them" : "none", "; extract both alike");
  }
  std::vector<NamedStore> others = sets.strangers;
  if (sets.gallery) others.push_back(*sets.gallery);
  const int64_t dim = sets.known.store->embeddings().cols;
  for (const NamedStore& set : others) {
    const int64_t theirs = set.store->embeddings().cols;
    if (theirs == dim) continue;
    fail(ErrorKind::kData, "set '", set.name, "': embeddings of ", theirs, " numbers, those of '",
         sets.known.name, "' have ", dim);
  }
}

// In the order given.
template <class T>
std::vector<T> once(const std::vector<T>& values) {
  std::vector<T> kept;
  for (const T& value : values) {
    if (std::ranges::find(kept, value) == kept.end()) kept.push_back(value);
  }
  return kept;
}

}  // namespace

Calibration calibrate(const CalibrationSets& sets, const CalibrationRates& wanted, const ScanOptions& scan) {
  check_sets(sets);
  const CalibrationRates rates{once(wanted.false_matches), once(wanted.false_alarms), once(wanted.sizes)};
  const EmbeddingStore& store = *sets.known.store;
  const People people(store.labels());
  if (people.num_images() == people.size())
    fail(ErrorKind::kData, "set '", sets.known.name, "': no person has two images with a label (",
         people.num_images(), " images, ", people.size(), " people)");
  const CanonicalVectors known = canonical_vectors(store, scan.resources.threads);
  Calibration result;
  result.model = calibrated_model(store);
  result.known = sets.known.name;
  result.gallery = sets.gallery ? sets.gallery->name : sets.known.name;
  for (const NamedStore& set : sets.strangers) result.stranger_sets.push_back(set.name);
  for (int step = 0; step <= kCurveSteps; ++step)
    result.curve.push_back({curve_threshold(step), 0, 0, {}, {}});
  PairThresholds(sets, known, people, rates.false_matches, scan).describe(rates.false_matches, result);
  GalleryThresholds(sets, known, people, rates, scan).describe(result);
  return result;
}

}  // namespace uir
