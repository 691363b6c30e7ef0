// The list of all protocols, and what a program does with one: it holds its options, asks what they need, and
// measures. Who adds a protocol adds its header and its line in the list; nothing else names it
// (docs/architecture.md).
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "uir/eval/all_pairs.h"
#include "uir/eval/ijb_identification.h"
#include "uir/eval/ijb_verification.h"
#include "uir/eval/megaface.h"
#include "uir/eval/open_set.h"
#include "uir/eval/rejection.h"
#include "uir/eval/separation.h"
#include "uir/eval/timeline.h"
#include "uir/eval/trillion_pairs.h"
#include "uir/eval/verification.h"
#include "uir/eval/video_retrieval.h"
#include "uir/eval/video_verification.h"

namespace uir {

class EmbeddingSets;

// In the order of docs/config.md.
using AnyProtocol = std::variant<VerificationProtocol, AllPairsProtocol, OpenSetProtocol, SeparationProtocol,
                                 RejectionProtocol, MegaFaceProtocol, TrillionPairsProtocol,
                                 VideoVerificationProtocol, VideoRetrievalProtocol, IjbVerificationProtocol,
                                 IjbIdentificationProtocol, TimelineProtocol>;

struct ProtocolConfig {
  std::string name;
  AnyProtocol kind;
};
template <class Visitor>
void describe(Visitor& v, ProtocolConfig& c) {
  v.field("name", c.name, "Name in reports.", Required{});
  v.variant("type", c.kind, "What is measured.");
}

// What protocol.h says of each protocol, of the one that is chosen.
std::vector<std::string> problems_of(const ProtocolConfig& config, const KnownSources& sources);
bool searches_pairs(const ProtocolConfig& config);
bool is_restartable(const ProtocolConfig& config);

// Errors of both say "protocol <name>" in front.
// Opens the sets that the protocol reads, so that what is missing or broken is found before anything is
// measured.
void check_sets(const ProtocolConfig& config, EmbeddingSets& sets);
std::vector<ProtocolResult> measure(const ProtocolConfig& config, EvalContext& context);

}  // namespace uir
