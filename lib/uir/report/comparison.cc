#include "uir/report/comparison.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "uir/base/error.h"

namespace uir {
namespace {

constexpr std::string_view kNotDecided = "not decided";

// The results of all models; results[m] is null where model m lacks one.
std::vector<ComparedProtocol> match_protocols(const std::vector<std::span<const ProtocolResult>>& models) {
  std::vector<ComparedProtocol> protocols;
  for (size_t m = 0; m < models.size(); ++m) {
    for (const ProtocolResult& result : models[m]) {
      const auto free_slot = [&](const ComparedProtocol& p) {
        return p.name == result.name && p.type == result.type && !p.results[m];
      };
      auto found = std::ranges::find_if(protocols, free_slot);
      if (found == protocols.end()) {
        protocols.push_back({result.name, result.type, result.facts, {}, {}, {}, {}, result.split_by});
        found = std::prev(protocols.end());
        found->results.resize(models.size());
      }
      found->results[m] = &result;
    }
  }
  return protocols;
}

// "3000 (a, b), 2999 (c)"; empty where all models that have the protocol say the same.
template <class Describe>
std::string disagreement(const Comparison& comparison, const ComparedProtocol& protocol,
                         Describe&& describe) {
  std::vector<std::pair<std::string, std::string>> said;  // what, and by which models
  for (size_t m = 0; m < protocol.results.size(); ++m) {
    if (!protocol.results[m]) continue;
    const std::string text = describe(*protocol.results[m]);
    const auto known = std::ranges::find(said, text, &std::pair<std::string, std::string>::first);
    if (known == said.end()) {
      said.emplace_back(text, comparison.models[m]);
    } else {
      known->second += ", " + comparison.models[m];
    }
  }
  std::string all;
  for (const auto& [text, models] : said) all += concat(all.empty() ? "" : ", ", text, " (", models, ")");
  return said.size() > 1 ? all : "";
}

std::string count_text(const ProtocolResult& result, const std::string& name) {
  const auto found = std::ranges::find(result.counts, name, &std::pair<std::string, int64_t>::first);
  return found == result.counts.end() ? "none" : std::to_string(found->second);
}

// The names in the order in which they first occur in any model's `list`.
template <class List, class Name>
std::vector<std::string> names_of_all(const ComparedProtocol& protocol, List list, Name name) {
  std::vector<std::string> names;
  for (const ProtocolResult* result : protocol.results) {
    if (!result) continue;
    for (const auto& entry : result->*list) {
      if (std::ranges::count(names, entry.*name) == 0) names.push_back(entry.*name);
    }
  }
  return names;
}

std::vector<std::string> find_mismatches(const Comparison& comparison, const ComparedProtocol& protocol) {
  std::vector<std::string> mismatches;
  for (const std::string& count :
       names_of_all(protocol, &ProtocolResult::counts, &std::pair<std::string, int64_t>::first)) {
    const std::string counts =
        disagreement(comparison, protocol, [&](const ProtocolResult& r) { return count_text(r, count); });
    if (!counts.empty()) mismatches.push_back(concat(count, ": ", counts));
  }
  // Equal counts under other words are another protocol too (mirrored images, a threshold's rule).
  if (mismatches.empty() &&
      !disagreement(comparison, protocol, [](const ProtocolResult& r) { return r.description; }).empty()) {
    mismatches.push_back("the protocols in words differ");
  }
  return mismatches;
}

void mark_best(ComparedNumber& number) {
  std::vector<double> defined;
  std::ranges::copy_if(number.values, std::back_inserter(defined), [](double v) { return !std::isnan(v); });
  const bool resolved = std::ranges::none_of(number.uncertainties, [](const Uncertainty* uncertainty) {
    return uncertainty && uncertainty->resolution == Resolution::kNotResolved;
  });
  if (number.meaning.better == Better::kNone || defined.size() < 2 || !resolved) return;
  const auto [low, high] = std::ranges::minmax(defined);
  if (low == high) return;
  const double best = number.meaning.better == Better::kHigher ? high : low;
  for (size_t m = 0; m < number.values.size(); ++m) number.best[m] = number.values[m] == best;
  for (size_t m = 1; m < number.values.size(); ++m) {
    if (number.best[m] == number.best[0] || number.verdict(m) != kNotDecided) continue;
    number.best.assign(number.values.size(), false);
    return;
  }
}

ComparedNumber compare_number(const ComparedProtocol& protocol, const std::string& name) {
  const size_t models = protocol.results.size();
  ComparedNumber number{name,
                        meaning_of(name, protocol.facts.meanings),
                        std::vector<double>(models, std::nan("")),
                        std::vector<std::string>(models),
                        std::vector<const Uncertainty*>(models),
                        std::vector<bool>(models)};
  for (size_t m = 0; m < models; ++m) {
    if (!protocol.results[m]) {
      number.notes[m] = "the protocol was not measured";
      continue;
    }
    const auto& measured = protocol.results[m]->numbers;
    const auto found = std::ranges::find(measured, name, &Measurement::name);
    if (found == measured.end()) {
      number.notes[m] = "not measured";
    } else {
      number.values[m] = found->value;
      number.notes[m] = found->note;
      if (found->uncertainty) number.uncertainties[m] = &*found->uncertainty;
    }
  }
  number.same_people = protocol.mismatches.empty();
  if (number.same_people) mark_best(number);
  return number;
}

// Those of the first model's result: the others have the same protocol, or the comparison says that they have
// not.
std::vector<const Reference*> find_references(const ComparedProtocol& protocol) {
  for (const ProtocolResult* result : protocol.results) {
    if (result) return references_of(*result);
  }
  return {};
}

void compare_results(const Comparison& comparison, ComparedProtocol& protocol) {
  if (protocol.mismatches.empty()) protocol.mismatches = find_mismatches(comparison, protocol);
  for (const std::string& name : names_of_all(protocol, &ProtocolResult::numbers, &Measurement::name))
    protocol.numbers.push_back(compare_number(protocol, name));
}

// What is not the same in the whole is not in its groups.
void compare_groups(const Comparison& comparison, ComparedProtocol& whole) {
  std::vector<std::span<const ProtocolResult>> groups;
  for (const ProtocolResult* result : whole.results)
    groups.push_back(result ? std::span<const ProtocolResult>(result->groups)
                            : std::span<const ProtocolResult>());
  whole.groups = match_protocols(groups);
  for (ComparedProtocol& group : whole.groups) {
    group.mismatches = whole.mismatches;
    compare_results(comparison, group);
  }
}

Json number_or_null(double value) { return std::isnan(value) ? Json() : Json(value); }

Json to_json(const ComparedNumber& number) {
  Json values = Json::array(), differences = Json::array(), points = Json::array(), intervals = Json::array(),
       verdicts = Json::array();
  for (size_t m = 0; m < number.values.size(); ++m) {
    values.push_back(number_or_null(number.values[m]));
    differences.push_back(number_or_null(number.difference(m)));
    points.push_back(number_or_null(100 * number.difference(m)));
    const std::optional<Interval> interval = number.difference_interval(m);
    intervals.push_back(interval ? Json{interval->low, interval->high} : Json());
    verdicts.push_back(number.verdict(m));
  }
  Json json{
      {"name", number.name},        {"better", to_string(number.meaning.better)}, {"values", values},
      {"differences", differences}, {"difference_intervals", intervals},          {"verdicts", verdicts},
      {"best", number.best}};
  if (number.meaning.rate) json["percentage_points"] = points;
  return json;
}

Json to_json(const Reference& reference, const ComparedProtocol& protocol) {
  Json numbers = Json::object();
  for (const ComparedNumber& number : protocol.numbers) {
    const double value = reference.value_of(number.name);
    if (!std::isnan(value)) numbers[number.name] = value;
  }
  return {{"model", reference.model},
          {"source", reference.source},
          {"note", reference.note},
          {"numbers", numbers}};
}

Json to_json(const ComparedProtocol& protocol) {
  Json numbers = Json::array(), references = Json::array();
  for (const ComparedNumber& number : protocol.numbers) numbers.push_back(to_json(number));
  for (const Reference* reference : protocol.references) references.push_back(to_json(*reference, protocol));
  Json json{{"name", protocol.name},
            {"type", protocol.type},
            {"same_protocol", protocol.mismatches.empty()},
            {"mismatches", protocol.mismatches},
            {"numbers", numbers},
            {"published", references}};
  if (protocol.groups.empty()) return json;
  json["split_by"] = protocol.split_by;
  for (const ComparedProtocol& group : protocol.groups) json["groups"].push_back(to_json(group));
  return json;
}

}  // namespace

std::optional<Interval> ComparedNumber::difference_interval(size_t model) const {
  const Uncertainty *first = uncertainties[0], *other = uncertainties[model];
  if (!same_people || !first || !first->has_interval() || !other || !other->has_interval()) return {};
  if (first->influences.size() != other->influences.size()) return {};
  std::optional<Variance> sum;
  for (size_t group = 0; group < first->influences.size(); ++group) {
    std::vector<double> differences = other->influences[group];
    const std::vector<double>& of_first = first->influences[group];
    if (differences.size() != of_first.size()) return {};
    for (size_t i = 0; i < differences.size(); ++i) differences[i] -= of_first[i];
    const std::optional<Variance> variance = variance_of(std::move(differences));
    if (!variance) return {};
    sum = sum ? sum_of(*sum, *variance) : *variance;
  }
  if (!sum || sum->value == 0) return {};  // nobody differs: that is no certainty
  return interval_of_mean(difference(model), *sum);
}

std::string_view ComparedNumber::verdict(size_t model) const {
  const std::optional<Interval> interval = difference_interval(model);
  if (!interval || meaning.better == Better::kNone) return "";
  if (interval->low <= 0 && interval->high >= 0) return kNotDecided;
  return (interval->low > 0) == (meaning.better == Better::kHigher) ? "better" : "worse";
}

Comparison compare(const Report& report) {
  Comparison comparison;
  std::vector<std::span<const ProtocolResult>> results;
  for (const ModelReport& model : report.models) {
    comparison.models.push_back(model.name);
    results.emplace_back(model.results);
  }
  comparison.protocols = match_protocols(results);
  for (ComparedProtocol& protocol : comparison.protocols) {
    compare_results(comparison, protocol);
    protocol.references = find_references(protocol);
    compare_groups(comparison, protocol);
  }
  return comparison;
}

Json to_json(const Comparison& comparison) {
  Json protocols = Json::array();
  for (const ComparedProtocol& protocol : comparison.protocols) protocols.push_back(to_json(protocol));
  return {{"models", comparison.models}, {"protocols", protocols}};
}

}  // namespace uir
