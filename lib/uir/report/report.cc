#include "uir/report/report.h"

#include <algorithm>

#include "uir/base/error.h"
#include "uir/base/json_text.h"
#include "uir/report/comparison.h"
#include "uir/report/html_report.h"

namespace uir {
namespace {

constexpr std::string_view kFormat = "uir-report";
constexpr int kVersion = 2;

Json to_json(const ProtocolResult& result) {
  Json counts = Json::object(), numbers = Json::object(), undefined = Json::object();
  for (const auto& [name, count] : result.counts) counts[name] = count;
  for (const Measurement& number : result.numbers) {
    numbers[number.name] = number.defined() ? Json(number.value) : Json();
    if (!number.defined()) undefined[number.name] = number.note;
  }
  return {{"name", result.name},      {"type", result.type}, {"description", result.description},
          {"counts", counts},         {"numbers", numbers},  {"undefined", undefined},
          {"details", result.details}};
}

// "  name      value", the values in one column.
std::string table_line(std::string_view name, size_t width, const std::string& value) {
  return concat("  ", name, std::string(width + 2 - name.size(), ' '), value, "\n");
}

std::string to_text(const ProtocolResult& result) {
  std::string text = concat(result.name, " (", result.type, ")\n", wrap(result.description, "  "));
  size_t width = 0;
  for (const auto& [name, count] : result.counts) width = std::max(width, name.size());
  for (const Measurement& number : result.numbers) width = std::max(width, number.name.size());
  for (const auto& [name, count] : result.counts) text += table_line(name, width, concat(count));
  for (const Measurement& number : result.numbers) {
    const std::string value =
        number.defined() ? short_number(number.value, 6) : concat("undefined: ", number.note);
    text += table_line(number.name, width, value);
  }
  return text;
}

}  // namespace

double ProtocolResult::value_of(std::string_view number) const {
  const auto found = std::ranges::find(numbers, number, &Measurement::name);
  ensure(found != numbers.end(), concat("the protocol result has the number '", number, "'"));
  return found->value;
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
