// Results of protocols and the report made of them: report.json for programs (schema: docs/protocols.md),
// report.txt and report.html for people. All three end (the page begins) with the models' comparison,
// comparison.h. Nothing here knows of embeddings: a result is words, counts, numbers and details.
//
// Threads: plain values; functions of a const report may run at once. Errors: those of writing files; a
// result that lacks what its reader relies on is kInternal.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/json.h"
#include "uir/report/number_meaning.h"
#include "uir/report/reference.h"
#include "uir/report/uncertainty.h"

namespace uir {

// What a protocol says of its numbers, and of the columns of its details, beside their values. Constants of
// the protocol: they outlive every report.
struct NumberFacts {
  std::span<const NamedMeaning> meanings;
  std::span<const Reference> published;
};

// One measured number. Not a number where the protocol does not define it; `note` then says why.
struct Measurement {
  std::string name;  // "tar_at_far_0.001"
  double value = std::numeric_limits<double>::quiet_NaN();
  std::string note;
  std::optional<Uncertainty> uncertainty{};  // none: the protocol has none for it
  bool defined() const { return !std::isnan(value); }
};

struct ProtocolResult {
  std::string name;         // as the config calls it
  std::string type;         // kType of the protocol's config
  std::string description;  // the protocol in words, with its switches
  std::vector<std::pair<std::string, int64_t>> counts;
  std::vector<Measurement> numbers;
  std::vector<std::string> remarks{};  // what a reader of the numbers should know: a sentence each
  // Curves, histograms, folds: an object. The page draws "roc", "det" (html_curves.h) and "distributions"
  // (html_distributions.h), and shows other lists of flat objects as tables.
  Json details = Json::object();
  NumberFacts facts{};
  // The attribute that the protocol was split by (empty: it was not), and the same result of each group,
  // which has the group's name.
  std::string split_by{};
  std::vector<ProtocolResult> groups{};

  // A result without numbers of a protocol, which is told by its config: kType and number_facts().
  template <class Protocol>
  static ProtocolResult of(std::string name, std::string description = {}) {
    ProtocolResult result;
    result.name = std::move(name);
    result.type = Protocol::kType;
    result.description = std::move(description);
    result.facts = Protocol::number_facts();
    return result;
  }

  void count(std::string what, int64_t n) { counts.emplace_back(std::move(what), n); }
  void number(std::string what, double value) { numbers.push_back({std::move(what), value, {}, {}}); }
  void undefined(std::string what, std::string why) {
    numbers.push_back({std::move(what), std::nan(""), std::move(why), {}});
  }
  // A number, or why it is none.
  void number_or(std::string what, double value, std::string why) {
    std::isnan(value) ? undefined(std::move(what), std::move(why)) : number(std::move(what), value);
  }
  // Of a number that there is (else kInternal).
  void set_uncertainty(std::string_view number, Uncertainty uncertainty);
  // kInternal if there is no such number; not a number if it is undefined.
  double value_of(std::string_view number) const;
  int64_t count_of(std::string_view what) const;  // kInternal if there is no such count
};

// What was measured of one model: of a run, or of another tool's embeddings.
struct ModelReport {
  std::string name;
  Json sets = Json::object();  // what each set was made with: the manifest of its embeddings
  std::vector<ProtocolResult> results;
};

struct Report {
  std::vector<ModelReport> models;  // all measured by the same protocols, in the same order
};

// Format "uir-report", version 2 (docs/protocols.md): every digit of every number; undefined ones are null.
Json to_json(const Report& report);
// Six significant digits; one table per result under its protocol's words.
std::string to_text(const Report& report);
// folder/report.json, report.txt and report.html, each replaced atomically; the folder must be there. kIo
// when one cannot be written. Names that are no UTF-8 stand in JSON and HTML as readable() (base/text.h)
// shows them.
void write_report(const fs::path& folder, const Report& report);

// The words in lines of at most 100 characters that start with `indent`.
std::string wrap(std::string_view text, std::string_view indent);

// "tar_at_far" + 0.001 -> "tar_at_far_0.001": names of numbers that belong to a rate.
std::string name_with_rate(std::string_view name, double rate);

}  // namespace uir
