#include "uir/report/html_numbers.h"

#include <cmath>

#include "uir/report/html_parts.h"
#include "uir/report/number_meaning.h"

namespace uir {

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
  page.close();
}

void write_difference_cell(const ComparedNumber& number, size_t model, Markup& page) {
  const double difference = number.difference(model);
  const Element cell(page, "td", {{"class", "d"}});
  if (std::isnan(difference)) return;
  page.element("data", {{"value", exact_text(difference)}}, format_difference(difference, number.meaning));
}

}  // namespace uir
