#include "uir/checkpoint/sharded_weights.h"

#include <algorithm>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/json.h"
#include "uir/base/text.h"

namespace uir {
namespace {

bool is_index(const fs::path& file) {
  const MappedFile mapped(file);
  const std::string_view begin = as_text(mapped.bytes()).substr(0, 1 << 16);
  const size_t first = begin.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && begin[first] == '{' &&
         begin.find("\"weight_map\"") != std::string_view::npos;
}

}  // namespace

std::optional<fs::path> shard_index(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return is_index(path) ? std::optional(path) : std::nullopt;
  std::set<std::string> names;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error))
    names.insert(entry->path().filename().string());
  for (const std::string_view ending : {".safetensors.index.json", ".bin.index.json"}) {
    for (const std::string& name : names) {
      if (name.ends_with(ending)) return path / name;
    }
  }
  return std::nullopt;
}

Weights read_sharded_weights(const fs::path& index, const std::function<Weights(const fs::path&)>& read) {
  const auto places =
      json_at<std::map<std::string, std::string>>(read_json_file(index), "weight_map", index.string());
  std::map<std::string, Weights> shards;
  for (const auto& [name, file] : places) {
    if (shards.contains(file)) continue;
    const fs::path shard = join_inside(index.parent_path(), file);
    if (!fs::exists(shard))
      fail(ErrorKind::kMissingInput, index.string(), ": the shard '", readable(file), "' is not there");
    shards.emplace(file, read(shard));
  }
  if (shards.empty()) fail(ErrorKind::kData, index.string(), ": names no tensors");
  Weights all;
  std::string checksums;
  for (const auto& [name, file] : places) {
    const NamedTensors& tensors = shards.at(file).tensors;
    const auto found = tensors.find(name);
    if (found == tensors.end())
      fail(ErrorKind::kData, index.string(), ": the shard '", readable(file), "' has no tensor '",
           readable(name), "'; index and shards do not belong together");
    all.tensors.insert(*found);
  }
  for (auto& [file, weights] : shards) {
    checksums += weights.checksum;
    all.metadata.merge(weights.metadata);
  }
  all.checksum = checksum_hex(as_bytes(checksums));
  all.kind = concat(shards.size(), " shard(s) with an index");
  return all;
}

}  // namespace uir
