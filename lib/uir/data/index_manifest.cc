#include <algorithm>
#include <array>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/text.h"
#include "uir/data/index_files.h"

namespace uir {
namespace {

constexpr std::string_view kFormat = "uir-index";
constexpr int kVersion = 1;
constexpr int64_t kMaxRows = int64_t{1} << 40;  // so that rows times bytes cannot overflow

constexpr std::array<std::pair<SourceKind, std::string_view>, 6> kKindNames{
    {{SourceKind::kFiles, "files"},
     {SourceKind::kRecordIo, "recordio"},
     {SourceKind::kBin, "bin"},
     {SourceKind::kSynthetic, "synthetic"},
     {SourceKind::kVideos, "videos"},
     {SourceKind::kTar, "tar"}}};

std::string_view kind_name(SourceKind kind) { return kKindNames[static_cast<size_t>(kind)].second; }

SourceKind kind_from_name(std::string_view name, std::string_view place) {
  for (const auto& [kind, known] : kKindNames) {
    if (known == name) return kind;
  }
  fail(ErrorKind::kData, place, ": unknown kind of source '", name, "'");
}

Role role_from_name(std::string_view name, std::string_view place) {
  if (const auto role = enum_from_name<Role>(name)) return *role;
  fail(ErrorKind::kData, place, ": unknown role '", name, "'");
}

// JSON holds UTF-8, paths may be anything: those that are no UTF-8 stand there once more, in hexadecimal.
constexpr const char* kPathBytes = "path_bytes";
constexpr const char* kShardBytes = "shard_bytes";

void add_shards(Json& json, const std::vector<fs::path>& shards) {
  for (const fs::path& shard : shards) json["shards"].push_back(readable(shard.string()));
  if (std::ranges::all_of(shards, [](const fs::path& shard) { return is_utf8(shard.string()); })) return;
  for (const fs::path& shard : shards) json[kShardBytes].push_back(to_hex(shard.string()));
}

std::vector<fs::path> shards_from_json(const Json& json, std::string_view place) {
  const bool as_bytes = json.contains(kShardBytes);
  const char* key = as_bytes ? kShardBytes : "shards";
  std::vector<fs::path> shards;
  if (!json.contains(key)) return shards;
  for (const std::string& shard : json_at<std::vector<std::string>>(json, key, place))
    shards.emplace_back(as_bytes ? from_hex(shard) : shard);
  return shards;
}

Json source_to_json(const SourceInfo& source) {
  Json json{{"name", source.name},
            {"role", enum_name(source.role)},
            {"kind", kind_name(source.kind)},
            {"path", source.path.string()},
            {"shift", source.shift},
            {"first_row", source.first_row},
            {"num_rows", source.num_rows},
            {"first_class", source.first_class},
            {"num_classes", source.num_classes},
            {"settings", source.settings.is_null() ? Json::object() : source.settings}};
  add_shards(json, source.shards);
  if (is_utf8(source.path.string())) return json;
  json["path"] = readable(source.path.string());
  json[kPathBytes] = to_hex(source.path.string());
  return json;
}

SourceInfo source_from_json(const Json& json, std::string_view place) {
  SourceInfo source;
  source.name = json_at<std::string>(json, "name", place);
  source.role = role_from_name(json_at<std::string>(json, "role", place), place);
  source.kind = kind_from_name(json_at<std::string>(json, "kind", place), place);
  source.path = json.contains(kPathBytes) ? from_hex(json_at<std::string>(json, kPathBytes, place))
                                          : json_at<std::string>(json, "path", place);
  source.shards = shards_from_json(json, place);
  source.shift = json_at<std::array<int64_t, 2>>(json, "shift", place);
  source.first_row = json_at<int64_t>(json, "first_row", place);
  source.num_rows = json_at<int64_t>(json, "num_rows", place);
  source.first_class = json_at<int64_t>(json, "first_class", place);
  source.num_classes = json_at<int64_t>(json, "num_classes", place);
  source.settings = json_at<Json>(json, "settings", place);
  return source;
}

Json to_json(const IndexManifest& manifest) {
  Json json{{"format", kFormat},
            {"version", kVersion},
            {"rows", manifest.rows},
            {"num_classes", manifest.num_classes},
            {"num_test_identities", manifest.num_test_identities},
            {"sources", Json::array()},
            {"files", Json::object()}};
  for (const SourceInfo& source : manifest.sources) json["sources"].push_back(source_to_json(source));
  for (const auto& file : manifest.files) {
    json["files"][file.name] = {{"bytes", file.bytes}, {"checksum", file.checksum}};
  }
  return json;
}

// Rows and identities of the sources must follow each other without gaps.
void check_ranges(const IndexManifest& manifest, std::string_view place) {
  if (manifest.rows < 0 || manifest.rows > kMaxRows)
    fail(ErrorKind::kData, place, ": ", manifest.rows, " rows");
  int64_t rows = 0, classes = 0, test_identities = 0;
  for (const SourceInfo& source : manifest.sources) {
    int64_t& first = source.role == Role::kTest ? test_identities : classes;
    const bool fits = source.first_row == rows && source.num_rows >= 0 && source.num_classes >= 0 &&
                      source.num_classes <= source.num_rows && source.first_class == first &&
                      source.num_rows <= manifest.rows;
    if (!fits)
      fail(ErrorKind::kData, place, ": the ranges of source '", source.name,
           "' do not fit; rebuild with uir-index");
    rows += source.num_rows;
    first += source.num_classes;
  }
  if (rows != manifest.rows || classes != manifest.num_classes ||
      test_identities != manifest.num_test_identities) {
    fail(ErrorKind::kData, place, ": counts and sources do not fit; rebuild with uir-index");
  }
}

IndexManifest from_json(const Json& json, std::string_view place) {
  IndexManifest manifest;
  if (json_at<std::string>(json, "format", place) != kFormat ||
      json_at<int>(json, "version", place) != kVersion) {
    fail(ErrorKind::kData, place, ": not an index of version ", kVersion, "; rebuild with uir-index");
  }
  manifest.rows = json_at<int64_t>(json, "rows", place);
  manifest.num_classes = json_at<int64_t>(json, "num_classes", place);
  manifest.num_test_identities = json_at<int64_t>(json, "num_test_identities", place);
  for (const Json& source : json_at<Json>(json, "sources", place)) {
    manifest.sources.push_back(source_from_json(source, place));
  }
  const Json files = json_at<Json>(json, "files", place);
  for (const auto& [name, file] : files.items()) {
    manifest.files.push_back(
        {name, json_at<uint64_t>(file, "bytes", place), json_at<std::string>(file, "checksum", place)});
  }
  check_ranges(manifest, place);
  return manifest;
}

}  // namespace

std::string IndexManifest::text() const {
  Json json = to_json(*this);
  json["checksum"] = checksum_hex(as_bytes(json.dump(2)));
  return json.dump(2) + "\n";
}

IndexManifest IndexManifest::read(const fs::path& folder) {
  const fs::path path = folder / index_files::kManifest;
  const std::string place = path.string();
  if (!fs::exists(path)) {
    fail(ErrorKind::kMissingInput, place, ": there is no index in this folder; build it with uir-index");
  }
  Json json;
  try {
    json = read_json_file(path);
  } catch (const Error& error) {
    fail(error.kind(), error.what(), "; rebuild with uir-index");
  }
  const IndexManifest manifest = from_json(json, place);
  if (manifest.text() != read_text_file(path)) {
    fail(ErrorKind::kData, place,
         ": the checksum does not fit; the file was changed or damaged; rebuild with uir-index");
  }
  return manifest;
}

std::string IndexManifest::fingerprint() const {
  IndexManifest portable = *this;
  for (SourceInfo& source : portable.sources) {
    source.path.clear();
    source.shards.clear();
  }
  std::erase_if(portable.files, [](const File& file) {
    return file.name == index_files::kMtimes || file.name == index_files::kRules ||
           file.name.starts_with(index_files::kVideoNames);
  });
  return checksum_hex(as_bytes(to_json(portable).dump()));
}

void write_manifest(const fs::path& folder, const IndexManifest& manifest) {
  OutputFile file(folder / index_files::kManifest);
  file.write(manifest.text());
  file.close();
}

}  // namespace uir
