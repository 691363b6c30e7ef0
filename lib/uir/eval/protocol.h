// What a protocol is: one measurement over embedding sets, in a pair of files of its own (<type>.h and
// <type>.cc) and one line of the list in protocols.h, which is all that the programs know of it. A pair holds
//
//   struct XProtocol {                        its options, and as static members
//     constexpr std::string_view kType;       what configs and reports call it
//     NumberFacts number_facts();             what its numbers mean, and published ones (report/report.h)
//     constexpr bool kSearchesPairs = true;   where its scan (EvalContext) may run on a device
//     constexpr bool kRestartable = true;     where it saves its state when it is asked to stop
//   };
//   void describe(Visitor&, XProtocol&)       the options in words (config/visitor.h)
//   sets_of(config)                           the embedding sets that it reads. They are opened before any
//                                             protocol measures, so that what is missing is found early
//   problems_of(config, sources)              what is wrong between its options, or with the sources that
//                                             they name: a line each, "option: …". Pure, no file is read
//   measure(name, config, context)            its results, called by the config's name, or
//                                             "<name>/<variant>". Reads the sets, and the files that the
//                                             options name; errors are kData for what these hold
//
// The header is seen by all that read configs: it includes no LibTorch, and what it names of search/, report/
// and store/ it only declares.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "uir/config/visitor.h"
#include "uir/eval/known_sources.h"

namespace uir {

class EmbeddingStore;
struct CanonicalVectors;
struct DividedScanOptions;
struct EvalContext;
struct MatrixView;
struct NumberFacts;
struct ProtocolResult;
struct ScanResources;

}  // namespace uir
