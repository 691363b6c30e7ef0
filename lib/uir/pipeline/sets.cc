#include "uir/pipeline/sets.h"

#include "uir/data/bin_set.h"

namespace uir {

PairList protocol_pairs(const Experiment& experiment, const VerificationProtocol& protocol,
                        std::span<const std::string_view> items) {
  if (!protocol.pairs.empty()) return read_pairs(protocol.pairs.value, items);
  for (const SourceConfig& source : experiment.data.sources) {
    if (source.name != protocol.set) continue;
    const BinSet set(std::get<BinSource>(source.kind).file.value);
    if (set.num_images() != static_cast<int64_t>(items.size())) {
      fail(ErrorKind::kData, "set ", protocol.set, ": ", items.size(), " embeddings, but the .bin holds ",
           set.num_pairs(), " pairs of two images (bad images cannot be left out of it)");
    }
    return pairs_of_consecutive_rows({set.is_same().begin(), set.is_same().end()});
  }
  fail(ErrorKind::kConfig, "protocol over set ", protocol.set,
       ": no pairs list, and the set is no .bin source");
}

}  // namespace uir
