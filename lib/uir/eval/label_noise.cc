#include "uir/eval/label_noise.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/base/random.h"
#include "uir/eval/impostor_tail.h"
#include "uir/eval/one_person_groups.h"
#include "uir/eval/overlap.h"

namespace uir {
namespace {

constexpr int64_t kLeastDraws = 10000, kMostDraws = 400000;
constexpr uint64_t kSeed = 1;

// Each pair four times, where there are not too many.
int64_t draws_of(int64_t some, int64_t others) {
  return std::clamp(4 * some * others, kLeastDraws, kMostDraws);
}

// The images that stand for a class: of the class as it is given, or of its largest group.
class ClassMeans {
 public:
  explicit ClassMeans(const CanonicalVectors& images) : images_(images) {}

  // An empty class has no direction, and is like none.
  void add(std::span<const int64_t> rows) {
    const std::vector<double> sum = sum_of(images_, rows);
    const double length = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0));
    const bool none = rows.empty() || length < 1e-6;
    for (size_t d = 0; d < sum.size(); ++d)
      unit_.values.push_back(none ? (d == 0 ? 1.F : 0.F) : static_cast<float>(sum[d] / length));
    ++unit_.rows;
    unit_.cols = images_.cols;
    sizes_.push_back(std::ssize(rows));
    lengths_.push_back(none ? 0 : length / static_cast<double>(rows.size()));
  }

  int64_t size() const { return unit_.rows; }
  int64_t images(int64_t c) const { return sizes_[static_cast<size_t>(c)]; }
  double length(int64_t c) const { return lengths_[static_cast<size_t>(c)]; }  // of the mean of unit vectors
  const CanonicalVectors& unit() const { return unit_; }

  double with_image(int64_t c, int64_t row) const {
    return score(images_.row(row), unit_.row(c)) * length(c);
  }
  double between(int64_t a, int64_t b) const {
    return score(unit_.row(a), unit_.row(b)) * length(a) * length(b);
  }

 private:
  const CanonicalVectors& images_;
  CanonicalVectors unit_;
  std::vector<int64_t> sizes_;
  std::vector<double> lengths_;
};

using MergeTable = std::array<std::array<double, kSizeKinds>, kSizeKinds>;

// All pairs of classes that reach the threshold for their sizes. Classes stand in the order of size_kind().
class MergeSearch : public PairSearch {
 public:
  struct Found {
    int64_t a, b;
    double cosine;
  };
  MergeSearch(const ClassMeans& classes, std::vector<int64_t> order, const MergeTable& thresholds)
      : classes_(classes), order_(std::move(order)), thresholds_(thresholds) {
    for (int64_t c = 0; c < classes.size(); ++c) {
      double& longest = longest_[size_kind(classes.images(c))];
      longest = std::max(longest, classes.length(c));
    }
  }
  std::vector<Found> take() { return std::move(found_); }

  std::unique_ptr<Block> begin(RowRange, RowRange) override { return std::make_unique<Part>(*this); }
  void commit(Block&) override {}
  int64_t bytes() const override { return 64 * classes_.size(); }
  int64_t block_bytes(int64_t, int64_t) const override { return 0; }

 private:
  class Part : public Block {
   public:
    explicit Part(MergeSearch& search) : search_(search) {}
    // Cosines of means, which are larger than mean cosines by the means' lengths.
    void thresholds(RowRange rows, RowRange columns, std::span<double> thresholds) override {
      const size_t first = search_.kind(columns.begin), last = search_.kind(columns.end - 1);
      for (int64_t i = 0; i < rows.size(); ++i) {
        const int64_t c = search_.order_[static_cast<size_t>(rows.begin + i)];
        double least = std::numeric_limits<double>::infinity();
        for (size_t k = first; k <= last; ++k) {
          const double length = search_.classes_.length(c) * search_.longest_[k];
          if (length > 0)
            least = std::min(least, search_.thresholds_[size_kind(search_.classes_.images(c))][k] / length);
        }
        thresholds[static_cast<size_t>(i)] = least - 1e-6;  // rounding of the quotient
      }
    }
    bool wants(int64_t, int64_t) override { return true; }
    void add(int64_t row, int64_t column, double score) override { search_.add(row, column, score); }

   private:
    MergeSearch& search_;
  };

  size_t kind(int64_t position) const {
    return size_kind(classes_.images(order_[static_cast<size_t>(position)]));
  }

