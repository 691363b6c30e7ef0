// What a table of groups calls the protocol's whole; no group may be called so.
#pragma once

#include <string_view>

namespace uir {

inline constexpr std::string_view kWholeName = "(all)";

}  // namespace uir
