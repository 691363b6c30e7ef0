#include "uir/eval/mate_search.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <numeric>

#include "uir/base/parallel.h"
#include "uir/search/exact_scores.h"

namespace uir {
namespace {

constexpr int64_t kDistractorsPerBlock = 1024;
constexpr int64_t kGrowth = 10;  // of the pieces
// Up to this share of distractors, scoring them again costs less than the filter saves.
constexpr double kSeldom = 0.01;

CanonicalVectors some_rows(const CanonicalVectors& all, std::span<const int64_t> rows) {
  CanonicalVectors some{{}, std::ssize(rows), all.cols};
  for (const int64_t row : rows)
    some.values.insert(some.values.end(), all.row(row).begin(), all.row(row).end());
  return some;
}

// Visits every (probe, distractor, score) whose score is at least the probe's floor, in float64 throughout:
// for probes that many distractors reach.
template <class Visit>
void visit_scores_from(MatrixView probes, const CanonicalVectors& distractors, std::span<const double> floors,
                       Visit&& visit) {
  const ScoreColumns columns(distractors.view());
  for (int64_t begin = 0; begin < probes.rows; begin += kScoreRows) {
    visit_scores(probes, begin, std::min(begin + kScoreRows, probes.rows), columns, 0,
                 [&](int64_t probe, int64_t first, std::span<const double> scores) {
                   const double floor = floors[static_cast<size_t>(probe)];
                   for (size_t c = 0; c < scores.size(); ++c) {
                     if (scores[c] >= floor) visit(probe, first + static_cast<int64_t>(c), scores[c]);
                   }
                 });
  }
}

}  // namespace

// The same behind the filter, for probes that few distractors reach. It visits from one thread at a time,
// before blocks are committed, so it cannot be restarted.
class MateSearch::FloorSearch : public PairSearch {
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
    void add(int64_t row, int64_t column, double score) override {
      if (score < search.floors_[static_cast<size_t>(row)]) return;
      hits.push_back({row, column, score});
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

Mates mates_of(const CanonicalVectors& probes, std::span<const int64_t> identities) {
  std::map<int64_t, std::vector<int64_t>> images;
  for (int64_t i = 0; i < probes.rows; ++i) images[identities[static_cast<size_t>(i)]].push_back(i);
  Mates mates;
  mates.num_identities = std::ssize(images);
  mates.person.resize(static_cast<size_t>(probes.rows));
  int64_t person = 0;
  for (const auto& [identity, rows] : images) {
    for (const int64_t row : rows) mates.person[static_cast<size_t>(row)] = person;
    ++person;
  }
  for (int64_t i = 0; i < probes.rows; ++i) {
    for (const int64_t other : images[identities[static_cast<size_t>(i)]]) {
      if (other == i) continue;
      mates.scores.push_back(score(probes.row(i), probes.row(other)));
      if (other < i) continue;
      mates.genuine.push_back(mates.scores.back());
      mates.genuine_person.push_back(mates.person[static_cast<size_t>(i)]);
    }
    std::ranges::sort(mates.scores.begin() + static_cast<int64_t>(mates.begin.back()), mates.scores.end());
    mates.begin.push_back(mates.scores.size());
  }
  return mates;
}

MateSearch::MateSearch(const CanonicalVectors& probes, const Mates& mates, const EmbeddingStore& distractors,
                       const std::vector<int64_t>& rows, const MateSearchKeeps& keeps,
                       const ScanResources& resources)
    : probes_(probes),
      mates_(mates),
      distractors_(distractors),
      rows_(rows),
      largest_far_(keeps.largest_far),
      resources_(resources),
      roc_(mates.genuine),
      best_(keeps.pairs),
      neighbours_(probes.rows, keeps.neighbours, "distractors"),
      between_(mates.scores.size(), 0),
      progress_("searching for the probes", "pairs", probes.rows * std::ssize(rows)) {}

void MateSearch::search_to(int64_t end) {
  while (done_ < end) {
    const int64_t piece_end = std::min(end, std::max(kDistractorsPerBlock, kGrowth * done_));
    search_piece(piece_end);
    done_ = piece_end;
  }
}

std::vector<int64_t> MateSearch::at_least() const {
  std::vector<int64_t> counts = between_;
  for (int64_t probe = 0; probe < probes_.rows; ++probe) {
    const size_t begin = mates_.begin[static_cast<size_t>(probe)],
                 end = mates_.begin[static_cast<size_t>(probe) + 1];
    for (size_t j = end; j-- > begin + 1;) counts[j - 1] += counts[j];
  }
  return counts;
}

void MateSearch::Counts::add(const Counts& more) {
  for (size_t j = 0; j < between.size(); ++j) between[j] += more.between[j];
  impostors.add(more.impostors);
  best.merge(more.best);
}

void MateSearch::search_piece(int64_t end) {
  const RocPoint tail = verification_floor();
  const double floor = std::min(tail.threshold, best_.threshold());
  Wanted often, seldom;  // by how many distractors they were reached so far
  for (int64_t probe = 0; probe < probes_.rows; ++probe) {
    const auto scores = mates_.of(probe);
    const bool by_mate = !scores.empty() && scores.front() < floor;
    const double share = by_mate ? share_above_mates(probe) : tail.far;
    (share <= kSeldom ? seldom : often).add(probe, by_mate ? scores.front() : floor);
  }
  tail_ = tail.threshold;
  Counts counts = no_counts();
  const int64_t counted = search_often(often, end, counts) + search_seldom(seldom, end, counts);
  counts.impostors.add_lowest(probes_.rows * (end - done_) - counted);  // too low to matter
  for (size_t j = 0; j < between_.size(); ++j) between_[j] += counts.between[j];
  roc_.merge(counts.impostors);
  best_.merge(counts.best);
  best_.pairs();  // from here on with the threshold that they make
}

bool MateSearch::count(const Hit& hit, Counts& counts) {
  const auto mates = mates_.of(hit.probe);
  const auto beaten = std::upper_bound(mates.begin(), mates.end(), hit.score) - mates.begin();
  if (beaten > 0) {
    ++counts.between[mates_.begin[static_cast<size_t>(hit.probe)] + static_cast<size_t>(beaten) - 1];
    neighbours_.add(hit.probe, {hit.distractor, hit.score});
  }
  if (hit.score >= best_.threshold())
    counts.best.add({hit.score, static_cast<uint32_t>(hit.probe), static_cast<uint32_t>(hit.distractor)});
  if (hit.score < tail_) return false;
  roc_.count(hit.score, counts.impostors);
  return true;
}

int64_t MateSearch::search_often(const Wanted& wanted, int64_t end, Counts& counts) {
  if (wanted.probes.empty()) return 0;
  const CanonicalVectors probes = some_rows(probes_, wanted.probes);
  int64_t counted = 0;
  struct Part {
    Counts counts;
    int64_t counted;
  };
  const auto search_block = [&](Part& part, int64_t first, int64_t last) {
    const auto rows =
        std::span(rows_).subspan(static_cast<size_t>(done_ + first), static_cast<size_t>(last - first));
    visit_scores_from(
        probes.view(), canonical_rows(distractors_, rows), wanted.floors,
        [&](int64_t probe, int64_t distractor, double score) {
          const Hit hit{wanted.probes[static_cast<size_t>(probe)], done_ + first + distractor, score};
          part.counted += count(hit, part.counts);
        });
    progress_.add((last - first) * probes.rows);
  };
  reduce_blocks(end - done_, kDistractorsPerBlock, resources_.threads, Part{no_counts(), 0}, search_block,
                [&](const Part& part) {
                  counted += part.counted;
                  counts.add(part.counts);
                });
  return counted;
}

int64_t MateSearch::search_seldom(const Wanted& wanted, int64_t end, Counts& counts) {
  if (wanted.probes.empty()) return 0;
  int64_t counted = 0;
  FloorSearch search(wanted.floors, [&](std::span<const Hit> hits) {
    for (const Hit& hit : hits)
      counted +=
          count({wanted.probes[static_cast<size_t>(hit.probe)], done_ + hit.distractor, hit.score}, counts);
  });
  scan_pairs(UnitRows(probes_).subset(wanted.probes),
             UnitRows(distractors_).subset({rows_.begin() + done_, rows_.begin() + end}),
             PairsOf::kRowsAndColumns, search, {.resources = resources_, .progress = &progress_});
  return counted;
}

// Of the distractors so far, those that score at least as high as the probe's worst mate.
double MateSearch::share_above_mates(int64_t probe) const {
  if (done_ == 0) return 1;
  const auto begin = between_.begin() + static_cast<int64_t>(mates_.begin[static_cast<size_t>(probe)]);
  const auto end = between_.begin() + static_cast<int64_t>(mates_.begin[static_cast<size_t>(probe) + 1]);
  return static_cast<double>(std::accumulate(begin, end, int64_t{0})) / static_cast<double>(done_);
}

// No threshold below this one can have a false-acceptance rate up to the largest that is asked for, whatever
// the distractors to come score; so impostor scores below need not be told apart.
RocPoint MateSearch::verification_floor() const {
  if (done_ == 0) return {.far = 1, .threshold = -std::numeric_limits<double>::infinity()};
  const double share = static_cast<double>(done_) / static_cast<double>(rows_.size());
  constexpr double kRoundingUp = 1 + 1e-9;  // too low a floor costs time only
  return roc_.at_most(largest_far_ / share * kRoundingUp);
}

}  // namespace uir
