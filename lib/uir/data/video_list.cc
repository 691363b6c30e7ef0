#include "uir/data/video_list.h"

#include <string_view>
#include <unordered_set>
#include <utility>

#include "uir/base/error.h"
#include "uir/data/folder_listing.h"
#include "uir/data/list_file.h"
#include "uir/formats/text_lines.h"

namespace uir {
namespace {

class VideoNames {
 public:
  explicit VideoNames(fs::path root) : root_(std::move(root)) {}

  // The name relative to the root; refuses repeated ones.
  std::string add(const TextLines& lines, std::string_view text) {
    std::string name;
    try {
      name = item_in(root_, text);
    } catch (const Error& error) {
      throw error.at(lines.place());
    }
    if (!seen_.insert(name).second) lines.refuse("video '", name, "' stands in the list twice");
    return name;
  }

 private:
  fs::path root_;
  std::unordered_set<std::string> seen_;
};

void check_not_empty(const std::vector<ListedVideo>& videos, const fs::path& place,
                     const std::string& note = {}) {
  if (videos.empty()) fail(ErrorKind::kData, place.string(), ": no videos", note);
}

void read_line(const TextLines& lines, const VideosSource& config, VideoNames& names,
               std::vector<std::string_view>& fields, std::vector<ListedVideo>& videos) {
  const auto add = [&](std::string_view name, int64_t label) {
    videos.push_back({names.add(lines, name), lines.begin(), -1, label});
  };
  split(lines.line(), ' ', true, fields);
  switch (config.format) {
    case VideoListFormat::kName:
      if (fields.size() != 1) lines.refuse(fields.size(), " fields, expected the name of a video");
      return add(fields[0], -1);
    case VideoListFormat::kNameLabel:
      if (fields.size() != 2) lines.refuse(fields.size(), " fields, expected a video, a space and a label");
      return add(fields[0], parse_label(lines, fields[1], 0));
    case VideoListFormat::kLabelNames:
      if (fields.size() < 2) lines.refuse(fields.size(), " fields, expected a label and its videos");
      for (size_t i = 1; i < fields.size(); ++i) add(fields[i], parse_label(lines, fields[0], 0));
      return;
  }
}

std::vector<std::string> names_of(std::vector<ListedVideo> videos) {
  std::vector<std::string> names;
  for (ListedVideo& video : videos) names.push_back(std::move(video.name));
  return names;
}

}  // namespace

std::vector<ListedVideo> read_video_list(const FramesSource& config) {
  TextLines lines(config.list.value);
  VideoNames names(config.root.value);
  std::vector<ListedVideo> videos;
  std::vector<std::string_view> fields;
  while (lines.next()) {
    split(lines.line(), ' ', true, fields);
    if (fields.size() > 2) lines.refuse(fields.size(), " fields, expected a video and its number of frames");
    ListedVideo video{names.add(lines, fields[0]), lines.begin()};
    if (fields.size() == 2) video.frames = parse_label(lines, fields[1], 1);
    videos.push_back(std::move(video));
  }
  check_not_empty(videos, lines.path());
  return videos;
}

std::vector<ListedVideo> read_video_list(const VideosSource& config, LeftOut* left_out) {
  std::vector<ListedVideo> videos;
  if (config.list.empty()) {
    for_each_file(
        config.root.value, is_video_name, [&](std::string name) { videos.push_back({std::move(name)}); },
        left_out);
    check_not_empty(videos, config.root.value, left_out ? left_out->note() : "");
    return videos;
  }
  TextLines lines(config.list.value);
  VideoNames names(config.root.value);
  std::vector<std::string_view> fields;
  while (lines.next()) read_line(lines, config, names, fields, videos);
  check_not_empty(videos, lines.path());
  return videos;
}

std::vector<std::string> list_videos(const FramesSource& config) { return names_of(read_video_list(config)); }
std::vector<std::string> list_videos(const VideosSource& config, LeftOut* left_out) {
  return names_of(read_video_list(config, left_out));
}

std::string place_of_video(const DataPath& list, const ListedVideo& video, const fs::path& root) {
  if (list.empty()) return (root / video.name).string();
  return concat(TextLines(list.value).place_at(video.line), ": video '", video.name, "'");
}

}  // namespace uir
