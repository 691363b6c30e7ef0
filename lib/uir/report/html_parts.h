// Pieces that the report's page (html_report.h) is put together from: numbers, names of models, tables of
// records. Everything is written to the end of the page; all text is escaped.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/json.h"
#include "uir/report/markup.h"
#include "uir/report/number_meaning.h"

namespace uir {

// As in report.json: the shortest text that reads back exactly.
std::string exact_text(double value);
// Infinite values are null in a report that was read from a file: not a number.
double number_of(const Json& json);
std::string grouped(int64_t count);    // "12,345"
std::string spaced(std::string name);  // "val_far" -> "val far"

// A name that may be broken after its underscores.
void write_breakable(std::string_view name, Markup& page);
// The name behind a piece of its line's style.
void write_legend(size_t style, std::string_view name, Markup& page);

// The page's head: title, style sheet, and a policy that forbids to load anything but what `also_allowed`
// names. refresh_s: after so many seconds the page loads itself anew; 0: never.
void write_head(const std::string& title, const std::string& also_allowed, Markup& page, int refresh_s = 0);
// Its style sheet alone, for a page with a head of its own.
void write_style(Markup& page);
// A whole page with nothing but a title and what `body` writes into its main part.
std::string plain_page(const std::string& title, const std::function<void(Markup&)>& body);
// The page's script, at the end of its body.
void write_script(Markup& page);

// For the page's script, inside an element with the attribute data-curves, before its figures: what it shows
// of the point under the pointer. One name and one text "x,y,…;x,y,…" per line of the drawing.
void write_curve_data(const std::vector<std::string>& columns, const std::vector<std::string>& names,
                      const std::vector<std::string>& points, Markup& page);

// A path relative to the page as its links name it (RFC 3986).
std::string link_to(std::string_view path);
// A picture in a file beside the page.
void write_picture(const std::string& file, Markup& page);
// Bytes as text, for pictures inside the page (RFC 4648).
std::string base64(Bytes bytes);

// Flat objects with their names.
using Records = std::vector<std::pair<std::string, Json>>;
// What can be shown as a table: a list of flat objects, or the flat objects among an object's members.
Records records_of(const Json& json);
// One row per record, up to a hundred; `what` names them where there are more, `meanings` tells of columns
// that hold rates.
void write_records(const std::string& what, const Records& records, std::span<const NamedMeaning> meanings,
                   Markup& page);

}  // namespace uir
