// MegaFace's search: every probe among distractors in a fixed order, against the scores with its mates.
//
// Of a probe and a mate only counts how many distractors score at least as high with the probe. So a probe
// needs the distractors that reach its worst mate; of the others only those count that a threshold of the
// verification could accept, or that are among the best pairs. Probes that few distractors reach go through
// the filter (pair_scan.h), the others are scored in float64 throughout (exact_scores.h). Both exact, ties
// counted; the same for any number of threads.
// Cost: probes x distractors x D multiplications. Memory: the probes twice, what scan_pairs() takes, and per
// thread a block of distractors, 24 bytes per pair of one identity and 80 per pair that is kept; 16 per probe
// and neighbour. It does not grow with the distractors.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "uir/base/progress.h"
#include "uir/eval/roc.h"
#include "uir/search/canonical.h"
#include "uir/search/pair_scan.h"
#include "uir/search/tail_search.h"
#include "uir/search/top_k.h"
#include "uir/store/embedding_store.h"

namespace uir {

// The scores of every probe with its mates, the other images of its identity. People are the identities, in
// ascending order.
struct Mates {
  std::vector<int64_t> person;   // of every probe
  std::vector<size_t> begin{0};  // probe i has scores[begin[i] .. begin[i + 1])
  std::vector<double> scores;    // ascending within a probe
  std::vector<double> genuine;   // each unordered pair once
  std::vector<int64_t> genuine_person;
  int64_t num_identities = 0;

  std::span<const double> of(int64_t probe) const {
    const auto i = static_cast<size_t>(probe);
    return std::span(scores).subspan(begin[i], begin[i + 1] - begin[i]);
  }
};

Mates mates_of(const CanonicalVectors& probes, std::span<const int64_t> identities);

// What is wanted beside the ranks.
struct MateSearchKeeps {
  double largest_far = 0;  // at which the verification is read
  int64_t pairs = 1;       // the best of all, with whose they are
  int64_t neighbours = 1;  // of every probe, among those that reach a mate
};

class MateSearch {
 public:
  // rows: of the distractors, in their order. All must outlive the search.
  MateSearch(const CanonicalVectors& probes, const Mates& mates, const EmbeddingStore& distractors,
             const std::vector<int64_t>& rows, const MateSearchKeeps& keeps, const ScanResources& resources);

  // Goes on with the distractors up to number `end`, in pieces that tell soon which scores no longer matter.
  void search_to(int64_t end);
  // For every mate score, the number of distractors so far that score at least as high with the probe.
  std::vector<int64_t> at_least() const;
  // Of the genuine scores against the distractors so far; exact at rates up to the largest.
  const Roc& roc() const { return roc_; }
  // So far: rows are probes, columns numbers of distractors.
  const std::vector<TailPair>& best_pairs() { return best_.pairs(); }
  std::span<const Neighbour> neighbours(int64_t probe) const { return neighbours_.row(probe); }

 private:
  // What some distractors did to the probes.
  struct Counts {
    // [j]: distractors whose score with the probe is at least mate score j, but below the probe's next higher
    // one.
    std::vector<int64_t> between;
    Roc::Counter impostors;
    TopPairs best;
    void add(const Counts& more);
  };
  // Some of the probes, with the scores from which distractors matter to them.
  struct Wanted {
    std::vector<int64_t> probes;
    std::vector<double> floors;
    void add(int64_t probe, double floor) {
      probes.push_back(probe);
      floors.push_back(floor);
    }
  };

  void search_piece(int64_t end);
  struct Hit {
    int64_t probe, distractor;
    double score;
  };
  class FloorSearch;

  // Whether the score counts as an impostor's of its own.
  bool count(const Hit& hit, Counts& counts);
  // By how many distractors they were reached so far. Both return the number of impostors that were counted.
  int64_t search_often(const Wanted& wanted, int64_t end, Counts& counts);
  int64_t search_seldom(const Wanted& wanted, int64_t end, Counts& counts);
  double share_above_mates(int64_t probe) const;
  RocPoint verification_floor() const;
  Counts no_counts() const {
    return {std::vector<int64_t>(between_.size(), 0), roc_.counter(), TopPairs(best_.n())};
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
  TopPairs best_;
  TopKSearch neighbours_;
  std::vector<int64_t> between_;
  Progress progress_;
};

}  // namespace uir
