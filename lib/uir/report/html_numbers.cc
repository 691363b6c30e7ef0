#include "uir/report/html_numbers.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "uir/report/html_parts.h"
#include "uir/report/number_meaning.h"
#include "uir/report/uncertainty_words.h"

namespace uir {
namespace {

// Beneath the value: its interval, or why there is none.
void write_interval(const ComparedNumber& number, size_t model, Markup& page) {
  const Uncertainty* uncertainty = number.uncertainties[model];
  if (!uncertainty) return;
  std::string text = uncertainty->has_interval()
                         ? format_interval(uncertainty->low, uncertainty->high, number.meaning)
                         : std::string(to_string(uncertainty->resolution));
  const std::string weakness = weakness_in_words(*uncertainty);
  if (!weakness.empty()) text += ", " + weakness;
  const bool none = number.values[model] == 0 && uncertainty->impostor_events == 0;
  if (none && uncertainty->has_interval())
    text = "at most " + format_number(uncertainty->high, number.meaning);
  page.element("span",
               {{"class", weakness.empty() && !none ? "interval" : "interval weak"},
                {"title", evidence_in_words(*uncertainty)}},
               text);
}

}  // namespace

void write_type(const ComparedProtocol& protocol, Markup& page) {
  if (protocol.type != protocol.name) page.element("span", {{"class", "quiet"}}, " " + protocol.type);
}

bool has_weak_number(const ComparedProtocol& protocol) {
  return std::ranges::any_of(protocol.numbers, [](const ComparedNumber& number) {
    return std::ranges::any_of(number.uncertainties,
                               [](const Uncertainty* u) { return u && is_called_weak(*u); });
  });
}

void write_weak_words(Markup& page) { page.element("p", {{"class", "quiet"}}, kWeakWords); }

void write_model_heading(std::string_view name, size_t style, Markup& page) {
  const Element cell(page, "th", {{"scope", "col"}});
  write_legend(style, name, page);
}

void write_number_heading(std::string_view name, Markup& page) {
  const Element cell(page, "th", {{"scope", "row"}});
  write_breakable(name, page);
}

void write_value_cell(const ComparedNumber& number, size_t model, Markup& page) {
  const double value = number.values[model];
  if (std::isnan(value)) {
    page.element("td", {{"class", "none"}, {"title", number.notes[model]}}, "undefined");
    return;
  }
  number.best[model] ? page.open("td", {{"class", "best"}}) : page.open("td");
  page.element("data", {{"value", exact_text(value)}}, format_number(value, number.meaning));
  write_interval(number, model, page);
  page.close();
}

void write_difference_cell(const ComparedNumber& number, size_t model, Markup& page) {
  const double difference = number.difference(model);
  const Element cell(page, "td", {{"class", "d"}});
  if (std::isnan(difference)) return;
  page.element("data", {{"value", exact_text(difference)}}, format_difference(difference, number.meaning));
  const std::optional<Interval> interval = number.difference_interval(model);
  if (!interval) return;
  const double unit = number.meaning.rate ? 100 : 1;
  page.element("span", {{"class", "interval"}},
               concat(signed_number(unit * interval->low), " to ", signed_number(unit * interval->high)));
  const std::string_view verdict = number.verdict(model);
  if (!verdict.empty()) page.element("span", {{"class", "interval"}}, verdict);
}

}  // namespace uir
