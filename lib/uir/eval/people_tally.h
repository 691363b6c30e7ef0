// Who stands behind a ROC: the pairs of each person, how many of them are accepted at some thresholds, and
// how often they win. What the intervals of rates, AUC and EER are made of (report/intervals.h).
//
// A genuine pair is one person's; an impostor pair is both people's, or one unit's where it lies within one
// (a fold, where nobody knows the people). Pairs pass by a second time, when the ROC is known, and are not
// kept.
// Cost: one search among the distinct genuine scores per pair. Memory: 16 bytes per person and level, in
// every thread. Threads: each fills a tally of its own; tallies added in any order are the same.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <vector>

#include "uir/eval/roc.h"

namespace uir {

class PeopleTally {
 public:
  // levels: thresholds, in any order; a pair at or above one is accepted there. The ROC is copied in part.
  PeopleTally(const Roc& roc, std::span<const double> levels, int64_t people);

  void genuine(int64_t person, double score);
  void impostor(int64_t a, int64_t b, double score);
  void add(const PeopleTally& more);

  int64_t people() const { return std::ssize(of_); }
  int64_t num_genuine() const { return all_.genuine; }
  int64_t num_impostor() const { return all_.impostors; }
  int64_t genuine_of(int64_t person) const { return of_[static_cast<size_t>(person)].genuine; }
  int64_t impostors_of(int64_t person) const { return of_[static_cast<size_t>(person)].impostors; }
  // Accepted at a level, in the order in which levels were given: of the person, of all.
  int64_t genuine_at(size_t level, int64_t person) const { return accepted(level, person, kGenuine); }
  int64_t impostors_at(size_t level, int64_t person) const { return accepted(level, person, kImpostor); }
  int64_t genuine_at(size_t level) const { return accepted(level, people(), kGenuine); }
  int64_t impostors_at(size_t level) const { return accepted(level, people(), kImpostor); }
  // Twice, a tie being 1 (Roc::Wins): of the person's genuine pairs, of others against the impostor pairs.
  int64_t genuine_wins(int64_t person) const { return of_[static_cast<size_t>(person)].genuine_wins; }
  int64_t wins_over_impostors(int64_t person) const {
    return of_[static_cast<size_t>(person)].wins_over_impostors;
  }

 private:
  enum Kind : size_t { kGenuine, kImpostor };
  struct Pairs {
    int64_t genuine = 0, impostors = 0, genuine_wins = 0, wins_over_impostors = 0;
    void add(const Pairs& more);
  };
  struct Plan;

  size_t reached(double score, const Roc::Place& place) const;  // how many levels
  size_t slot(int64_t person, size_t reached, Kind kind) const;
  int64_t accepted(size_t level, int64_t person, Kind kind) const;

  std::shared_ptr<const Plan> plan_;
  Pairs all_;
  std::vector<Pairs> of_;
  std::vector<int64_t> counts_;  // [person, then all][levels that the score reaches, 1 and more][kind]
};

}  // namespace uir
