// The options that a config has, by the names that --set takes, for completion in shells.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "uir/config/visitor.h"

namespace uir {

struct OptionName {
  std::string path;                  // "train.batch.labeled"; "data.sources[].role"
  std::vector<std::string> choices;  // of an enumeration or a boolean; otherwise empty
};

class OptionNames {
 public:
  // In the order of the descriptions; an option of several alternatives once, with the choices of all.
  template <class Config>
  static std::vector<OptionName> of() {
    OptionNames names;
    Config config;
    describe(names, config);
    return names.found_;
  }

  template <class T, class... Rules>
  void field(std::string_view name, T&, std::string_view, const Rules&...) {
    std::vector<std::string> choices;
    if constexpr (std::is_same_v<T, bool>) choices = {"true", "false"};
    if constexpr (std::is_enum_v<T>) {
      for (const auto& [value, choice] : EnumNames<T>::value) choices.emplace_back(choice);
    }
    add(name, std::move(choices));
  }

  template <class Section, class... Marks>
  void section(std::string_view name, Section& value, std::string_view, const Marks&...) {
    describe_below(concat(name, "."), value);
  }

  template <class Item, class... Marks>
  void list(std::string_view name, std::vector<Item>&, std::string_view, const Marks&...) {
    Item item;
    describe_below(concat(name, "[]."), item);
  }

  template <class Variant>
  void variant(std::string_view key, Variant&, std::string_view) {
    std::vector<std::string> types;
    for_each_alternative<Variant>([&]<class A>() { types.emplace_back(A::kType); });
    add(key, std::move(types));
    for_each_alternative<Variant>([&]<class A>() {
      A alternative;
      describe(*this, alternative);
    });
  }

 private:
  template <class Section>
  void describe_below(const std::string& name, Section& value) {
    const size_t length = path_.size();
    path_ += name;
    describe(*this, value);
    path_.resize(length);
  }

  void add(std::string_view name, std::vector<std::string> choices) {
    const std::string path = concat(path_, name);
    auto found = std::ranges::find(found_, path, &OptionName::path);
    if (found == found_.end()) found = found_.insert(found, {path, {}});
    for (std::string& choice : choices) {
      if (std::ranges::count(found->choices, choice) == 0) found->choices.push_back(std::move(choice));
    }
  }

  std::string path_;  // of the section, with a dot behind it
  std::vector<OptionName> found_;
};

}  // namespace uir
