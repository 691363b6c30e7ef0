#include "uir/report/report.h"

#include <algorithm>
#include <array>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/json_text.h"
#include "uir/report/comparison.h"
#include "uir/report/group_names.h"
#include "uir/report/html_report.h"
#include "uir/report/number_words.h"
#include "uir/report/uncertainty_words.h"

namespace uir {
namespace {

constexpr std::string_view kFormat = "uir-report";
constexpr int kVersion = 2;

Json to_json(const ProtocolResult& result) {
  Json counts = Json::object(), numbers = Json::object(), undefined = Json::object(),
       uncertainty = Json::object();
  for (const auto& [name, count] : result.counts) counts[name] = count;
  for (const Measurement& number : result.numbers) {
    numbers[number.name] = number.defined() ? Json(number.value) : Json();
    if (!number.defined()) undefined[number.name] = number.note;
    if (number.uncertainty) uncertainty[number.name] = to_json(*number.uncertainty);
  }
  Json json{{"name", result.name},        {"type", result.type},       {"description", result.description},
            {"counts", counts},           {"numbers", numbers},        {"undefined", undefined},
            {"uncertainty", uncertainty}, {"remarks", result.remarks}, {"details", result.details}};
  if (result.split_by.empty()) return json;
  json["split_by"] = result.split_by;
  json["groups"] = Json::array();
  for (const ProtocolResult& group : result.groups) json["groups"].push_back(to_json(group));
  return json;
}

// "  name      value", the values in one column.
std::string table_line(std::string_view name, size_t width, const std::string& value) {
  return concat("  ", name, std::string(width + 2 - name.size(), ' '), value, "\n");
}

// "0.975123  [0.96312, 0.98213]", or why there is no interval; says_so: also where the protocol has none.
std::string value_text(const Measurement& number, bool says_so) {
  if (!number.defined()) return concat("undefined: ", number.note);
  std::string text = short_number(number.value, 6);
  if (!number.uncertainty) return says_so ? text + "  (no interval)" : text;
  const Uncertainty& uncertainty = *number.uncertainty;
  if (uncertainty.has_interval())
    text += concat("  [", short_number(uncertainty.low, 5), ", ", short_number(uncertainty.high, 5), "]");
  std::string note = weakness_in_words(uncertainty);
  note += (note.empty() || uncertainty.note.empty() ? "" : "; ") + uncertainty.note;
  if (note.empty()) return text;
  return concat(text, "  (", note, ")");
}

bool has_uncertainty(const ProtocolResult& result) {
  return std::ranges::any_of(result.numbers,
                             [](const Measurement& number) { return number.uncertainty.has_value(); });
}

bool has_weak_number(const ProtocolResult& result) {
  return std::ranges::any_of(result.groups, has_weak_number) ||
         std::ranges::any_of(result.numbers, [](const Measurement& number) {
           return number.defined() && number.uncertainty && is_called_weak(*number.uncertainty);
         });
}

// Those of the whole, and what only groups have.
std::vector<std::string> numbers_of_groups(const ProtocolResult& whole) {
  std::vector<std::string> names;
  for (const Measurement& number : whole.numbers) names.push_back(number.name);
  for (const ProtocolResult& group : whole.groups) {
    for (const Measurement& number : group.numbers) {
      if (std::ranges::count(names, number.name) == 0) names.push_back(number.name);
    }
  }
  return names;
}

// A number after the other, each of all groups: "accuracy  (all)  0.97 …", "          frontal  0.98 …".
std::string groups_text(const ProtocolResult& whole) {
  if (whole.groups.empty()) return "";
  std::vector<std::pair<std::string, const ProtocolResult*>> rows{{std::string(kWholeName), &whole}};
  for (const ProtocolResult& group : whole.groups) rows.emplace_back(group.name, &group);
  const bool says_interval =
      std::ranges::any_of(rows, [](const auto& row) { return has_uncertainty(*row.second); });
  size_t name_width = 0, group_width = 0;
  for (const auto& [group, result] : rows) group_width = std::max(group_width, group.size());
  std::vector<std::array<std::string, 3>> cells;  // number, group, value
  const auto add = [&](std::string& name, const std::string& group, std::string value) {
    name_width = std::max(name_width, name.size());
    cells.push_back({std::exchange(name, ""), group, std::move(value)});
  };
  for (auto [name, n] : whole.groups.front().counts) {
    const std::string count = name;
    for (const auto& [group, result] : rows) add(name, group, concat(result->count_of(count)));
  }
  for (const std::string& number : numbers_of_groups(whole)) {
    std::string name = number;
    for (const auto& [group, result] : rows) {
      const auto found = std::ranges::find(result->numbers, number, &Measurement::name);
      if (found != result->numbers.end()) add(name, group, value_text(*found, says_interval));
    }
  }
  std::string text = concat("  by ", whole.split_by, "\n");
  for (const auto& [name, group, value] : cells) {
    const auto padded = [](const std::string& cell, size_t width) {
      return cell + std::string(width + 2 - cell.size(), ' ');
    };
    text += concat("  ", padded(name, name_width), padded(group, group_width), value, "\n");
  }
  return text;
}

// The headline numbers as sentences.
std::string text_in_words(const ProtocolResult& result) {
  std::string text;
  for (const Measurement& number : result.numbers) {
    const auto words = words_of(number.name, result.facts.meanings);
    if (!words || !number.defined()) continue;
    const NumberMeaning meaning = meaning_of(number.name, result.facts.meanings);
    const Uncertainty* uncertainty = number.uncertainty ? &*number.uncertainty : nullptr;
    const std::string sentence = words->with(value_in_words(number.value, uncertainty, meaning));
    text += wrap(concat(sentence, " (", words->term, ")"), "    ");
  }
  return text.empty() ? text : "  In words:\n" + text;
}

std::string to_text(const ProtocolResult& result) {
  std::string text = concat(heading_of(result.name, result.type), "\n", wrap(result.description, "  "));
  text += text_in_words(result);
  size_t width = 0;
  for (const auto& [name, count] : result.counts) width = std::max(width, name.size());
  for (const Measurement& number : result.numbers) width = std::max(width, number.name.size());
  for (const auto& [name, count] : result.counts) text += table_line(name, width, concat(count));
  const bool any_interval = has_uncertainty(result);
  for (const Measurement& number : result.numbers) {
    text += table_line(number.name, width, value_text(number, any_interval));
  }
  for (const std::string& remark : result.remarks) text += wrap(remark, "  ");
  text += groups_text(result);
  return has_weak_number(result) ? text + wrap(kWeakWords, "  ") : text;
}

}  // namespace

void ProtocolResult::set_uncertainty(std::string_view number, Uncertainty uncertainty) {
  const auto found = std::ranges::find(numbers, number, &Measurement::name);
  ensure(found != numbers.end(), concat("the protocol result has the number '", number, "'"));
  found->uncertainty = std::move(uncertainty);
}

double ProtocolResult::value_of(std::string_view number) const {
  const auto found = std::ranges::find(numbers, number, &Measurement::name);
  ensure(found != numbers.end(), concat("the protocol result has the number '", number, "'"));
  return found->value;
}

int64_t ProtocolResult::count_of(std::string_view what) const {
  const auto found = std::ranges::find(counts, what, &std::pair<std::string, int64_t>::first);
  ensure(found != counts.end(), concat("the protocol result has the count '", what, "'"));
  return found->second;
}

Json to_json(const Report& report) {
  Json models = Json::array();
  for (const ModelReport& model : report.models) {
    Json protocols = Json::array();
    for (const ProtocolResult& result : model.results) protocols.push_back(to_json(result));
    models.push_back({{"name", model.name}, {"sets", model.sets}, {"protocols", protocols}});
  }
  return {{"format", kFormat},
          {"version", kVersion},
          {"models", models},
          {"comparison", to_json(compare(report))}};
}

std::string to_text(const Report& report) {
  std::string text;
  for (const ModelReport& model : report.models) {
    if (report.models.size() > 1) text += concat(text.empty() ? "" : "\n", "== ", model.name, " ==\n");
    for (const ProtocolResult& result : model.results) text += (text.empty() ? "" : "\n") + to_text(result);
  }
  const std::string comparison = to_text(compare(report));
  return comparison.empty() ? text : concat(text, "\n", comparison);
}

void write_report(const fs::path& folder, const Report& report) {
  write_file_atomically(folder / "report.json", json_text(to_json(report), 1) + "\n");
  write_file_atomically(folder / "report.txt", to_text(report));
  write_file_atomically(folder / "report.html", to_html(report));
}

std::string wrap(std::string_view text, std::string_view indent) {
  constexpr size_t kTextWidth = 100;
  std::string lines(indent);
  size_t column = indent.size();
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    if (column > indent.size() && column + 1 + word.size() > kTextWidth) {
      lines += concat("\n", indent);
      column = indent.size();
    }
    if (column > indent.size()) lines += ' ', ++column;
    lines += word;
    column += word.size();
    begin = end + 1;
  }
  return lines + "\n";
}

std::string name_with_rate(std::string_view name, double rate) {
  return concat(name, "_", short_number(rate, 10));
}

}  // namespace uir
