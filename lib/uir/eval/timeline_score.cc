#include "uir/eval/timeline_score.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>
#include <vector>

namespace uir {
namespace {

// What there is at an instant; the changes from one instant to the next have the same members.
struct Instant {
  int64_t reference_names = 0, hypothesis_names = 0, common_names = 0;
  int64_t reference_strangers = 0, hypothesis_strangers = 0;
  int64_t spans = 0, collars = 0;
};

// The sweep over the changes of one video.
class ErrorCount {
 public:
  void add(const TimeSet& set, int64_t Instant::*what) {
    for (const TimeInterval& interval : set) {
      changes_.push_back({interval.begin, what, 1});
      changes_.push_back({interval.end, what, -1});
    }
  }
  void add_collars(const TimeSet& set, int64_t half) {
    if (half == 0) return;
    for (const TimeInterval& interval : set) {
      for (const int64_t edge : {interval.begin, interval.end})
        add({{edge - half, edge + half}}, &Instant::collars);
    }
  }

  IdentificationErrors count() {
    std::ranges::sort(changes_, {}, &Change::time);
    IdentificationErrors errors;
    Instant now;
    int64_t since = 0;
    for (const Change& change : changes_) {
      if (now.spans > 0 && now.collars == 0) pass(now, change.time - since, errors);
      since = change.time;
      now.*change.what += change.by;
    }
    return errors;
  }

 private:
  struct Change {
    int64_t time;
    int64_t Instant::*what;
    int64_t by;
  };
  static void pass(const Instant& now, int64_t time, IdentificationErrors& errors) {
    const int64_t reference = now.reference_names + now.reference_strangers;
    const int64_t hypothesis = now.hypothesis_names + now.hypothesis_strangers;
    const int64_t right = now.common_names + std::min(now.reference_strangers, now.hypothesis_strangers);
    errors.reference += time * reference;
    errors.right += time * right;
    errors.confusion += time * (std::min(reference, hypothesis) - right);
    errors.false_alarm += time * std::max<int64_t>(hypothesis - reference, 0);
    errors.miss += time * std::max<int64_t>(reference - hypothesis, 0);
  }

