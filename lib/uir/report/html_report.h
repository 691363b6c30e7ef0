// The report as one HTML page for people: the comparison of the models, then every protocol with its words,
// counts, numbers, curves and tables.
//
// The page stands alone: style sheet, drawings and a small script are inside, it loads nothing and works
// without the script (which shows the values of the nearest point of a curve). It is well-formed XML too.
// Numbers stand in <data value="…"> as in report.json. All names are escaped. The same report gives the same
// bytes.
//
// Shape: header with a card per model (html_models.h), contents, one table of all numbers (html_numbers.h), a
// section per protocol (html_protocol.h) with curves and distributions.
// Errors: none for any names and details; details that are not of a known shape are left out.
#pragma once

#include <string>

#include "uir/report/report.h"

namespace uir {

// The whole document, UTF-8.
std::string to_html(const Report& report);

}  // namespace uir