  void add(int64_t row, int64_t column, double score) {
    const int64_t a = order_[static_cast<size_t>(row)], b = order_[static_cast<size_t>(column)];
    const double cosine = score * classes_.length(a) * classes_.length(b);
    if (cosine < thresholds_[kind(row)][kind(column)]) return;
    std::lock_guard lock(mutex_);
    found_.push_back({std::min(a, b), std::max(a, b), cosine});
  }

  const ClassMeans& classes_;
  const std::vector<int64_t> order_;
  const MergeTable& thresholds_;
  std::array<double, kSizeKinds> longest_{};  // of the means of each kind
  std::mutex mutex_;
  std::vector<Found> found_;
};

class NoiseSearch {
 public:
  NoiseSearch(const CanonicalVectors& images, std::span<const int64_t> labels,
              const NoiseThresholds& thresholds, const ScanOptions& scan)
      : images_(images), given_(thresholds), scan_(scan), people_(labels), class_of_(labels.size(), -1) {
    if (people_.size() < 2)
      fail(ErrorKind::kData, "there are ", people_.size(),
           " classes with labeled images: two are needed, to tell people apart");
    for (int64_t c = 0; c < people_.size(); ++c) {
      for (const int64_t row : people_.rows(c)) class_of_[static_cast<size_t>(row)] = c;
    }
    result_.images = people_.num_images();
    result_.classes = people_.size();
  }

  LabelNoise run() {
    ClassMeans whole(images_);
    for (int64_t c = 0; c < people_.size(); ++c) whole.add(people_.rows(c));
    result_.unlike = given_.unlike ? *given_.unlike : unlike_threshold(whole);
    group();
    ClassMeans people(images_);
    for (const auto& groups : groups_) people.add(trusted(groups));
    set_merge_thresholds(people);
    find_unlike(people);
    find_merges(people);
    return std::move(result_);
  }

 private:
  // A class of several images none of which agree says nothing of its person.
  static std::span<const int64_t> trusted(const std::vector<std::vector<int64_t>>& groups) {
    const bool agreed = groups.size() == 1 || groups.front().size() > 1;
    return agreed ? std::span<const int64_t>(groups.front()) : std::span<const int64_t>();
  }

  int64_t image_at(ItemRandom& random) const {
    return people_.image(static_cast<int64_t>(random.below(static_cast<uint64_t>(people_.num_images()))));
  }

  // Images drawn with a class of another identity, which an image is drawn for, so that large classes count
  // as they do among the images.
  double unlike_threshold(const ClassMeans& whole) const {
    std::vector<double> scores;
    for (int64_t i = 0; i < draws_of(people_.num_images(), people_.size()); ++i) {
      ItemRandom random(kSeed, RandomPurpose::kSampleScores, 0, static_cast<uint64_t>(i));
      const int64_t row = image_at(random), c = class_of_[static_cast<size_t>(image_at(random))];
      if (c != class_of_[static_cast<size_t>(row)] && (whole.images(c) > 1 || no_repeats()))
        scores.push_back(whole.with_image(c, row));
    }
    if (std::ssize(scores) < kLeastSamples)
      fail(ErrorKind::kData,
           "nearly all images are of one identity: what others look like is not to be seen; "
           "give a threshold with --unlike");
    const auto nth = static_cast<int64_t>(kWrongPass * static_cast<double>(scores.size()));
    std::ranges::nth_element(scores, scores.begin() + nth, std::greater());
    return scores[static_cast<size_t>(nth)];
  }
  bool no_repeats() const { return people_.num_images() == people_.size(); }

