// Published numbers to stand beside a user's: each with its source, shown only where protocol and variant are
// the same. A protocol names those of its own (NumberFacts, report.h).
//
// A published number belongs to a benchmark and a variant. Both are found by the beginning of the result's
// name
// (without punctuation, lower-case: "IJB-C/…" is "ijbc"), the words after its '/' (all of the variant's must
// stand there), by the benchmark's counts (a result with other counts is not the benchmark, whatever it is
// called), and by phrases of the protocol in words, for switches. What a source leaves open is said in
// `note`, never guessed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace uir {

struct ProtocolResult;

struct Reference {
  std::string_view model;      // whose numbers: "ArcFace R100, MS1MV2"
  std::string_view source;     // who published them, and where
  std::string_view note;       // what is not known or differs; may be empty
  std::string_view benchmark;  // how the result's name begins; empty: any name (phrases tell it)
  std::vector<std::string_view> variant;
  using Counts = std::vector<std::pair<std::string_view, int64_t>>;
  Counts counts;                          // that the result must have, as far as they are known
  std::vector<std::string_view> phrases;  // that the result's description must hold
  std::vector<std::pair<std::string_view, double>> numbers;

  // Not a number where nothing was published.
  double value_of(std::string_view number) const;
};

// Of the protocol's published numbers (result.facts) those of the result's benchmark and variant that share a
// number with it.
std::vector<const Reference*> references_of(const ProtocolResult& result);

// One line per source: "[1] ArcFace R100, MS1MV2; [2] …: source. note". Numbers are those of the list, from
// 1.
std::vector<std::string> source_lines(const std::vector<const Reference*>& references);

}  // namespace uir
