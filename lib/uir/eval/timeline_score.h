// How right a timeline is, against a reference, in counts that add up over videos: whole microseconds and
// whole numbers. docs/protocols.md defines the figures that are made of them.
//
// Only what lies in the spans counts. An appearance is an interval of a person's united time within the
// spans; it is confirmed by the other timeline if that has the same name for at least half of it.
// Cost: n log n for n intervals, and clusters × people for the clusters of a video. Threads: pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "uir/eval/appearances.h"

namespace uir {

// Person-microseconds. At an instant with R people in the reference and H in the hypothesis, of whom c are
// right (the names that both have, and the smaller number of those without name): confusion min(R, H) − c,
// miss max(R − H, 0), false alarm max(H − R, 0).
struct IdentificationErrors {
  int64_t reference = 0, right = 0, confusion = 0, false_alarm = 0, miss = 0;
  int64_t all() const { return confusion + false_alarm + miss; }
  // Errors, all or a part, per person-microsecond of the reference; where that has nobody, 1 if there are
  // any, else 0.
  double rate(int64_t errors) const;
  bool operator==(const IdentificationErrors&) const = default;
};

struct NameScore {
  int64_t reference = 0, hypothesis = 0, common = 0;  // microseconds of the name in each, and in both at once
  int64_t difference = 0;                             // per video |hypothesis − reference|, summed up
  int64_t reference_appearances = 0, hypothesis_appearances = 0;
  int64_t not_identified = 0;  // appearances of the reference that the hypothesis does not confirm
  int64_t false_names = 0;     // the other way round
  int64_t matched = 0;         // pairs of appearances whose common time is at least half of their union
  bool operator==(const NameScore&) const = default;
};

struct ClusterScore {
  int64_t strangers = 0;  // people that the reference tells apart and does not name
  int64_t clusters = 0;   // of the hypothesis that meet somebody whom the reference tells apart or names
  int64_t met = 0;        // microseconds in which they do
  int64_t largest = 0;    // of these, in which each cluster meets the person that it meets longest
  bool operator==(const ClusterScore&) const = default;
};

struct TimelineScore {
  int64_t evaluated = 0;  // microseconds of the spans
  IdentificationErrors errors;
  std::map<std::string, NameScore> names;  // of either
  ClusterScore strangers;
  NameScore all_names() const;  // summed up
  TimelineScore& operator+=(const TimelineScore& other);
};

// Of one video. half_collar: microseconds on either side of each begin and end of the reference, in or
// outside the spans, in which identification errors are not counted; nothing else is changed by it.
TimelineScore score_video(const Appearances& reference, const Appearances& hypothesis, const TimeSet& spans,
                          int64_t half_collar);

}  // namespace uir
