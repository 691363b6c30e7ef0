#include "uir/config/reference.h"

namespace uir {

void ConfigReference::open(std::string_view name, std::string_view help) {
  path_.emplace_back(name);
  in_table_ = false;
  text_ += concat("\n", std::string(path_.size() + 1, '#'), " ", path(), "\n\n", help, "\n");
}

void ConfigReference::close() {
  path_.pop_back();
  in_table_ = false;
}

void ConfigReference::add_row(const FieldInfo& info, const std::string& default_value) {
  if (!in_table_) text_ += "\n| option | type | default | meaning |\n|---|---|---|---|\n";
  in_table_ = true;
  std::string type;
  for (const char c : info.type) type += c == '|' ? std::string("\\|") : std::string(1, c);
  for (const std::string& rule : info.rules) type += ", " + rule;
  const std::string value = info.required           ? "required"
                            : default_value.empty() ? "empty"
                                                    : "`" + default_value + "`";
  text_ += concat("| `", info.name, "` | ", type, " | ", value, " | ",
                  condition_.empty() ? "" : "(`" + condition_ + "`) ", info.help, " |\n");
}

std::string ConfigReference::path() const {
  std::string text;
  for (const std::string& part : path_) text += (text.empty() ? "" : ".") + part;
  return text;
}

}  // namespace uir
