// From names to numbers with 16 bytes a name: sorted hashes. The caller compares the names, since hashes may
// collide.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "uir/base/file.h"

namespace uir {

class NameLookup {
 public:
  struct Entry {
    uint64_t hash, number;
    auto operator<=>(const Entry&) const = default;
  };

  void add(std::string_view name, uint64_t number) {
    entries_.push_back({checksum64(as_bytes(name)), number});
  }
  bool empty() const { return entries_.empty(); }
  // After the last add, before the first find.
  void finish() { std::sort(entries_.begin(), entries_.end()); }
  // All entries whose name may be this one, by number.
  std::span<const Entry> find(std::string_view name) const {
    const uint64_t hash = checksum64(as_bytes(name));
    const auto begin = std::lower_bound(entries_.begin(), entries_.end(), Entry{hash, 0});
    auto end = begin;
    while (end != entries_.end() && end->hash == hash) ++end;
    return {begin, end};
  }

 private:
  std::vector<Entry> entries_;
};

}  // namespace uir
