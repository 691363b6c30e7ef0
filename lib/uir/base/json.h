// JSON files of our own (manifests, reports), read with errors that name the file and the key.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "uir/base/error.h"
#include "uir/base/file.h"

namespace uir {

using Json = nlohmann::ordered_json;

inline Json read_json_file(const fs::path& path) {
  // Copying, comparing and printing recurse, so a hostile file must not nest deeper than the stack.
  const auto limit_depth = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > 64) fail(ErrorKind::kData, path.string(), ": JSON nested deeper than 64 levels");
    return true;
  };
  try {
    return Json::parse(read_text_file(path, uint64_t{256} << 20), limit_depth);
  } catch (const Json::exception& e) {
    fail(ErrorKind::kData, path.string(), ": not valid JSON: ", e.what());
  }
}

// json[key] as T; kData naming the place if it is absent or of another type.
template <class T>
T json_at(const Json& json, const std::string& key, std::string_view place) {
  try {
    return json.at(key).get<T>();
  } catch (const Json::exception&) {
    fail(ErrorKind::kData, place, ": field '", key, "' is missing or has the wrong type");
  }
}

}  // namespace uir