  void group() {
    groups_.resize(static_cast<size_t>(people_.size()));
    Progress progress("looking into classes", "classes", people_.size());
    parallel_blocks(people_.size(), 1, scan_.resources.threads, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) {
        if (scan_.stop && scan_.stop()) fail(ErrorKind::kStopped, "stopped on request");
        groups_[static_cast<size_t>(c)] = one_person_groups(images_, people_.rows(c), result_.unlike);
      }
      progress.add(end - begin);
    });
  }

  void set_merge_thresholds(const ClassMeans& people) {
    if (given_.merge) {
      for (auto& line : result_.merge) line.fill(*given_.merge);
      return;
    }
    std::array<std::vector<int64_t>, kSizeKinds> kinds;
    for (int64_t c = 0; c < people.size(); ++c) {
      if (people.images(c) > 0) kinds[size_kind(people.images(c))].push_back(c);
    }
    const auto n = static_cast<double>(people.size());
    const double rate = kWrongMerges * n / (n * (n - 1) / 2);
    // Few classes of some sizes: what single images do, which is never less.
    const double of_images = threshold(image_pairs(), people.size() * people.size() / 2, rate);
    for (size_t a = 0; a < kSizeKinds; ++a) {
      for (size_t b = 0; b <= a; ++b) {
        const std::vector<double> scores = class_pairs(people, kinds[a], kinds[b]);
        const bool enough = std::ssize(scores) >= kLeastSamples;
        result_.merge[a][b] = result_.merge[b][a] =
            enough ? threshold(scores, std::ssize(kinds[a]) * std::ssize(kinds[b]), rate) : of_images;
      }
    }
  }

  // Of few pairs of classes some in a hundred may well be one person's: read only what is far more frequent.
  // No mean cosine that images of others have is one of a person.
  double threshold(std::vector<double> scores, int64_t pairs, double rate) const {
    const double far = pairs < 10000 ? 1e-1 : pairs < 1000000 ? 1e-2 : 1e-3;
    return std::max(result_.unlike,
                    impostor_threshold(std::move(scores), pairs < 10000 ? 0.5 : 10 * far, far, rate));
  }

  std::vector<double> image_pairs() const {
    std::vector<double> scores;
    for (int64_t i = 0; i < draws_of(people_.num_images(), people_.num_images()); ++i) {
      ItemRandom random(kSeed, RandomPurpose::kSampleScores, 1, static_cast<uint64_t>(i));
      const int64_t a = image_at(random), b = image_at(random);
      if (class_of_[static_cast<size_t>(a)] != class_of_[static_cast<size_t>(b)])
        scores.push_back(score(images_.row(a), images_.row(b)));
    }
    return scores;
  }

  static std::vector<double> class_pairs(const ClassMeans& people, const std::vector<int64_t>& some,
                                         const std::vector<int64_t>& others) {
    std::vector<double> scores;
    if (some.empty() || others.empty() || std::ssize(some) * std::ssize(others) < kLeastSamples)
      return scores;
    for (int64_t i = 0; i < draws_of(std::ssize(some), std::ssize(others)); ++i) {
      ItemRandom random(kSeed, RandomPurpose::kSampleScores, 2, static_cast<uint64_t>(i));
      const int64_t a = some[random.below(some.size())], b = others[random.below(others.size())];
      if (a != b) scores.push_back(people.between(a, b));
    }
    return scores;
  }

  // Images outside their class's largest group, with the class that they are most like.
  void find_unlike(const ClassMeans& people) {
    std::vector<LabelNoise::Image> doubtful;
    for (int64_t c = 0; c < people_.size(); ++c) {
      const auto& groups = groups_[static_cast<size_t>(c)];
      const bool agreed = !trusted(groups).empty();
      for (size_t g = agreed ? 1 : 0; g < groups.size(); ++g) {
        for (const int64_t row : groups[g])
          doubtful.push_back({row, c, why(groups, g), own(people, c, row), -1, -1, false, groups[0].front()});
      }
      if (agreed) describe_groups(c);
    }
    look_up(people, doubtful);
    for (size_t begin = 0; begin < doubtful.size();) {
      size_t end = begin;
      while (end < doubtful.size() && doubtful[end].label == doubtful[begin].label) ++end;
      keep_doubtful(std::span(doubtful).subspan(begin, end - begin));
      begin = end;
    }
  }

  static LabelNoise::Why why(const std::vector<std::vector<int64_t>>& groups, size_t g) {
    if (trusted(groups).empty()) return LabelNoise::Why::kNoAgreement;
    return groups[g].size() > 1 ? LabelNoise::Why::kSecondPerson : LabelNoise::Why::kUnlike;
  }

  double own(const ClassMeans& people, int64_t c, int64_t row) const {
    if (people.images(c) > 0) return people.with_image(c, row);
    double sum = 0;
    const std::span<const int64_t> rows = people_.rows(c);
    for (const int64_t other : rows) sum += other == row ? 0 : score(images_.row(row), images_.row(other));
    return sum / static_cast<double>(rows.size() - 1);
  }

  void describe_groups(int64_t c) {
    const auto& groups = groups_[static_cast<size_t>(c)];
    if (groups.size() < 2 || groups[1].size() < 2) return;
    result_.groups.push_back({people_.label(c), std::ssize(groups[0]), std::ssize(groups[1]),
                              groups[0].front(), groups[1].front()});
  }

  void look_up(const ClassMeans& people, std::vector<LabelNoise::Image>& doubtful) const {
    if (doubtful.empty()) return;
    std::vector<int64_t> rows;
    for (const LabelNoise::Image& image : doubtful) rows.push_back(image.row);
    DividedScanOptions options{scan_};
    options.what = "where unlike images belong";
    const auto others = [&](int64_t row, int64_t column) {
      return doubtful[static_cast<size_t>(row)].label != column && people.images(column) > 0;
    };
    const auto best = best_matches(UnitRows(images_).subset(rows), UnitRows(people.unit()), options, others);
    for (size_t i = 0; i < doubtful.size(); ++i) {
      const int64_t c = best[i].column;
      if (c < 0) continue;
      doubtful[i].likely = people_.label(c);
      doubtful[i].cosine = best[i].score * people.length(c);
      doubtful[i].belongs = doubtful[i].cosine >= result_.merge[0][size_kind(people.images(c))];
    }
  }

  // Where no two images agree and all but one belong elsewhere, the one that is left is the class.
  void keep_doubtful(std::span<LabelNoise::Image> images) {
    const auto elsewhere = std::ranges::count_if(images, &LabelNoise::Image::belongs);
    const bool one_left =
        images.front().why == LabelNoise::Why::kNoAgreement && elsewhere == std::ssize(images) - 1;
    for (LabelNoise::Image image : images) {
      if (one_left && !image.belongs) continue;
      image.label = people_.label(image.label);
      result_.unlike_images.push_back(image);
    }
  }

  void find_merges(const ClassMeans& people) {
    std::vector<int64_t> order(static_cast<size_t>(people.size()));
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {}, [&](int64_t c) { return size_kind(people.images(c)); });
    MergeSearch search(people, order, result_.merge);
    ScanOptions options = scan_;
    options.what = "comparing classes";
    const UnitRows rows = UnitRows(people.unit()).subset(order);
    scan_pairs(rows, rows, PairsOf::kOneSet, search, options);
    join(people, search.take());
  }

  // From the classes with most images down, each takes the classes that reach it.
  void join(const ClassMeans& people, std::vector<MergeSearch::Found> found) {
    std::vector<std::vector<std::pair<int64_t, double>>> near(static_cast<size_t>(people.size()));
    for (const MergeSearch::Found& f : found) {
      near[static_cast<size_t>(f.a)].emplace_back(f.b, f.cosine);
      near[static_cast<size_t>(f.b)].emplace_back(f.a, f.cosine);
    }
    std::vector<int64_t> order(near.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, std::ranges::greater(), [&](int64_t c) { return people.images(c); });
    std::vector<bool> taken(near.size(), false);
    for (const int64_t c : order) {
      if (taken[static_cast<size_t>(c)]) continue;
      taken[static_cast<size_t>(c)] = true;
      for (const auto& [other, cosine] : near[static_cast<size_t>(c)]) {
        if (taken[static_cast<size_t>(other)]) continue;
        taken[static_cast<size_t>(other)] = true;
        result_.merges.push_back({people_.label(other), people_.label(c), cosine, people.images(other),
                                  people.images(c), first_image(other), first_image(c)});
      }
    }
    std::ranges::sort(result_.merges, [](const auto& a, const auto& b) {
      return a.cosine != b.cosine ? a.cosine > b.cosine : a.label < b.label;
    });
  }

  int64_t first_image(int64_t c) const { return groups_[static_cast<size_t>(c)].front().front(); }

  const CanonicalVectors& images_;
  const NoiseThresholds& given_;
  const ScanOptions& scan_;
  const People people_;
  std::vector<int64_t> class_of_;                          // [rows]; −1: no label
  std::vector<std::vector<std::vector<int64_t>>> groups_;  // [classes]
  LabelNoise result_;
};

}  // namespace

size_t size_kind(int64_t images) { return images < 2 ? 0 : images < 5 ? 1 : 2; }

int64_t LabelNoise::count(Why why) const { return std::ranges::count(unlike_images, why, &Image::why); }

std::string_view to_string(LabelNoise::Why why) {
  switch (why) {
    case LabelNoise::Why::kUnlike:
      return "unlike";
    case LabelNoise::Why::kSecondPerson:
      return "second person";
    case LabelNoise::Why::kNoAgreement:
      return "no two agree";
  }
  fail(ErrorKind::kInternal, "a reason without a name");
}

LabelNoise find_label_noise(const CanonicalVectors& images, std::span<const int64_t> labels,
                            const NoiseThresholds& thresholds, const ScanOptions& scan) {
  return NoiseSearch(images, labels, thresholds, scan).run();
}

}  // namespace uir
