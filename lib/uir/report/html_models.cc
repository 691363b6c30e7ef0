#include "uir/report/html_models.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/json_text.h"
#include "uir/report/html_parts.h"

namespace uir {
namespace {

void write_row(std::string_view key, std::string_view value, Markup& page) {
  const Element row(page, "tr");
  page.element("th", {{"scope", "row"}}, key);
  page.element("td", {}, value);
}

// What the manifests say, in the order in which they first name it.
std::vector<std::string> keys_of(const Json& sets) {
  std::vector<std::string> keys;
  for (const Json& manifest : sets) {
    if (!manifest.is_object()) continue;
    for (const auto& [key, value] : manifest.items()) {
      if (key != "set" && std::ranges::count(keys, key) == 0) keys.push_back(key);
    }
  }
  return keys;
}

// "file step-100, checksum 7ad23bbd", without what is nested deeper; "" of what is no short text.
std::string readable_text(const Json& json) {
  constexpr size_t kLongest = 120;
  if (json.is_string()) return json.get<std::string>();
  if (!json.is_structured()) return json_text(json);
  std::string text;
  for (const auto& [key, value] : json.items()) {
    const std::string of_value = value.is_object() && json.is_object() ? "" : readable_text(value);
    if (of_value.empty()) continue;
    text += concat(text.empty() ? "" : ", ", json.is_object() ? spaced(key) + " " : "", of_value);
  }
  return text.size() > kLongest ? "" : text;
}

// One row where all sets agree, else one per set.
void write_rows_of(const Json& sets, const std::string& key, Markup& page) {
  std::map<std::string, std::string> sets_of_value;
  std::vector<std::string> values;
  for (const auto& [set, manifest] : sets.items()) {
    if (!manifest.is_object() || !manifest.contains(key)) continue;
    const std::string value = readable_text(manifest[key]);
    if (value.empty()) continue;
    std::string& names = sets_of_value[value];
    if (names.empty()) values.push_back(value);
    names += (names.empty() ? "" : ", ") + set;
  }
  for (const std::string& value : values) {
    const bool all = values.size() == 1;
    write_row(spaced(key) + (all ? "" : " (" + sets_of_value[value] + ")"), value, page);
  }
}

}  // namespace

void write_model_card(const ModelReport& model, size_t style, Markup& page) {
  const Element card(page, "section", {{"class", "card"}});
  {
    const Element heading(page, "h2");
    write_legend(style, model.name, page);
  }
  const Json& sets = model.sets;
  if (!sets.is_object() || sets.empty()) {
    page.element("p", {{"class", "quiet"}}, "Nothing is known of how its embeddings were made.");
    return;
  }
  const Element table(page, "table", {{"class", "provenance"}});
  std::string names;
  for (const auto& [set, manifest] : sets.items()) names += (names.empty() ? "" : ", ") + set;
  write_row("sets", names, page);
  for (const std::string& key : keys_of(sets)) write_rows_of(sets, key, page);
}

}  // namespace uir