  std::vector<Change> changes_;
};

const TimeSet& set_of(const std::map<std::string, TimeSet>& people, const std::string& label) {
  static const TimeSet kNever;
  const auto found = people.find(label);
  return found == people.end() ? kNever : found->second;
}

IdentificationErrors identification_errors(const Appearances& reference, const Appearances& hypothesis,
                                           const TimeSet& spans, int64_t half_collar) {
  ErrorCount count;
  count.add(spans, &Instant::spans);
  for (const auto& [name, set] : reference.named) {
    count.add(set, &Instant::reference_names);
    count.add(intersection(set, set_of(hypothesis.named, name)), &Instant::common_names);
    count.add_collars(set, half_collar);
  }
  for (const auto& [name, set] : hypothesis.named) count.add(set, &Instant::hypothesis_names);
  for (const auto& [label, set] : reference.told_apart) {
    count.add(set, &Instant::reference_strangers);
    count.add_collars(set, half_collar);
  }
  for (const auto& [label, set] : hypothesis.told_apart) count.add(set, &Instant::hypothesis_strangers);
  count.add(reference.not_told, &Instant::reference_strangers);
  count.add_collars(reference.not_told, half_collar);
  count.add(hypothesis.not_told, &Instant::hypothesis_strangers);
  return count.count();
}

// Appearances of which the other timeline has less than half.
int64_t not_confirmed(const TimeSet& appearances, const TimeSet& other) {
  return std::ranges::count_if(appearances, [&](const TimeInterval& appearance) {
    return 2 * common_length(appearance, other) < appearance.length();
  });
}

// Pairs of temporal IoU 1/2 or more. None is in two of them: two intervals that each have half of a third
// one and nothing outside it touch, and touching ones are united.
int64_t matched_pairs(const TimeSet& reference, const TimeSet& hypothesis) {
  int64_t pairs = 0;
  for (const TimeInterval& a : reference) {
    auto b = std::ranges::upper_bound(hypothesis, a.begin, {}, &TimeInterval::end);
    for (; b != hypothesis.end() && b->begin < a.end; ++b) {
      const int64_t common = std::min(a.end, b->end) - std::max(a.begin, b->begin);
      pairs += 2 * common >= a.length() + b->length() - common;
    }
  }
  return pairs;
}

NameScore name_score(const TimeSet& reference, const TimeSet& hypothesis) {
  NameScore score{length(reference), length(hypothesis), length(intersection(reference, hypothesis))};
  score.difference = std::abs(score.hypothesis - score.reference);
  score.reference_appearances = std::ssize(reference);
  score.hypothesis_appearances = std::ssize(hypothesis);
  score.not_identified = not_confirmed(reference, hypothesis);
  score.false_names = not_confirmed(hypothesis, reference);
  score.matched = matched_pairs(reference, hypothesis);
  return score;
}

void add(const NameScore& part, NameScore& sum) {
  sum.reference += part.reference;
  sum.hypothesis += part.hypothesis;
  sum.common += part.common;
  sum.difference += part.difference;
  sum.reference_appearances += part.reference_appearances;
  sum.hypothesis_appearances += part.hypothesis_appearances;
  sum.not_identified += part.not_identified;
  sum.false_names += part.false_names;
  sum.matched += part.matched;
}

std::map<std::string, NameScore> name_scores(const Appearances& reference, const Appearances& hypothesis,
                                             const TimeSet& spans) {
  std::set<std::string> names;
  for (const auto* people : {&reference.named, &hypothesis.named}) {
    for (const auto& [name, set] : *people) names.insert(name);
  }
  std::map<std::string, NameScore> scores;
  for (const std::string& name : names) {
    const NameScore score = name_score(intersection(set_of(reference.named, name), spans),
                                       intersection(set_of(hypothesis.named, name), spans));
    if (score.reference > 0 || score.hypothesis > 0) scores[name] = score;
  }
  return scores;
}

ClusterScore cluster_score(const Appearances& reference, const Appearances& hypothesis,
                           const TimeSet& spans) {
  ClusterScore score;
  std::vector<TimeSet> people;  // whom the reference names or tells apart
  for (const auto* labels : {&reference.named, &reference.told_apart}) {
    for (const auto& [label, set] : *labels) {
      people.push_back(intersection(set, spans));
      score.strangers += labels == &reference.told_apart && !people.back().empty();
    }
  }
  std::vector<TimeInterval> anybody;
  for (const TimeSet& person : people) anybody.insert(anybody.end(), person.begin(), person.end());
  const TimeSet somebody = united(std::move(anybody));
  for (const auto& [label, cluster] : hypothesis.told_apart) {
    const int64_t met = length(intersection(cluster, somebody));
    int64_t largest = 0;
    for (const TimeSet& person : people) largest = std::max(largest, length(intersection(cluster, person)));
    score.clusters += met > 0;
    score.met += met;
    score.largest += largest;
  }
  return score;
}

}  // namespace

double IdentificationErrors::rate(int64_t errors) const {
  if (reference == 0) return errors > 0 ? 1 : 0;
  return static_cast<double>(errors) / static_cast<double>(reference);
}

NameScore TimelineScore::all_names() const {
  NameScore sum;
  for (const auto& [name, score] : names) add(score, sum);
  return sum;
}

TimelineScore& TimelineScore::operator+=(const TimelineScore& other) {
  evaluated += other.evaluated;
  errors.reference += other.errors.reference;
  errors.right += other.errors.right;
  errors.confusion += other.errors.confusion;
  errors.false_alarm += other.errors.false_alarm;
  errors.miss += other.errors.miss;
  for (const auto& [name, score] : other.names) add(score, names[name]);
  strangers.strangers += other.strangers.strangers;
  strangers.clusters += other.strangers.clusters;
  strangers.met += other.strangers.met;
  strangers.largest += other.strangers.largest;
  return *this;
}

TimelineScore score_video(const Appearances& reference, const Appearances& hypothesis, const TimeSet& spans,
                          int64_t half_collar) {
  TimelineScore score;
  score.evaluated = length(spans);
  score.errors = identification_errors(reference, hypothesis, spans, half_collar);
  score.names = name_scores(reference, hypothesis, spans);
  score.strangers = cluster_score(reference, hypothesis, spans);
  return score;
}

}  // namespace uir
