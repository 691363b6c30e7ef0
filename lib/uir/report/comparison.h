// Models side by side: per protocol and number one row, with the differences to the first model, the better
// one, and the published numbers of the same protocol.
//
// Results are matched by name and type (the k-th of a name with the k-th); what one model lacks stays as a
// row without a value. Protocols count as the same only if all their counts agree: otherwise `mismatches`
// says which do not, and no model is marked as better.
// A difference is decided by the same people twice, each model at its own threshold: what both share drops
// out, so its interval is narrower than either model's.
// Cost: the number of models times that of their numbers and people. Errors: none.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/json.h"
#include "uir/report/intervals.h"
#include "uir/report/number_meaning.h"
#include "uir/report/reference.h"
#include "uir/report/report.h"

namespace uir {

// All vectors of a comparison have one entry per model.
struct ComparedNumber {
  std::string name;
  NumberMeaning meaning;
  std::vector<double> values;                     // not a number where undefined
  std::vector<std::string> notes;                 // why it is undefined
  std::vector<const Uncertainty*> uncertainties;  // null: none
  // None where a value is not resolved, all are equal, fewer than two are defined, nothing is better, or a
  // verdict between the best and the first model is "not decided".
  std::vector<bool> best;
  bool same_people = false;  // the models were measured by the same protocol

  // To the first model's; not a number where either is undefined.
  double difference(size_t model) const { return values[model] - values[0]; }
  // Its interval, from what each person adds to both models' numbers; none where either has no interval,
  // where their people differ, or where both models do the same for everybody.
  std::optional<Interval> difference_interval(size_t model) const;
  // "better", "worse" or "not decided"; empty without an interval, or where nothing is better.
  std::string_view verdict(size_t model) const;
};

struct ComparedProtocol {
  std::string name, type;
  NumberFacts facts;
  std::vector<const ProtocolResult*> results;  // null where the model has no such result
  std::vector<std::string> mismatches;         // "genuine_pairs: 3000 (baseline), 2999 (uir)"
  std::vector<ComparedNumber> numbers;
  std::vector<const Reference*> references;
  std::string split_by{};                  // the attribute that the protocol was split by …
  std::vector<ComparedProtocol> groups{};  // … and its groups, by their names; without published numbers
};

struct Comparison {
  std::vector<std::string> models;
  std::vector<ComparedProtocol> protocols;  // in the order in which they first occur
};

// Points into the report, which must outlive it unchanged. All models' results may differ in names and
// number.
Comparison compare(const Report& report);

// Of report.json (docs/protocols.md): values, differences to the first model, those of rates in percentage
// points too; null where not a number.
Json to_json(const Comparison& comparison);
// "lfw (verification)"; the name alone where it is the type's.
std::string heading_of(const std::string& name, const std::string& type);
// Empty where there is nothing to say: one model, and no published numbers.
std::string to_text(const Comparison& comparison);

}  // namespace uir
