// The vocabulary in which every option is described once. A module's config.h holds plain structs with
// defaults and, beside each, one function template naming every field with its meaning and its rule:
//
//   template <class Visitor> void describe(Visitor& v, ScheduleConfig& c) {
//     v.field("base_lr", c.base_lr, "Peak learning rate.", GreaterThan{0});
//     v.section("warmup", c.warmup, "How the rate rises at the start.");
//     v.list("sources", c.sources, "Where the faces come from.");           // a sequence of sections
//     v.variant("type", c.backbone, "The network.");                        // alternatives, chosen by a key
//   }
//
// Behind the help stand rules and marks (rules.h); sections and lists take MayDifferOnResume only.
// Field types: bool, int64_t, uint64_t, double, std::string, ConfigPath, DataPath, enums with EnumNames, and
// std::vector / std::array of those. A variant's alternatives have `static constexpr std::string_view kType`;
// their fields stand in the same mapping as the key.
//
// Four visitors read (reader.h, strict), write (writer.h, resolved copy), document (reference.h) and tell
// what a resumed run may change (resume.h).
// This header adapts describe()'s typed calls to the few untyped operations that each visitor implements.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "uir/config/rules.h"

namespace uir {

// Everything a visitor needs to know of a field besides its value.
struct FieldInfo {
  std::string name;
  std::string help;
  std::string type;  // "number", "integer", "true or false", "text", "path", "a | b | c", "list of …"
  std::vector<std::string> rules;  // in words
  bool required = false;
};

namespace config_detail {

template <class T>
struct IsSequence : std::false_type {};
template <class T>
struct IsSequence<std::vector<T>> : std::true_type {};
template <class T, size_t N>
struct IsSequence<std::array<T, N>> : std::true_type {};

template <class T>
std::string type_name() {
  if constexpr (IsSequence<T>::value) {
    return "list of " + type_name<typename T::value_type>();
  } else if constexpr (std::is_same_v<T, bool>) {
    return "true or false";
  } else if constexpr (std::is_enum_v<T>) {
    std::string text;
    for (const auto& [value, name] : EnumNames<T>::value)
      text += (text.empty() ? "" : " | ") + std::string(name);
    return text;
  } else if constexpr (std::is_integral_v<T>) {
    return "integer";
  } else if constexpr (std::is_floating_point_v<T>) {
    return "number";
  } else if constexpr (std::is_same_v<T, ConfigPath>) {
    return "path";
  } else if constexpr (std::is_same_v<T, DataPath>) {
    return "path in data_root";
  } else {
    static_assert(std::is_same_v<T, std::string>, "no such field type");
    return "text";
  }
}

template <class Rule>
void add_rule(FieldInfo& info, const Rule& rule) {
  if constexpr (std::is_same_v<Rule, Required>) {
    info.required = true;
  } else if constexpr (kChecksValues<Rule>) {
    info.rules.push_back(rule.text());
  }
}

template <class T, class Rule>
bool accepts(const T& value, const Rule& rule) {
  if constexpr (!kChecksValues<Rule>) {
    return true;
  } else if constexpr (std::is_same_v<Rule, Distinct>) {
    static_assert(IsSequence<T>::value, "a rule of lists");
    return rule.accepts(value);
  } else if constexpr (IsSequence<T>::value) {
    for (const auto& item : value) {
      if (!accepts(item, rule)) return false;
    }
    return true;
  } else {
    return rule.accepts(static_cast<double>(value));
  }
}

}  // namespace config_detail

template <class T, class... Rules>
FieldInfo field_info(std::string_view name, std::string_view help, const Rules&... rules) {
  FieldInfo info{std::string(name), std::string(help), config_detail::type_name<T>(), {}, false};
  (config_detail::add_rule(info, rules), ...);
  return info;
}

// A value as a config writes it: numbers in the shortest form that reads back exactly (std::to_chars).
template <class T>
std::string value_text(const T& value) {
  if constexpr (config_detail::IsSequence<T>::value) {
    std::string text;
    for (const auto& item : value) text += (text.empty() ? "" : ", ") + value_text(item);
    return "[" + text + "]";
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    return std::string(enum_name(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, value).ptr};
  } else if constexpr (std::is_same_v<T, std::string>) {
    return value;
  } else {
    return value.value;  // paths
  }
}

// Calls f.template operator()<Alternative>() for each alternative of a variant.
template <class Variant, class F, size_t I = 0>
void for_each_alternative(F&& f) {
  if constexpr (I < std::variant_size_v<Variant>) {
    f.template operator()<std::variant_alternative_t<I, Variant>>();
    for_each_alternative<Variant, F, I + 1>(std::forward<F>(f));
  }
}

}  // namespace uir
