// Writes described structs back as YAML: the resolved copy of a config, every option with its value. Numbers
// are written by std::to_chars, the shortest form that reads back exactly.
#pragma once

#include <yaml-cpp/emitter.h>
#include <yaml-cpp/emittermanip.h>

#include <string>
#include <string_view>
#include <vector>

#include "uir/config/visitor.h"

namespace uir {

class ConfigWriter {
 public:
  template <class Config>
  static std::string write(Config config) {
    ConfigWriter writer;
    writer.write_section(config);
    return std::string(writer.out_.c_str()) + "\n";
  }

  template <class T, class... Rules>
  void field(std::string_view name, T& value, std::string_view, const Rules&...) {
    out_ << YAML::Key << std::string(name) << YAML::Value;
    emit(value);
  }

  template <class Section, class... Marks>
  void section(std::string_view name, Section& value, std::string_view, const Marks&...) {
    out_ << YAML::Key << std::string(name) << YAML::Value;
    write_section(value);
  }

  template <class Item, class... Marks>
  void list(std::string_view name, std::vector<Item>& items, std::string_view, const Marks&...) {
    out_ << YAML::Key << std::string(name) << YAML::Value << YAML::BeginSeq;
    for (Item& item : items) write_section(item);
    out_ << YAML::EndSeq;
  }

  template <class Variant>
  void variant(std::string_view key, Variant& value, std::string_view) {
    std::visit(
        [&](auto& alternative) {
          out_ << YAML::Key << std::string(key) << YAML::Value << std::string(alternative.kType);
          describe(*this, alternative);
        },
        value);
  }

 private:
  template <class Section>
  void write_section(Section& value) {
    out_ << YAML::BeginMap;
    describe(*this, value);
    out_ << YAML::EndMap;
  }

  template <class T>
  void emit(const T& value) {
    if constexpr (config_detail::IsSequence<T>::value) {
      out_ << YAML::Flow << YAML::BeginSeq;
      for (const auto& item : value) emit(item);
      out_ << YAML::EndSeq;
    } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
      out_ << value_text(value);
    } else {
      out_ << YAML::DoubleQuoted << value_text(value);
    }
  }

  YAML::Emitter out_;
};

}  // namespace uir
