// The reference of all options, in Markdown, made from the descriptions: docs/config.md and
// --describe-config. A section's own options stand before its sections, whose tables would else claim those
// that are described behind them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "uir/config/visitor.h"

namespace uir {

class ConfigReference {
 public:
  template <class Config>
  static std::string write() {
    ConfigReference reference;
    Config config;
    describe(reference, config);
    return reference.sections_.front().text();
  }

  template <class T, class... Rules>
  void field(std::string_view name, T& value, std::string_view help, const Rules&... rules) {
    add_row(field_info<T>(name, help, rules...), value_text(value));
  }

  template <class Section, class... Marks>
  void section(std::string_view name, Section& value, std::string_view help, const Marks&...) {
    open(name, help);
    describe(*this, value);
    close();
  }

  template <class Item, class... Marks>
  void list(std::string_view name, std::vector<Item>&, std::string_view help, const Marks&...) {
    open(concat(name, "[]"), concat(help, " A list; each entry:"));
    Item item;
    describe(*this, item);
    close();
  }

  template <class Variant>
  void variant(std::string_view key, Variant& value, std::string_view help) {
    const std::string chosen(std::visit([](const auto& a) { return std::string(a.kType); }, value));
    FieldInfo info{std::string(key), std::string(help), "", {}, false};
    for_each_alternative<Variant>(
        [&]<class A>() { info.type += (info.type.empty() ? "" : " | ") + std::string(A::kType); });
    add_row(info, chosen);
    for_each_alternative<Variant>([&]<class A>() {
      A alternative;
      condition_ = concat(key, ": ", A::kType);
      describe(*this, alternative);
      condition_.clear();
    });
  }

 private:
  struct Section {
    std::string name;
    std::string head, rows, sections;
    std::string text() const { return head + rows + sections; }
  };

  void open(std::string_view name, std::string_view help);
  void close();
  void add_row(const FieldInfo& info, const std::string& default_value);
  std::string path() const;

  std::vector<Section> sections_{1};  // those that are open; first the whole, which has no name
  std::string condition_;             // of the alternative being described
};

}  // namespace uir
