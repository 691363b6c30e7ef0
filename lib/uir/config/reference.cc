#include "uir/config/reference.h"

namespace uir {

void ConfigReference::open(std::string_view name, std::string_view help) {
  sections_.push_back({.name = std::string(name), .head = {}, .rows = {}, .sections = {}});
  sections_.back().head = concat("\n", std::string(sections_.size(), '#'), " ", path(), "\n\n", help, "\n");
}

void ConfigReference::close() {
  const std::string text = sections_.back().text();
  sections_.pop_back();
  sections_.back().sections += text;
}

void ConfigReference::add_row(const FieldInfo& info, const std::string& default_value) {
  std::string& rows = sections_.back().rows;
  if (rows.empty()) rows = "\n| option | type | default | meaning |\n|---|---|---|---|\n";
  std::string type;
  for (const char c : info.type) type += c == '|' ? std::string("\\|") : std::string(1, c);
  for (const std::string& rule : info.rules) type += ", " + rule;
  const std::string value = info.required           ? "required"
                            : default_value.empty() ? "empty"
                                                    : "`" + default_value + "`";
  rows += concat("| `", info.name, "` | ", type, " | ", value, " | ",
                 condition_.empty() ? "" : "(`" + condition_ + "`) ", info.help, " |\n");
}

std::string ConfigReference::path() const {
  std::string text;
  for (const Section& section : sections_) text += (text.empty() ? "" : ".") + section.name;
  return text;
}

}  // namespace uir
