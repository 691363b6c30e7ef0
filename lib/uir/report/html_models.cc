#include "uir/report/html_models.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

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

// One row where all sets agree, else one per set.
void write_rows_of(const Json& sets, const std::string& key, Markup& page) {
  std::map<std::string, std::string> sets_of_value;
  std::vector<std::string> values;
  for (const auto& [set, manifest] : sets.items()) {
    if (!manifest.is_object() || !manifest.contains(key)) continue;
    const Json& json = manifest[key];
    const std::string value = json.is_string() ? json.get<std::string>() : json_text(json);
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
