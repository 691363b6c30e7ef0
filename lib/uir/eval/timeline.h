// Who appears when in videos: a timeline of anybody against a reference. What the labels mean stands in
// eval/appearances.h; the figures are defined in docs/protocols.md ("timeline"), by the counts of
// eval/timeline_score.h. Over all videos counts are summed up first, and figures made of the sums.
//
// No embeddings are read: the lists are the whole input, and every model of the report has the same figures.
// Units: seconds and hours in figures, microseconds within. Exact: all counts are whole numbers.
// Cost: that of eval/timeline_score.h; the lists in memory. Threads: one.
// Errors (kData): those of the lists; a reference and a hypothesis that have no video in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "uir/config/visitor.h"
#include "uir/eval/protocol.h"

namespace uir {

struct TimelineScore;

// Who appears when: identification error rate, seconds and appearances per person, false names, clusters.
struct TimelineProtocol {
  static constexpr std::string_view kType = "timeline";
  static NumberFacts number_facts();
  std::vector<DataPath> reference;
  std::vector<ConfigPath> hypothesis;
  DataPath spans;
  double collar = 0;
};
template <class Visitor>
void describe(Visitor& v, TimelineProtocol& c) {
  v.field("reference", c.reference,
          "Who really appears when: CSV files with the columns video, start, end (in seconds) and person, ? "
          "for somebody who is in no gallery (docs/formats.md).",
          Required{});
  v.field("hypothesis", c.hypothesis,
          "The timeline that is measured, of any tool: CSV files with the same columns.", Required{});
  v.field(
      "spans", c.spans,
      "What of the videos is annotated; nothing else is measured: a CSV file with the columns video, start "
      "and end, or a NIST UEM file (.uem). Empty: of each video from the first start to the last end in "
      "either timeline.");
  v.field("collar", c.collar,
          "Seconds around each start and end of the reference, half of them on either side, that the "
          "identification error rate leaves out.",
          Between{0, 3600});
}

std::vector<std::string> sets_of(const TimelineProtocol& config);
std::vector<std::string> problems_of(const TimelineProtocol& config, const KnownSources& sources);
std::vector<ProtocolResult> measure(const std::string& name, const TimelineProtocol& config,
                                    EvalContext& context);

// What the protocol measures of its files.
ProtocolResult run_timeline(const std::string& name, const TimelineProtocol& config);

}  // namespace uir
