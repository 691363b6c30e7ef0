#include "uir/pipeline/sets.h"

#include "uir/formats/bin_set.h"

namespace uir {

namespace {

PairList pairs_of_bin(const fs::path& bin, const std::string& set_name, size_t rows) {
  const BinSet set(bin);
  if (set.num_images() != static_cast<int64_t>(rows)) {
    fail(ErrorKind::kData, "set ", set_name, ": ", rows, " embeddings, but ", bin.string(), " holds ",
         set.num_pairs(), " pairs of two images (bad images cannot be left out of it)");
  }
  return pairs_of_consecutive_rows({set.is_same().begin(), set.is_same().end()});
}

PairList given_pairs(const Experiment& experiment, const VerificationProtocol& protocol,
                     std::span<const std::string_view> items) {
  if (!protocol.pairs.empty()) return read_pairs(protocol.pairs.value, protocol.format, items);
  if (!protocol.bin.empty()) return pairs_of_bin(protocol.bin.value, protocol.set, items.size());
  for (const SourceConfig& source : experiment.data.sources) {
    const auto* bin = std::get_if<BinSource>(&source.kind);
    if (source.name == protocol.set && bin) return pairs_of_bin(bin->file.value, protocol.set, items.size());
  }
  fail(ErrorKind::kConfig, "protocol over set ", protocol.set,
       ": neither pairs nor bin is given, and the set is no .bin source");
}

}  // namespace

PairList protocol_pairs(const Experiment& experiment, const VerificationProtocol& protocol,
                        std::span<const std::string_view> items) {
  PairList pairs = given_pairs(experiment, protocol, items);
  const auto found = static_cast<int64_t>(pairs.pairs.size());
  if (protocol.num_pairs > 0 && found != protocol.num_pairs) {
    fail(ErrorKind::kData, "set ", protocol.set, ": ", found, " pairs, expected ", protocol.num_pairs,
         " (num_pairs); the list or the .bin is not whole, or is another");
  }
  return pairs;
}

}  // namespace uir
