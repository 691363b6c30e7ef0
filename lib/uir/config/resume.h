// What a resumed run may change: the fourth visitor follows the mark MayDifferOnResume of descriptions.
//
//   copy_what_may_differ(now, saved);   // what still differs between the two forbids to resume
//
// Both are described by the same function; an option of another alternative of a variant stays as it is.
#pragma once

#include <any>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "uir/config/visitor.h"

namespace uir {

class MarkedForResume {
 public:
  template <class T, class... Rules>
  void field(std::string_view name, T& value, std::string_view, const Rules&...) {
    if constexpr (kMarked<Rules...>) hand_over(name, value);
  }

  template <class Section, class... Marks>
  void section(std::string_view name, Section& value, std::string_view, const Marks&...) {
    if constexpr (kMarked<Marks...>) return hand_over(name, value);
    describe_inside(name, value);
  }

  template <class Item, class... Marks>
  void list(std::string_view name, std::vector<Item>& items, std::string_view, const Marks&...) {
    if constexpr (kMarked<Marks...>) return hand_over(name, items);
    for (size_t i = 0; i < items.size(); ++i) describe_inside(concat(name, ".", i), items[i]);
  }

  template <class Variant>
  void variant(std::string_view, Variant& value, std::string_view) {
    std::visit([&](auto& alternative) { describe(*this, alternative); }, value);
  }

  template <class Config>
  static void copy(Config from, Config& to) {
    MarkedForResume marked;
    describe(marked, from);
    marked.takes_ = false;
    describe(marked, to);
  }

 private:
  template <class... Marks>
  static constexpr bool kMarked = (std::is_same_v<Marks, MayDifferOnResume> || ...);

  // On the first walk keeps the value, on the second one puts it back.
  template <class T>
  void hand_over(std::string_view name, T& value) {
    std::any& kept = kept_[concat(path_, name)];
    if (takes_) {
      kept = value;
    } else if (const T* found = std::any_cast<T>(&kept)) {
      value = *found;
    }
  }

  template <class Section>
  void describe_inside(std::string_view name, Section& value) {
    const std::string outside = path_;
    path_ = concat(outside, name, ".");
    describe(*this, value);
    path_ = outside;
  }

  std::map<std::string, std::any> kept_;  // by path
  std::string path_;
  bool takes_ = true;
};

// Gives `to` the values that `from` has for all marked options.
template <class Config>
void copy_what_may_differ(const Config& from, Config& to) {
  MarkedForResume::copy(from, to);
}

}  // namespace uir
