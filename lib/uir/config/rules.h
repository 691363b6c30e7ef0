// What a config value may be: the rules that describe() functions attach to fields.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "uir/base/error.h"

namespace uir {

// A rule checks a number and says in words what it expects ("greater than 0").
struct GreaterThan {
  double bound;
  bool accepts(double v) const { return v > bound; }
  std::string text() const { return concat("greater than ", bound); }
};
struct AtLeast {
  double bound;
  bool accepts(double v) const { return v >= bound; }
  std::string text() const { return concat("at least ", bound); }
};
struct AtMost {
  double bound;
  bool accepts(double v) const { return v <= bound; }
  std::string text() const { return concat("at most ", bound); }
};
struct Between {  // both ends included
  double low, high;
  bool accepts(double v) const { return v >= low && v <= high; }
  std::string text() const { return concat("from ", low, " to ", high); }
};

// Of a list as a whole.
struct Distinct {
  template <class List>
  bool accepts(const List& list) const {
    for (auto at = list.begin(); at != list.end(); ++at) {
      if (std::find(list.begin(), at, *at) != at) return false;
    }
    return true;
  }
  std::string text() const { return "no value twice"; }
};

// Marks of an option, which check no value.
//
// The value's absence is an error: there is no sensible default.
struct Required {};
// A run may be resumed with another value, since it does not enter the weights (or is compared in another
// way); of a section or a list: whatever is in it. All other options must stay (config/resume.h).
struct MayDifferOnResume {};

template <class Rule>
inline constexpr bool kChecksValues =
    !std::is_same_v<Rule, Required> && !std::is_same_v<Rule, MayDifferOnResume>;

// Specialise for every enum that a config uses:
//   template <> struct EnumNames<Role> {
//     static constexpr std::array<EnumName<Role>, 1> value{{{Role::kTest, "test"}}};
//   };
template <class E>
struct EnumNames;

template <class E>
using EnumName = std::pair<E, std::string_view>;

template <class E>
std::string_view enum_name(E value) {
  for (const auto& [candidate, name] : EnumNames<E>::value) {
    if (candidate == value) return name;
  }
  fail(ErrorKind::kInternal, "enum value without a name");
}

template <class E>
std::optional<E> enum_from_name(std::string_view text) {
  for (const auto& [value, name] : EnumNames<E>::value) {
    if (name == text) return value;
  }
  return std::nullopt;
}

// A path in a config. Relative paths are relative to the config file (ConfigPath) or to paths.data_root
// (DataPath), those of --set to the current folder; loading an experiment makes all absolute.
struct ConfigPath {
  std::string value;
  bool empty() const { return value.empty(); }
  bool operator==(const ConfigPath&) const = default;
};
struct DataPath {
  std::string value;
  bool empty() const { return value.empty(); }
  bool operator==(const DataPath&) const = default;
};

}  // namespace uir
