// Strict reading of a YAML config into described structs: all problems of a file are collected and reported
// at once, each with line, column and the nearest known name:
//   bad.yaml:10:3: head.scal: unknown key (did you mean 'scale'?)
//
// Refused: unknown and repeated keys, wrong types, values outside their rule, anchors and aliases, more than
// one document, nesting deeper than 32, files over 16 MB. Numbers are decimal as std::from_chars reads them
// (no octal, no hex); only true and false are booleans. Precedence: default < file < overrides ("a.b=v", list
// items by number). Paths in overrides are relative to the current folder, where they were typed; all others
// are read as they stand.
#pragma once

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "uir/base/file.h"
#include "uir/config/visitor.h"

namespace uir {

// A parsed config file with its overrides applied; nodes know where they came from.
class ConfigDocument {
 public:
  // Throws kMissingInput or kConfig (syntax, aliases, depth, an override that cannot be applied).
  static ConfigDocument load(const fs::path& file, const std::vector<std::string>& overrides);
  // name stands for the file in messages.
  static ConfigDocument parse(const std::string& text, const std::string& name,
                              const std::vector<std::string>& overrides = {});

  const YAML::Node& root() const { return root_; }
  // "exp.yaml:10:3" or "--set head.scale=0"
  std::string place(const YAML::Node& node, const std::string& path) const;
  // The override that gave the option (or a section around it) its value; null if none did.
  const std::string* override_of(const std::string& path) const;

 private:
  void apply_override(const std::string& assignment);

  std::string name_;
  YAML::Node root_;
  std::vector<std::pair<std::string, std::string>> overrides_;  // path → assignment
};

// Levenshtein-nearest of the candidates, if it is near enough to be a typing error.
std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& candidates);

class ConfigReader {
 public:
  explicit ConfigReader(const ConfigDocument& document) : document_(document), node_(document.root()) {}

  // Reads the whole document into a default-initialised config; throws kConfig with every problem found.
  template <class Config>
  static void read(const ConfigDocument& document, Config& config) {
    ConfigReader reader(document);
    if (reader.enter_root()) {
      describe(reader, config);
      reader.refuse_unknown_keys();
    }
    reader.throw_problems();
  }

  template <class T, class... Rules>
  void field(std::string_view name, T& value, std::string_view help, const Rules&... rules) {
    const FieldInfo info = field_info<T>(name, help, rules...);
    const std::optional<YAML::Node> node = child(info.name, info.required);
    if (!node) return;
    T read = value;
    if (!read_value(*node, path_of(info.name), info, read)) return;
    if ((config_detail::accepts(read, rules) && ...)) {
      value = std::move(read);
    } else {
      problem(*node, path_of(info.name),
              "is " + found_text(*node, read) + ", expected " + joined(info.rules));
    }
  }

  template <class Section, class... Marks>
  void section(std::string_view name, Section& value, std::string_view, const Marks&...) {
    // An absent section is read as an empty one, so that what it requires is reported.
    const auto node = child(std::string(name), false);
    read_section(node ? *node : YAML::Node(YAML::NodeType::Map), path_of(name), value);
  }

  template <class Item, class... Marks>
  void list(std::string_view name, std::vector<Item>& items, std::string_view, const Marks&...) {
    const auto node = child(std::string(name), false);
    if (!node) return;
    if (!node->IsSequence()) return problem(*node, path_of(name), "expected a list of sections");
    items.clear();
    for (size_t i = 0; i < node->size(); ++i) {
      read_section((*node)[i], concat(path_of(name), ".", i), items.emplace_back());
    }
  }

  template <class Variant>
  void variant(std::string_view key, Variant& value, std::string_view) {
    std::vector<std::string> types;
    for_each_alternative<Variant>([&]<class A>() { types.emplace_back(A::kType); });
    std::string type(std::visit([](const auto& a) { return std::string(a.kType); }, value));
    if (const auto node = child(std::string(key), false)) {
      if (!read_choice(*node, path_of(key), types, type)) return forgive_unknown_keys();
    }
    for_each_alternative<Variant>([&]<class A>() {
      if (A::kType != type) return;
      if (!std::holds_alternative<A>(value)) value.template emplace<A>();
      describe(*this, std::get<A>(value));
    });
  }

