#include "uir/report/html_parts.h"

#include <algorithm>
#include <cmath>

#include "uir/base/error.h"
#include "uir/base/json_text.h"
#include "uir/base/quoting.h"
#include "uir/report/html_assets.h"
#include "uir/report/svg_plot.h"

namespace uir {
namespace {

constexpr size_t kMostRows = 100;  // of a table of details; all stand in report.json

bool is_flat(const Json& json) {
  return json.is_object() && !json.empty() &&
         std::ranges::none_of(json, [](const Json& value) { return value.is_structured(); });
}

// In the order in which records first name them.
std::vector<std::string> columns_of(const Records& records) {
  std::vector<std::string> columns;
  for (const auto& [name, record] : records) {
    for (const auto& [key, value] : record.items()) {
      if (std::ranges::count(columns, key) == 0) columns.push_back(key);
    }
  }
  return columns;
}

void write_cell(const Json& value, const NumberMeaning& meaning, Markup& page) {
  const Element cell(page, "td");
  if (value.is_number_integer()) {
    page.element("data", {{"value", json_text(value)}}, grouped(value.get<int64_t>()));
  } else if (value.is_number() && std::isfinite(value.get<double>())) {
    page.element("data", {{"value", exact_text(value.get<double>())}},
                 format_number(value.get<double>(), meaning));
  } else {
    page.text(value.is_string() ? value.get<std::string>() : value.is_boolean() ? json_text(value) : "—");
  }
}

void write_row(const std::string& name, const Json& record, const std::vector<std::string>& columns,
               std::span<const NamedMeaning> meanings, Markup& page) {
  const Element row(page, "tr");
  page.element("th", {{"scope", "row"}}, name);
  for (const std::string& column : columns) {
    write_cell(record.value(column, Json()), meaning_of(column, meanings), page);
  }
}

// Nothing in it may end the script element or be markup.
std::string escape_for_script(std::string json) {
  for (const auto& [character, escape] : {std::pair{"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}}) {
    for (size_t at = 0; (at = json.find(character, at)) != std::string::npos; at += 6)
      json.replace(at, 1, escape);
  }
  return json;
}

}  // namespace

std::string exact_text(double value) { return Json(value).dump(); }

double number_of(const Json& json) { return json.is_number() ? json.get<double>() : std::nan(""); }

std::string grouped(int64_t count) {
  std::string digits = std::to_string(count);
  for (int at = static_cast<int>(digits.size()) - 3; at > (count < 0 ? 1 : 0); at -= 3)
    digits.insert(at, ",");
  return digits;
}

std::string spaced(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

void write_breakable(std::string_view name, Markup& page) {
  while (!name.empty()) {
    const size_t end = std::min(name.find('_'), name.size() - 1) + 1;
    page.text(name.substr(0, end));
    name.remove_prefix(end);
    if (!name.empty()) page.element("wbr");
  }
}

void write_legend(size_t style, std::string_view name, Markup& page) {
  const Element whole(page, "span", {{"class", "legend"}});
  draw_line_sample(style, page);
  const Element text(page, "span");
  write_breakable(name, page);
}

void write_head(const std::string& title, const std::string& also_allowed, Markup& page, int refresh_s) {
  const Element head(page, "head");
  page.element("meta", {{"charset", "utf-8"}});
  page.element("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  page.element("meta", {{"http-equiv", "Content-Security-Policy"},
                        {"content", "default-src 'none'; " + also_allowed +
                                        "style-src 'unsafe-inline'; script-src 'unsafe-inline'"}});
  if (refresh_s > 0) page.element("meta", {{"http-equiv", "refresh"}, {"content", concat(refresh_s)}});
  page.element("title", {}, title);
  write_style(page);
}

void write_style(Markup& page) { page.raw(concat("<style>\n", kPageStyle, "</style>\n")); }

void write_script(Markup& page) {
  page.raw(concat("<script>\n//<![CDATA[\n", kPageScript, "//]]>\n</script>\n"));
}

std::string link_to(std::string_view path) {
  const size_t slash = path.find('/');
  if (slash == std::string_view::npos) return url_encoded(path);
  return concat(url_encoded(path.substr(0, slash)), '/', link_to(path.substr(slash + 1)));
}

void write_picture(const std::string& file, Markup& page) {
  const Element figure(page, "figure");
  page.element("figcaption", {}, file);
  page.element("img", {{"src", link_to(file)}, {"alt", file}, {"style", "max-width:100%"}});
}

std::string plain_page(const std::string& title, const std::function<void(Markup&)>& body) {
  Markup page;
  page.raw("<!DOCTYPE html>\n");
  {
    const Element html(page, "html", {{"lang", "en"}, {"xmlns", "http://www.w3.org/1999/xhtml"}});
    {
      const Element head(page, "head");
      page.element("meta", {{"charset", "utf-8"}});
      page.element("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
      page.element("title", {}, title);
      write_style(page);
    }
    const Element whole(page, "body");
    {
      const Element header(page, "header");
      page.element("h1", {}, title);
    }
    const Element main(page, "main");
    body(page);
  }
  return page.take() + "\n";
}

void write_curve_data(const std::vector<std::string>& columns, const std::vector<std::string>& names,
                      const std::vector<std::string>& points, Markup& page) {
  const Element script(page, "script", {{"type", "application/json"}});
  page.raw(escape_for_script(json_text({{"columns", columns}, {"models", names}, {"points", points}})));
}

std::string base64(Bytes bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) group = group << 8 | (j < count ? static_cast<uint32_t>(bytes[i + j]) : 0);
    for (size_t j = 0; j < 4; ++j) text.push_back(j <= count ? kDigits[group >> (18 - 6 * j) & 63] : '=');
  }
  return text;
}

Records records_of(const Json& json) {
  Records records;
  if (json.is_array() && std::ranges::all_of(json, is_flat)) {
    for (const Json& record : json) records.emplace_back(concat(records.size() + 1), record);
  } else if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      if (is_flat(value)) records.emplace_back(key, value);
    }
  }
  return records;
}

void write_records(const std::string& what, const Records& records, std::span<const NamedMeaning> meanings,
                   Markup& page) {
  const std::vector<std::string> columns = columns_of(records);
  {
    const Element scroll(page, "div", {{"class", "scroll"}});
    const Element table(page, "table", {{"class", "records"}});
    {
      const Element row(page, "tr");
      page.element("th", {{"scope", "col"}}, "");
      for (const std::string& column : columns) page.element("th", {{"scope", "col"}}, spaced(column));
    }
    for (size_t i = 0; i < std::min(records.size(), kMostRows); ++i)
      write_row(records[i].first, records[i].second, columns, meanings, page);
  }
  if (records.size() <= kMostRows) return;
  page.element("p", {{"class", "quiet"}},
               concat("The first ", kMostRows, " of ", records.size(), " ", spaced(what),
                      "; all stand in report.json."));
}

}  // namespace uir
