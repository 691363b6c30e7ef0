#include "uir/align/align_input.h"

#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/text.h"
#include "uir/data/folder_listing.h"
#include "uir/data/missing_files.h"
#include "uir/data/sources.h"
#include "uir/data/video_list.h"

namespace uir {
namespace {

// a/b.png -> a/b, unless another name has that too.
void choose_stems(std::vector<AlignUnit>& units) {
  const auto without_extension = [](const std::string& name) {
    return fs::path(name).replace_extension().string();
  };
  std::unordered_map<std::string, int64_t> uses;
  for (const AlignUnit& unit : units) ++uses[without_extension(unit.name)];
  std::unordered_set<std::string> taken;
  for (AlignUnit& unit : units) {
    unit.stem = without_extension(unit.name);
    if (uses[unit.stem] > 1) unit.stem = unit.name;
    if (!taken.insert(unit.stem).second)
      fail(ErrorKind::kData, unit.name, ": its face would have the name of another's; rename it");
  }
}

AlignUnits photos_of(const SourceConfig& config) {
  AlignUnits photos;
  std::unordered_set<std::string> names;
  const std::unique_ptr<Source> source = open_source(config);
  source->for_each_row([&](SourceRow row) {
    if (!names.insert(row.item).second)
      fail(ErrorKind::kData, config.name, ": '", row.item, "' stands there twice");
    photos.units.push_back({std::move(row.item), "", {}, row.landmarks});
  });
  photos.left_out = source->left_out();
  choose_stems(photos.units);
  return photos;
}

AlignUnits units_of(const FolderSource& folder) {
  return photos_of({.name = folder.root.value, .role = Role::kUnlabeled, .kind = folder, .exclude = {}});
}
AlignUnits units_of(const ListSource& list) {
  return photos_of({.name = list.list.value, .role = Role::kUnlabeled, .kind = list, .exclude = {}});
}
AlignUnits units_of(const VideosSource& config) {
  AlignUnits videos;
  const std::vector<std::string> names = list_videos(config, &videos.left_out);
  MissingFiles missing;
  for (const std::string& name : names) {
    const fs::path path = fs::path(config.root.value) / name;
    if (!fs::exists(path)) missing.add([&] { return path.string() + ": no such file"; });
  }
  missing.refuse("put these videos there, or take them out of the list");
  for (const std::string& name : names)
    videos.units.push_back({name, name, resolve_inside(config.root.value, name), {}});
  return videos;
}
AlignUnits units_of(const VideoFiles& videos) {
  std::vector<AlignUnit> units;
  std::unordered_set<std::string> names;
  for (const fs::path& file : videos.files) {
    const std::string name = file.filename().string();
    if (!fs::is_regular_file(file)) fail(ErrorKind::kMissingInput, file.string(), ": cannot open video");
    if (!names.insert(name).second)
      fail(ErrorKind::kUsage, file.string(), ": two videos are called ", name, "; align them apart");
    check_name(name);
    units.push_back({name, name, file, {}});
  }
  return {std::move(units), {}};
}

void check_names(const AlignUnits& found, bool videos) {
  if (found.units.empty()) fail(ErrorKind::kData, "there is nothing to align", found.left_out.note());
  for (const AlignUnit& unit : found.units) {
    if (videos && unit.name.find(' ') != std::string::npos)
      fail(ErrorKind::kData, unit.name, ": a space in its name, which filelist.txt cannot hold; rename it");
  }
}

std::string absolute(const std::string& path) {
  return path.empty() ? "" : readable(fs::absolute(path).lexically_normal().string());
}
Json describe(const FolderSource& c) {
  return {{"photos", absolute(c.root.value)}, {"landmarks", checksum_of_input(c.landmarks.value)}};
}
Json describe(const ListSource& c) {
  return {{"photos", absolute(c.root.value)},
          {"list", checksum_of_input(c.list.value)},
          {"format", enum_name(c.format)},
          {"landmarks", checksum_of_input(c.landmarks.value)}};
}
Json describe(const VideosSource& c) {
  return {{"videos", absolute(c.root.value)},
          {"every", c.every},
          {"fps", c.frames_per_second},
          {"max_frames", c.max_frames},
          {"missing_frames", c.missing_frames}};
}
Json describe(const VideoFiles& c) {
  Json json = describe(c.sampling);
  json["videos"] = Json::array();
  for (const fs::path& file : c.files) json["videos"].push_back(absolute(file.string()));
  return json;
}

}  // namespace

AlignUnits list_units(const AlignInput& input) {
  AlignUnits found = std::visit([](const auto& kind) { return units_of(kind); }, input);
  check_names(found, !photo_root(input));
  return found;
}

std::optional<fs::path> photo_root(const AlignInput& input) {
  if (const auto* folder = std::get_if<FolderSource>(&input)) return folder->root.value;
  if (const auto* list = std::get_if<ListSource>(&input)) return list->root.value;
  return std::nullopt;
}

const VideosSource& video_sampling(const AlignInput& input) {
  const auto* files = std::get_if<VideoFiles>(&input);
  return files ? files->sampling : std::get<VideosSource>(input);
}

Json describe_input(const AlignInput& input) {
  return std::visit([](const auto& kind) { return describe(kind); }, input);
}

std::string checksum_of_input(const fs::path& path) {
  if (path.empty()) return "";
  if (!fs::is_regular_file(path)) fail(ErrorKind::kMissingInput, path.string(), ": cannot open");
  return checksum_hex(MappedFile(path).bytes());
}

}  // namespace uir
