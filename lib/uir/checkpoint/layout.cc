#include "uir/checkpoint/layout.h"

#include <charconv>
#include <cstdio>

#include "uir/checkpoint/checkpoint.h"

namespace uir {

std::string checkpoint_name(int64_t step) {
  char text[32];
  std::snprintf(text, sizeof text, "step-%010lld", static_cast<long long>(step));
  return text;
}

}  // namespace uir

namespace uir::checkpoint_layout {
namespace {

constexpr int kMaxDepth = 64;

std::string seal_tail(std::string_view sealed) {
  return concat(",\n \"checksum\": \"", checksum_hex(as_bytes(sealed)), "\"\n}\n");
}

}  // namespace

std::string shard_name(std::string_view stem, int64_t rank, int64_t num_ranks) {
  char numbers[64];
  std::snprintf(numbers, sizeof numbers, "-%05lld-of-%05lld.safetensors", static_cast<long long>(rank),
                static_cast<long long>(num_ranks));
  return std::string(stem) + numbers;
}

std::optional<int64_t> parse_name(std::string_view name) {
  const std::string_view digits = name.substr(std::min(name.size(), std::string_view("step-").size()));
  int64_t step = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), step);
  // Written back it must be the same: no other spelling, no trailing text.
  return name == checkpoint_name(step) ? std::optional(step) : std::nullopt;
}

std::string seal(const Json& json) {
  ensure(json.is_object() && !json.empty(), "only objects with fields are sealed");
  std::string text = json.dump(1);
  text.resize(text.size() - 2);  // "\n}"
  return text + seal_tail(text);
}

Json unseal(std::string_view text, const fs::path& path) {
  const size_t tail_size = seal_tail("").size();
  const std::string_view sealed = text.substr(0, text.size() - std::min(text.size(), tail_size));
  if (sealed.empty() || text.substr(sealed.size()) != seal_tail(sealed)) {
    fail(ErrorKind::kData, path.string(),
         ": damaged or incomplete: its checksum is missing or does not match");
  }
  const auto guard = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth)
      fail(ErrorKind::kData, path.string(), ": nested deeper than ", kMaxDepth, " levels");
    return true;
  };
  try {
    Json json = Json::parse(std::string(sealed) + "\n}", guard);
    if (!json.is_object()) fail(ErrorKind::kData, path.string(), ": not a JSON object");
    return json;
  } catch (const Json::exception& e) {
    fail(ErrorKind::kData, path.string(), ": not valid JSON: ", std::string_view(e.what()).substr(0, 200));
  }
}

}  // namespace uir::checkpoint_layout
