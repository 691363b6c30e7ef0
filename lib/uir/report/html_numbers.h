// Cells of the tables of numbers on the report's page: headings of models and numbers, measured values,
// differences. Values stand in <data value="…"> as in report.json.
#pragma once

#include <cstddef>
#include <string_view>

#include "uir/report/comparison.h"
#include "uir/report/markup.h"

namespace uir {

// Behind a protocol's name its type, where that is another word.
void write_type(const ComparedProtocol& protocol, Markup& page);
// Whether a cell of these numbers is called weak or not resolved, and what the words mean, beneath a table.
bool has_weak_number(const ComparedProtocol& protocol);
void write_weak_words(Markup& page);
// A column's heading: the model's name beside the style of its lines (its place among the models).
void write_model_heading(std::string_view name, size_t style, Markup& page);
// A row's heading.
void write_number_heading(std::string_view name, Markup& page);
// The value of a model, marked where it is the best; "undefined", and why, where it is not a number.
void write_value_cell(const ComparedNumber& number, size_t model, Markup& page);
// The difference to the first model; empty where either is undefined.
void write_difference_cell(const ComparedNumber& number, size_t model, Markup& page);

}  // namespace uir
