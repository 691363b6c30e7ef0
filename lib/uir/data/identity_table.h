// The identities of one source on their way to dense class numbers.
//
// While rows stream by, identities get provisional numbers in the order in which they appear; at the end they
// are sorted, numbers numerically and names by their bytes, which gives the final ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "uir/data/label_map.h"

namespace uir {

class IdentityTable {
 public:
  // Identities that are another one, before the first is added. kData from check_renamed() at the end if the
  // source has none of them, or numbers where the map has names.
  void rename(LabelMap map) { renamed_ = std::move(map); }
  void check_renamed() const;

  // Provisional numbers. A source has numbers or names, not both: false if this one is of the other kind.
  bool add_number(int64_t label, int64_t& provisional);
  bool add_name(std::string_view name, int64_t& provisional);

  // Final number of each provisional one. Ends the table: afterwards there is nothing but names(), in final
  // order.
  std::vector<int64_t> sort();
  const std::vector<std::string>& names() const { return names_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  int64_t add(std::string_view name);

  enum class Kind { kUnknown, kNumbers, kNames } kind_ = Kind::kUnknown;
  std::unordered_map<std::string, int64_t, Hash, std::equal_to<>> provisional_;
  std::vector<std::string> names_;
  LabelMap renamed_;
  int64_t num_renamed_ = 0;
};

}  // namespace uir
