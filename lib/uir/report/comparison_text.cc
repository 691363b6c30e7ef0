// comparison.h in words: tables for report.txt.
#include <algorithm>
#include <cmath>
#include <string_view>

#include "uir/base/error.h"
#include "uir/report/comparison.h"

namespace uir {
namespace {

std::string pad_left(const std::string& text, size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}
std::string pad_right(const std::string& text, size_t width) {
  return text + std::string(width - std::min(width, text.size()), ' ');
}

// Rows of cells: the first column to the left, all others to the right.
std::string text_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = "  ";
    for (size_t c = 0; c < row.size(); ++c) {
      line += c == 0 ? pad_right(row[c], widths[c]) : "  " + pad_left(row[c], widths[c]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

// "+0.317 pp [+0.05, +0.58] better"
std::string difference_text(const ComparedNumber& number, size_t model) {
  std::string text = format_difference(number.difference(model), number.meaning);
  const std::optional<Interval> interval = number.difference_interval(model);
  if (!interval) return text;
  const double unit = number.meaning.rate ? 100 : 1;
  text += concat(" [", signed_number(unit * interval->low), ", ", signed_number(unit * interval->high), "]");
  const std::string_view verdict = number.verdict(model);
  return verdict.empty() ? text : concat(text, " ", verdict);
}

// The models' values, and from the second model on the difference to the first.
std::string models_table(const Comparison& comparison, const ComparedProtocol& protocol) {
  std::vector<std::vector<std::string>> rows(1);
  rows[0].push_back("");
  for (size_t m = 0; m < comparison.models.size(); ++m) {
    rows[0].push_back(comparison.models[m] + " ");
    if (m > 0) rows[0].push_back("difference");
  }
  for (const ComparedNumber& number : protocol.numbers) {
    std::vector<std::string>& row = rows.emplace_back(1, number.name);
    for (size_t m = 0; m < number.values.size(); ++m) {
      row.push_back(format_number(number.values[m], number.meaning) + (number.best[m] ? "*" : " "));
      if (m > 0) row.push_back(difference_text(number, m));
    }
  }
  return text_table(rows);
}

// Beside the model where there is one; of several, the table above has the values.
std::string references_table(const Comparison& comparison, const ComparedProtocol& protocol) {
  const bool alone = comparison.models.size() == 1;
  std::vector<std::vector<std::string>> rows(1);
  rows[0].push_back("published");
  if (alone) rows[0].push_back(comparison.models[0]);
  for (size_t r = 0; r < protocol.references.size(); ++r) {
    rows[0].push_back(concat("[", r + 1, "]"));
  }
  for (const ComparedNumber& number : protocol.numbers) {
    std::vector<std::string> row(1, number.name);
    if (alone) row.push_back(format_number(number.values[0], number.meaning));
    bool any = false;
    for (const Reference* reference : protocol.references) {
      const double value = reference->value_of(number.name);
      any |= !std::isnan(value);
      row.push_back(std::isnan(value) ? "" : format_published(value, number.meaning));
    }
    if (any) rows.push_back(std::move(row));
  }
  std::string text = text_table(rows);
  for (const std::string& line : source_lines(protocol.references)) text += wrap(line, "  ");
  return text;
}

std::string to_text(const Comparison& comparison, const ComparedProtocol& protocol) {
  std::string text = concat("\n", heading_of(protocol.name, protocol.type), "\n");
  for (const std::string& mismatch : protocol.mismatches) {
    text += concat("  NOT THE SAME PROTOCOL: ", mismatch, "\n");
  }
  if (comparison.models.size() > 1) {
    text += models_table(comparison, protocol);
    for (const ComparedProtocol& group : protocol.groups)
      text += concat("  ", protocol.split_by, ": ", group.name, "\n", models_table(comparison, group));
  }
  if (!protocol.references.empty()) text += references_table(comparison, protocol);
  return text;
}

bool has_intervals(const Comparison& comparison) {
  for (const ComparedProtocol& protocol : comparison.protocols) {
    for (const ComparedNumber& number : protocol.numbers) {
      for (size_t m = 1; m < number.values.size(); ++m) {
        if (number.difference_interval(m)) return true;
      }
    }
  }
  return false;
}

}  // namespace

std::string heading_of(const std::string& name, const std::string& type) {
  return name == type ? name : concat(name, " (", type, ")");
}

std::string to_text(const Comparison& comparison) {
  const bool several = comparison.models.size() > 1;
  std::string text;
  for (const ComparedProtocol& protocol : comparison.protocols) {
    if (several || !protocol.references.empty()) text += to_text(comparison, protocol);
  }
  if (text.empty()) return text;
  const std::string intervals =
      has_intervals(comparison) ? " [interval of the difference] and what it decides." : "";
  const std::string heading =
      several ? concat("== comparison ==\nDifferences are to ", comparison.models[0],
                       ", of rates in percentage points (pp). *: the best model.", intervals, "\n")
              : "== published numbers of the same protocols ==\n";
  return heading + text;
}

}  // namespace uir
