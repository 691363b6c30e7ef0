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

  int64_t people() const { return people_; }
  int64_t num_genuine() const { return count(people_, 0, kGenuine); }
  int64_t num_impostor() const { return count(people_, 0, kImpostor); }
  int64_t genuine_of(int64_t person) const { return count(person, 0, kGenuine); }
  int64_t impostors_of(int64_t person) const { return count(person, 0, kImpostor); }
  // Accepted at a level, in the order in which levels were given: of the person, of all.
  int64_t genuine_at(size_t level, int64_t person) const { return count(person, rank(level), kGenuine); }
  int64_t impostors_at(size_t level, int64_t person) const { return count(person, rank(level), kImpostor); }
  int64_t genuine_at(size_t level) const { return count(people_, rank(level), kGenuine); }
  int64_t impostors_at(size_t level) const { return count(people_, rank(level), kImpostor); }
  // Twice, a tie being 1 (Roc::Wins): of the person's genuine pairs, of others against the impostor pairs.
  int64_t genuine_wins(int64_t person) const { return wins_[static_cast<size_t>(2 * person)]; }
  int64_t wins_over_impostors(int64_t person) const { return wins_[static_cast<size_t>(2 * person + 1)]; }

 private:
  struct Plan {
    Roc roc;
    Roc::Wins wins;
    std::vector<double> levels;  // ascending
    std::vector<size_t> ranks;   // of the given ones: 1 + their place among these
  };
  enum Kind : size_t { kGenuine, kImpostor };
  size_t rank(size_t level) const { return plan_->ranks[level]; }
  size_t num_slots() const { return plan_->levels.size() + 1; }
  size_t slot_of(double score) const;  // how many levels it reaches
  int64_t& slot(int64_t person, size_t reached, Kind kind) {
    return counts_[2 * (static_cast<size_t>(person) * num_slots() + reached) + kind];
  }
  int64_t count(int64_t person, size_t rank, Kind kind) const;  // reaching `rank` levels or more

  std::shared_ptr<const Plan> plan_;
  int64_t people_ = 0;
  std::vector<int64_t> counts_;  // [person, then all][levels that the score reaches][kind]
  std::vector<int64_t> wins_;    // [person][genuine, impostor]
};

}  // namespace uir
