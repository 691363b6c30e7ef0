// Who appears when in videos, as sets of time.
//
// Times are whole microseconds, from where the video's own time begins; intervals are half-open. Lists give
// them in seconds, and are rounded to the microsecond. A label says who:
//   ?, unsure, too small       somebody who is not told: nobody of the gallery, or nobody can say
//   ?x, stranger N             somebody of no gallery, told apart from others: x and N are any text and any
//                              whole number; in a reference a person, in a hypothesis a cluster
//   anything else              the name of a person of the gallery
// A person's intervals are united, touching ones too, so a person is there once whatever the number of
// tracks. Those of people who are not told cannot be: each is one person.
//
// Cost: n log n for n intervals, in time; linear in memory. Threads: functions of const values may run at
// once.
// Errors of lists (kData, naming file and line): what csv.h refuses; a time that is no number or beyond
// 1e8 s; an end that is not after its begin; an empty video or person.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/file.h"

namespace uir {

inline constexpr double kMicroseconds = 1e6;  // of a second

struct TimeInterval {
  int64_t begin = 0, end = 0;  // [begin, end) in microseconds
  int64_t length() const { return end - begin; }
  auto operator<=>(const TimeInterval&) const = default;
};
// Ascending; each ends before the next begins.
using TimeSet = std::vector<TimeInterval>;

TimeSet united(std::vector<TimeInterval> intervals);
TimeSet intersection(const TimeSet& a, const TimeSet& b);
int64_t length(const TimeSet& set);
// How much of the interval the set has.
int64_t common_length(const TimeInterval& interval, const TimeSet& set);

enum class WhoKind { kNotTold, kToldApart, kNamed };
WhoKind kind_of(std::string_view label);

// The people of one video.
struct Appearances {
  std::map<std::string, TimeSet> named, told_apart;  // by label
  std::vector<TimeInterval> not_told;                // a person each; ascending
  TimeInterval extent() const;  // from the first begin to the last end; empty without intervals
};
using AppearancesOfVideos = std::map<std::string, Appearances>;

// CSV files with the columns video, start, end, person; all of them together.
AppearancesOfVideos read_appearances(std::span<const fs::path> files);
// NIST's unpartitioned evaluation map: lines 'video channel start end'; ;; begins a comment.
std::map<std::string, TimeSet> read_uem(const fs::path& file);
// What of each video is annotated: such a map where the name ends in .uem, else a CSV file with the columns
// video, start, end. kData for none.
std::map<std::string, TimeSet> read_spans(const fs::path& file);

}  // namespace uir
