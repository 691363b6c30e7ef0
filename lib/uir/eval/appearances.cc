#include "uir/eval/appearances.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "uir/base/error.h"
#include "uir/formats/csv.h"
#include "uir/formats/text_lines.h"

namespace uir {
namespace {

constexpr double kLastSecond = 1e8;  // some three years: beyond it a time is no place in a video

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Lines: what refuses in the name of its place, CsvReader or TextLines.
template <class Lines>
int64_t parse_time(const Lines& lines, std::string_view text) {
  const std::optional<double> seconds = parse_number<double>(text);
  if (!seconds || !std::isfinite(*seconds) || std::abs(*seconds) > kLastSecond)
    lines.refuse("'", text.substr(0, 80), "' is no time; expected seconds as a number, such as 61.25");
  return std::llround(*seconds * kMicroseconds);
}

template <class Lines>
TimeInterval parse_interval(const Lines& lines, std::string_view start, std::string_view end) {
  const TimeInterval interval{parse_time(lines, start), parse_time(lines, end)};
  if (interval.begin >= interval.end) {
    lines.refuse("from ", start, " to ", end,
                 " is no time at all; expected an end after the start (seconds; microseconds count)");
  }
  return interval;
}

const std::string& video_of(const CsvReader& rows) {
  if (rows.field(0).empty()) rows.refuse("no video; expected its name");
  return rows.field(0);
}

void read_into(const fs::path& file, AppearancesOfVideos& videos) {
  CsvReader rows(file, {"video", "start", "end", "person"});
  while (rows.next()) {
    Appearances& people = videos[video_of(rows)];
    const TimeInterval interval = parse_interval(rows, rows.field(1), rows.field(2));
    const std::string& person = rows.field(3);
    if (person.empty()) rows.refuse("no person; expected a name, or ? for somebody who is in no gallery");
    switch (kind_of(person)) {
      case WhoKind::kNotTold:
        people.not_told.push_back(interval);
        break;
      case WhoKind::kToldApart:
        people.told_apart[person].push_back(interval);
        break;
      case WhoKind::kNamed:
        people.named[person].push_back(interval);
        break;
    }
  }
}

std::map<std::string, TimeSet> read_csv_spans(const fs::path& file) {
  std::map<std::string, TimeSet> spans;
  CsvReader rows(file, {"video", "start", "end"});
  while (rows.next()) spans[video_of(rows)].push_back(parse_interval(rows, rows.field(1), rows.field(2)));
  for (auto& [video, set] : spans) set = united(std::move(set));
  return spans;
}

}  // namespace

TimeSet united(std::vector<TimeInterval> intervals) {
  std::ranges::sort(intervals);
  TimeSet set;
  for (const TimeInterval& interval : intervals) {
    if (set.empty() || interval.begin > set.back().end) {
      set.push_back(interval);
    } else {
      set.back().end = std::max(set.back().end, interval.end);
    }
  }
  return set;
}

TimeSet intersection(const TimeSet& a, const TimeSet& b) {
  TimeSet common;
  for (auto x = a.begin(), y = b.begin(); x != a.end() && y != b.end();) {
    const TimeInterval both{std::max(x->begin, y->begin), std::min(x->end, y->end)};
    if (both.begin < both.end) common.push_back(both);
    ++(x->end < y->end ? x : y);
  }
  return common;
}

int64_t length(const TimeSet& set) {
  int64_t sum = 0;
  for (const TimeInterval& interval : set) sum += interval.length();
  return sum;
}

int64_t common_length(const TimeInterval& interval, const TimeSet& set) {
  int64_t sum = 0;
  auto other = std::ranges::upper_bound(set, interval.begin, {}, &TimeInterval::end);
  for (; other != set.end() && other->begin < interval.end; ++other)
    sum += std::min(interval.end, other->end) - std::max(interval.begin, other->begin);
  return sum;
}

WhoKind kind_of(std::string_view label) {
  constexpr std::string_view kStranger = "stranger ";
  if (label == "?" || label == "unsure" || label == "too small") return WhoKind::kNotTold;
  if (label.starts_with('?')) return WhoKind::kToldApart;
  if (label.starts_with(kStranger) && is_number(label.substr(kStranger.size()))) return WhoKind::kToldApart;
  return WhoKind::kNamed;
}

TimeInterval Appearances::extent() const {
  TimeSet all = not_told;
  for (const auto* people : {&named, &told_apart}) {
    for (const auto& [label, set] : *people) all.insert(all.end(), set.begin(), set.end());
  }
  all = united(std::move(all));
  return all.empty() ? TimeInterval{} : TimeInterval{all.front().begin, all.back().end};
}

AppearancesOfVideos read_appearances(std::span<const fs::path> files) {
  AppearancesOfVideos videos;
  for (const fs::path& file : files) read_into(file, videos);
  for (auto& [video, people] : videos) {
    for (auto* labels : {&people.named, &people.told_apart}) {
      for (auto& [label, set] : *labels) set = united(std::move(set));
    }
    std::ranges::sort(people.not_told);
  }
  return videos;
}

std::map<std::string, TimeSet> read_uem(const fs::path& file) {
  std::map<std::string, TimeSet> spans;
  TextLines lines(file);
  std::vector<std::string_view> fields;
  while (lines.next()) {
    std::string line(lines.line().substr(0, lines.line().find(";;")));
    std::ranges::replace(line, '\t', ' ');
    split(line, ' ', true, fields);
    if (fields.empty()) continue;
    if (fields.size() != 4) lines.refuse(fields.size(), " fields, expected 'video channel start end'");
    spans[std::string(fields[0])].push_back(parse_interval(lines, fields[2], fields[3]));
  }
  for (auto& [video, set] : spans) set = united(std::move(set));
  return spans;
}

std::map<std::string, TimeSet> read_spans(const fs::path& file) {
  std::map<std::string, TimeSet> spans = file.extension() == ".uem" ? read_uem(file) : read_csv_spans(file);
  if (spans.empty())
    fail(ErrorKind::kData, file.string(), ": no spans; expected what of each video is annotated");
  return spans;
}

}  // namespace uir
