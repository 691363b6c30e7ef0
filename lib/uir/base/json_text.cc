#include "uir/base/json_text.h"

#include "uir/base/error.h"
#include "uir/base/text.h"

namespace uir {
namespace {

Json with_readable_strings(const Json& json) {
  if (json.is_string()) return readable(json.get_ref<const std::string&>());
  if (json.is_array()) {
    Json array = Json::array();
    for (const Json& entry : json) array.push_back(with_readable_strings(entry));
    return array;
  }
  if (!json.is_object()) return json;
  Json object = Json::object();
  for (const auto& [key, value] : json.items()) object[readable(key)] = with_readable_strings(value);
  return object;
}

std::string difference_at(const std::string& name, const Json& before, const Json& now) {
  if (before == now) return "";
  if (before.is_object() && now.is_object()) {
    for (const auto& [key, value] : now.items()) {
      const std::string found =
          difference_at(name.empty() ? key : name + "." + key, before.value(key, Json()), value);
      if (!found.empty()) return found;
    }
    return "";
  }
  return concat(name, " ", json_text(before), " instead of ", json_text(now));
}

}  // namespace

std::string first_difference(const Json& before, const Json& now) { return difference_at("", before, now); }

std::string json_text(const Json& json, int indent) {
  try {
    return json.dump(indent);
  } catch (const Json::type_error&) {  // a string that is no UTF-8
    return with_readable_strings(json).dump(indent);
  }
}

}  // namespace uir
