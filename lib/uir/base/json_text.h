// JSON as text, whatever names stand in it.
#pragma once

#include <string>

#include "uir/base/json.h"

namespace uir {

// The JSON's text, in one line unless indented: strings that are no UTF-8 (names of files may be anything)
// stand in it as readable() shows them. Everything that may hold a name is written by this.
std::string json_text(const Json& json, int indent = -1);

// The first place where two documents differ, in words: "model.file \"a\" instead of \"b\""; what only
// `before` has is not looked for. Empty if there is none.
std::string first_difference(const Json& before, const Json& now);

}  // namespace uir