 private:
  template <class Section>
  void read_section(const YAML::Node& node, const std::string& path, Section& value) {
    if (!node.IsMap()) return problem(node, path, "expected a section (key: value …)");
    ConfigReader inner(document_, node, path, depth_ + 1);
    inner.check_keys();
    describe(inner, value);
    inner.refuse_unknown_keys();
    problems_.insert(problems_.end(), inner.problems_.begin(), inner.problems_.end());
  }

  template <class T>
  bool read_value(const YAML::Node& node, const std::string& path, const FieldInfo& info, T& value) {
    if constexpr (config_detail::IsSequence<T>::value) {
      return read_sequence(node, path, info, value);
    } else {
      if (node.IsScalar() && parse_scalar(node.Scalar(), is_plain(node), value)) {
        if constexpr (requires { value.empty(), value.value; }) {
          if (!value.empty() && document_.override_of(path)) value.value = fs::absolute(value.value).string();
        }
        return true;
      }
      problem(node, path, "is " + scalar_text(node) + ", expected " + info.type);
      return false;
    }
  }

  template <class T>
  bool read_sequence(const YAML::Node& node, const std::string& path, const FieldInfo& info, T& values) {
    if (!node.IsSequence()) {
      problem(node, path, "is " + scalar_text(node) + ", expected " + info.type);
      return false;
    }
    if constexpr (requires { values.resize(1); }) {
      values.resize(node.size());
    } else if (node.size() != values.size()) {
      problem(node, path, concat("has ", node.size(), " entries, expected ", values.size()));
      return false;
    }
    bool good = true;
    for (size_t i = 0; i < values.size(); ++i) {
      typename T::value_type item{};
      if (read_value(node[i], concat(path, ".", i), item_info(info), item)) {
        values[i] = item;
      } else {
        good = false;
      }
    }
    return good;
  }

  ConfigReader(const ConfigDocument& document, YAML::Node node, std::string path, int depth)
      : document_(document), node_(std::move(node)), path_(std::move(path)), depth_(depth) {}

  bool enter_root();
  void check_keys();  // repeated keys, keys that are no text
  void refuse_unknown_keys();
  void forgive_unknown_keys() { node_ = YAML::Node(YAML::NodeType::Map); }
  void throw_problems() const;
  std::optional<YAML::Node> child(const std::string& name, bool required);
  bool read_choice(const YAML::Node& node, const std::string& path, const std::vector<std::string>& choices,
                   std::string& choice);
  void problem(const YAML::Node& node, const std::string& path, const std::string& text);
  std::string path_of(std::string_view name) const;

  static FieldInfo item_info(const FieldInfo& list);
  static std::string joined(const std::vector<std::string>& rules);
  static std::string scalar_text(const YAML::Node& node);
  template <class T>
  static std::string found_text(const YAML::Node& node, const T& value) {
    if constexpr (config_detail::IsSequence<T>::value) return value_text(value);
    return scalar_text(node);
  }
  static bool is_plain(const YAML::Node& node);  // not quoted

  template <class T>
  static bool parse_scalar(const std::string& text, bool plain, T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      value = text;
      return true;
    } else if constexpr (std::is_same_v<T, ConfigPath> || std::is_same_v<T, DataPath>) {
      value.value = text;
      return true;
    } else if constexpr (std::is_enum_v<T>) {
      const auto parsed = enum_from_name<T>(text);
      if (parsed) value = *parsed;
      return parsed.has_value();
    } else if (!plain) {
      return false;
    } else if constexpr (std::is_same_v<T, bool>) {
      value = text == "true";
      return text == "true" || text == "false";
    } else {
      const char* end = text.data() + text.size();
      const auto [stop, error] = std::from_chars(text.data(), end, value);
      if constexpr (std::is_floating_point_v<T>) {
        return error == std::errc() && stop == end && std::isfinite(value);
      } else {
        return error == std::errc() && stop == end;
      }
    }
  }

  const ConfigDocument& document_;
  YAML::Node node_;
  std::string path_;
  int depth_ = 0;
  std::set<std::string> known_;
  std::vector<std::string> problems_;
};

}  // namespace uir
