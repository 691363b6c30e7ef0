#include "uir/eval/timeline.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/file.h"
#include "uir/base/log.h"
#include "uir/base/text.h"
#include "uir/eval/appearances.h"
#include "uir/eval/share_uncertainty.h"
#include "uir/eval/timeline_score.h"
#include "uir/report/report.h"

namespace uir {
namespace {

constexpr NumberMeaning kLowerNumber{Better::kLower, false};
constexpr NamedMeaning kMeanings[] = {
    {"ier",
     kLowerRate,
     {"IER",
      "Time that is missed, invented or given to somebody else is {value} of the time that people are to be "
      "seen."}},
    {"confusion", kLowerRate},
    {"false_alarm", kLowerRate},
    {"miss", kLowerRate},
    {"precision", kHigherRate, {"precision", "{value} of the time in which somebody is named is right."}},
    {"recall",
     kHigherRate,
     {"recall", "{value} of the time that known people are to be seen has their name."}},
    {"f1", kHigherRate},
    {"mean_f1", kHigherRate},
    {"screen_time_error", kLowerRate},
    {"interval_map_at_iou", kHigherRate},
    {"interval_ap_at_iou", kHigherRate},
    {"false_names_per_hour",
     kLowerNumber,
     {"false names", "{value} times an hour somebody is named who is not there."}},
    {"false_person_seconds_per_hour", kLowerNumber},
    {"fnir", kLowerRate, {"FNIR", "{value} of the appearances of known people do not get their name."}},
    {"cluster_purity", kHigherRate}};

constexpr double kHour = 3600 * kMicroseconds;

// Not a number where there is nothing to divide by.
double quotient(int64_t a, int64_t b) {
  return b == 0 ? std::nan("") : static_cast<double>(a) / static_cast<double>(b);
}
double seconds(int64_t microseconds) { return static_cast<double>(microseconds) / kMicroseconds; }

double precision_of(const NameScore& s) { return quotient(s.common, s.hypothesis); }
double recall_of(const NameScore& s) { return quotient(s.common, s.reference); }
double f1_of(const NameScore& s) { return quotient(2 * s.common, s.reference + s.hypothesis); }
// The one point of its curve: precision × recall of the appearances. 0 if the hypothesis has none.
double interval_ap(const NameScore& s) {
  if (s.matched == 0) return 0;
  return quotient(s.matched * s.matched, s.reference_appearances * s.hypothesis_appearances);
}

// JSON has no number that is none.
Json number_or_null(double value) { return std::isnan(value) ? Json() : Json(value); }

// The timelines of all videos that are measured.
struct TimelineFiles {
  AppearancesOfVideos reference, hypothesis;
  std::map<std::string, TimeSet> spans;
};

template <class Path>
std::vector<fs::path> paths_of(const std::vector<Path>& files) {
  std::vector<fs::path> paths;
  for (const Path& file : files) paths.emplace_back(file.value);
  return paths;
}

// The videos of one that the other has not: "'a', 'b', 'c' …"; empty for none.
template <class Ours, class Theirs>
std::string videos_beyond(const Ours& ours, const Theirs& theirs) {
  constexpr size_t kNamed = 5;
  std::string text;
  size_t found = 0;
  for (const auto& [video, content] : ours) {
    if (theirs.contains(video)) continue;
    if (++found <= kNamed) text += concat(text.empty() ? "'" : ", '", readable(video), "'");
  }
  return found > kNamed ? concat(text, " … (", found, ")") : text;
}

// A video with another name in the other list is measured as if that had nobody in it.
void warn_of_videos(const std::string& name, const TimelineFiles& files, bool spans_given) {
  const auto warn = [&](const std::string& videos, std::string_view what) {
    if (!videos.empty()) log_warning(name, ": ", what, ": ", videos, "; are the names written the same way?");
  };
  if (spans_given) {
    warn(videos_beyond(files.reference, files.spans), "in the reference, but not in spans, so not measured");
    warn(videos_beyond(files.hypothesis, files.spans),
         "in the hypothesis, but not in spans, so not measured");
  } else {
    warn(videos_beyond(files.reference, files.hypothesis), "in the reference only, so all of it is missed");
    warn(videos_beyond(files.hypothesis, files.reference), "in the hypothesis only, so all of it is false");
  }
}

void refuse_unless_common(const TimelineProtocol& config, const TimelineFiles& files) {
  if (files.reference.empty() || files.hypothesis.empty()) return;
  for (const auto& [video, people] : files.reference) {
    if (files.hypothesis.contains(video)) return;
  }
  fail(ErrorKind::kData, config.hypothesis.front().value, ": has no video in common with the reference (",
       videos_beyond(files.hypothesis, files.reference), ", there ",
       videos_beyond(files.reference, files.hypothesis),
       "); write the names of videos the same way, or name the videos in spans");
}

TimelineFiles read_timelines(const std::string& name, const TimelineProtocol& config) {
  TimelineFiles files{
      read_appearances(paths_of(config.reference)), read_appearances(paths_of(config.hypothesis)), {}};
  const bool spans_given = !config.spans.empty();
  if (spans_given) {
    files.spans = read_spans(config.spans.value);
  } else {
    refuse_unless_common(config, files);
  }
  warn_of_videos(name, files, spans_given);
  if (spans_given) return files;
  for (const auto* timeline : {&files.reference, &files.hypothesis}) {
    for (const auto& [video, people] : *timeline) files.spans[video].push_back(people.extent());
  }
  for (auto& [video, set] : files.spans) {  // one interval, where the two are apart as well
    set = united(std::move(set));
    set = {{set.front().begin, set.back().end}};
  }
  return files;
}

Json video_row(const std::string& video, const TimelineScore& score) {
  const IdentificationErrors& errors = score.errors;
  return {{"video", readable(video)},
          {"seconds", seconds(score.evaluated)},
          {"reference_person_seconds", seconds(errors.reference)},
          {"ier", errors.rate(errors.all())},
          {"confusion", errors.rate(errors.confusion)},
          {"false_alarm", errors.rate(errors.false_alarm)},
          {"miss", errors.rate(errors.miss)}};
}

Json person_row(const std::string& name, const NameScore& score) {
  return {{"person", readable(name)},
          {"reference_seconds", seconds(score.reference)},
          {"hypothesis_seconds", seconds(score.hypothesis)},
          {"precision", number_or_null(precision_of(score))},
          {"recall", number_or_null(recall_of(score))},
          {"f1", number_or_null(f1_of(score))},
          {"screen_time_error", number_or_null(quotient(score.difference, score.reference))},
          {"interval_ap_at_iou_0.5", score.reference_appearances > 0 ? Json(interval_ap(score)) : Json()},
          {"reference_appearances", score.reference_appearances},
          {"not_identified", score.not_identified},
          {"hypothesis_appearances", score.hypothesis_appearances},
          {"false_names", score.false_names}};
}

void report_number(std::string name, double value, std::string_view why_undefined, ProtocolResult& report) {
  if (std::isnan(value)) return report.undefined(std::move(name), std::string(why_undefined));
  report.number(std::move(name), value);
}

// A rate of errors, over the films: each weighs what its reference holds.
template <class ErrorsOf>
void report_rate(const char* name, const IdentificationErrors& all,
                 const std::vector<IdentificationErrors>& films, ErrorsOf&& errors_of,
                 ProtocolResult& report) {
  const double rate = all.rate(errors_of(all));
  report.number(name, rate);
  std::vector<double> influences;
  for (const IdentificationErrors& film : films) {
    const int64_t others = all.reference - film.reference;
    if (others <= 0) continue;
    influences.push_back((static_cast<double>(errors_of(film)) - rate * static_cast<double>(film.reference)) /
                         static_cast<double>(others));
  }
  Uncertainty uncertainty = mean_uncertainty(rate, std::move(influences));
  uncertainty.low = std::max(uncertainty.low, 0.0);
  uncertainty.note = uncertainty.has_interval() ? "over the videos" : "fewer than three videos";
  report.set_uncertainty(name, std::move(uncertainty));
}

void report_errors(const IdentificationErrors& all, const std::vector<IdentificationErrors>& films,
                   ProtocolResult& report) {
  using Errors = IdentificationErrors;
  report_rate(
      "ier", all, films, [](const Errors& e) { return e.all(); }, report);
  report_rate(
      "confusion", all, films, [](const Errors& e) { return e.confusion; }, report);
  report_rate(
      "false_alarm", all, films, [](const Errors& e) { return e.false_alarm; }, report);
  report_rate(
      "miss", all, films, [](const Errors& e) { return e.miss; }, report);
}

void report_names(const TimelineScore& score, ProtocolResult& report) {
  constexpr std::string_view kNobody = "the reference names nobody", kSilent = "the hypothesis names nobody";
  const NameScore all = score.all_names();
  double f1 = 0, ap = 0;
  int64_t people = 0;
  for (const auto& [name, one] : score.names) {
    if (one.reference == 0) continue;
    ++people;
    f1 += f1_of(one);
    ap += interval_ap(one);
  }
  const auto n = people == 0 ? std::nan("") : static_cast<double>(people);
  report_number("precision", precision_of(all), kSilent, report);
  report_number("recall", recall_of(all), kNobody, report);
  report_number("f1", f1_of(all), "neither names anybody", report);
  report_number("mean_f1", f1 / n, kNobody, report);
  report_number("screen_time_error", quotient(all.difference, all.reference), kNobody, report);
  report_number("interval_map_at_iou_0.5", ap / n, kNobody, report);
  report_number("fnir", quotient(all.not_identified, all.reference_appearances), kNobody, report);
  const double hours = static_cast<double>(score.evaluated) / kHour;
  const double per_hour = score.evaluated == 0 ? std::nan("") : hours;
  constexpr std::string_view kNothing =
      "nothing is measured: both timelines are empty, and no spans are given";
  report_number("false_names_per_hour", static_cast<double>(all.false_names) / per_hour, kNothing, report);
  report_number("false_person_seconds_per_hour", seconds(all.hypothesis - all.common) / per_hour, kNothing,
                report);
}

void report_clusters(const ClusterScore& clusters, ProtocolResult& report) {
  report_number("cluster_purity", quotient(clusters.largest, clusters.met),
                "no cluster of the hypothesis meets anybody whom the reference tells apart", report);
  report_number("cluster_ratio", quotient(clusters.clusters, clusters.strangers),
                "the reference tells no strangers apart", report);
}

std::string description_of(const TimelineProtocol& config) {
  return concat(
      "Who appears when, against a reference. A person's intervals are united; people who are in no gallery "
      "(?, strangers, unsure, too small) are counted, not told apart. IER: person-seconds of confusion, "
      "false "
      "alarm and miss per person-second of the reference, ",
      config.collar > 0 ? concat("without ", config.collar, " s centred on each of its starts and ends")
                        : "no collar",
      ". Appearances are confirmed by half of their time, and are pairs from a temporal IoU of 0.5 on. "
      "Measured: ",
      config.spans.empty() ? "each video from the first start to the last end in either timeline."
                           : "the annotated spans.");
}

}  // namespace

NumberFacts TimelineProtocol::number_facts() { return {kMeanings, {}}; }

std::vector<std::string> sets_of(const TimelineProtocol& /*config*/) { return {}; }

std::vector<std::string> problems_of(const TimelineProtocol& config, const KnownSources& /*sources*/) {
  std::vector<std::string> problems;
  if (config.reference.empty()) problems.emplace_back("reference: names no file");
  if (config.hypothesis.empty()) problems.emplace_back("hypothesis: names no file");
  return problems;
}

ProtocolResult run_timeline(const std::string& name, const TimelineProtocol& config) {
  const TimelineFiles files = read_timelines(name, config);
  const Appearances nobody;
  const auto in = [&](const AppearancesOfVideos& timeline, const std::string& video) -> const Appearances& {
    const auto found = timeline.find(video);
    return found == timeline.end() ? nobody : found->second;
  };
  const auto half_collar = std::llround(config.collar / 2 * kMicroseconds);
  auto report = ProtocolResult::of<TimelineProtocol>(name, description_of(config));
  TimelineScore all;
  std::vector<IdentificationErrors> films;
  for (const auto& [video, spans] : files.spans) {
    const TimelineScore score =
        score_video(in(files.reference, video), in(files.hypothesis, video), spans, half_collar);
    report.details["videos"].push_back(video_row(video, score));
    films.push_back(score.errors);
    all += score;
  }
  const NameScore names = all.all_names();
  int64_t people = 0;
  for (const auto& [person, score] : all.names) {
    people += score.reference > 0;
    report.details["people"].push_back(person_row(person, score));
  }
  report.count("videos", std::ssize(files.spans));
  report.count("people", people);
  report.count("appearances", names.reference_appearances);
  report.count("strangers", all.strangers.strangers);
  report.number("hours", static_cast<double>(all.evaluated) / kHour);
  report.number("reference_person_hours", static_cast<double>(all.errors.reference) / kHour);
  report_errors(all.errors, films, report);
  report_names(all, report);
  report_clusters(all.strangers, report);
  return report;
}

std::vector<ProtocolResult> measure(const std::string& name, const TimelineProtocol& config,
                                    EvalContext& /*context*/) {
  return {run_timeline(name, config)};
}

}  // namespace uir
