#include <algorithm>
#include <cmath>

#include "uir/base/json_text.h"
#include "uir/base/text.h"
#include "uir/timeline/edits.h"
#include "uir/timeline/names.h"

namespace uir {
namespace {

struct KindName {
  EditKind kind;
  const char* name;
};
constexpr KindName kKinds[] = {{EditKind::kName, "name"},
                               {EditKind::kNot, "not"},
                               {EditKind::kMerge, "merge"},
                               {EditKind::kSplit, "split"},
                               {EditKind::kUndo, "undo"}};

fs::path log_file(const fs::path& folder) { return folder / "edits.jsonl"; }

double rounded(float side) { return std::round(static_cast<double>(side) * 10) / 10; }

Json json_of(const Target& target) {
  Json places = Json::array();
  for (const Anchor& anchor : target.anchors) {
    const Json when = anchor.photo.empty() ? Json(anchor.seconds) : Json(anchor.photo);
    places.push_back(Json::array({when, rounded(anchor.box[0]), rounded(anchor.box[1]),
                                  rounded(anchor.box[2]), rounded(anchor.box[3])}));
  }
  return {{"group", target.group}, {"places", std::move(places)}};
}

Json json_of(const Edit& edit) {
  Json json = {{"edit", std::find_if(std::begin(kKinds), std::end(kKinds), [&](const KindName& k) {
                          return k.kind == edit.kind;
                        })->name}};
  if (edit.kind == EditKind::kUndo) return json;
  json["who"] = edit.who;
  json["at"] = json_of(edit.at);
  if (edit.kind == EditKind::kMerge) json["with"] = json_of(edit.with);
  if (edit.kind == EditKind::kSplit) {
    json["seconds"] = edit.seconds;
  } else {
    json["name"] = edit.name;
  }
  return json;
}

double seconds_in(const Json& json, const std::string& place) {
  constexpr double kMost = 1e7;  // what a timeline may last (timeline_reader.cc)
  if (!json.is_number() || std::abs(json.get<double>()) > kMost)
    fail(ErrorKind::kData, place, ": a time is no number of seconds");
  return json.get<double>();
}

Anchor anchor_of(const Json& json, const std::string& place) {
  const auto refuse = [&] {
    fail(ErrorKind::kData, place, ": a place is [seconds or photo, x1, y1, x2, y2]");
  };
  if (!json.is_array() || json.size() != 5 || !(json[0].is_number() || json[0].is_string())) refuse();
  Anchor anchor;
  if (json[0].is_string()) {
    anchor.photo = json[0].get<std::string>();
  } else {
    anchor.seconds = seconds_in(json[0], place);
  }
  for (size_t i = 0; i < 4; ++i) {
    if (!json[i + 1].is_number() || std::abs(json[i + 1].get<double>()) > 1e6) refuse();
    anchor.box[i] = json[i + 1].get<float>();
  }
  return anchor;
}

Target target_of(const Json& json, const std::string& key, const std::string& place) {
  const Json target = json_at<Json>(json, key, place);
  Target result;
  result.group = json_at<bool>(target, "group", place);
  for (const Json& entry : json_at<Json>(target, "places", place))
    result.anchors.push_back(anchor_of(entry, place));
  return result;
}

Edit edit_of(const Json& json, const std::string& place) {
  const std::string kind = json_at<std::string>(json, "edit", place);
  const auto found =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const KindName& k) { return k.name == kind; });
  if (found == std::end(kKinds)) {
    fail(ErrorKind::kData, place, ": '", readable(kind), "' is none of name, not, merge, split, undo");
  }
  Edit edit;
  edit.kind = found->kind;
  if (edit.kind == EditKind::kUndo) return edit;
  edit.who = json_at<std::string>(json, "who", place);
  edit.at = target_of(json, "at", place);
  if (edit.kind == EditKind::kMerge) edit.with = target_of(json, "with", place);
  if (edit.kind == EditKind::kSplit) {
    edit.seconds = seconds_in(json_at<Json>(json, "seconds", place), place);
  } else {
    edit.name = json_at<std::string>(json, "name", place);
    if (!is_clean_name(edit.name)) fail(ErrorKind::kData, place, ": the name is not one line of text");
    if (edit.kind == EditKind::kName && edit.name.empty())
      fail(ErrorKind::kData, place, ": the name is empty");
  }
  return edit;
}

std::string log_text(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(log_file(folder), ignored) ? read_text_file(log_file(folder)) : std::string();
}

}  // namespace

std::vector<Edit> read_edits(const fs::path& folder) {
  return parse_edits(log_text(folder), log_file(folder).string());
}

std::vector<Edit> parse_edits(std::string_view text, const std::string& place) {
  std::vector<Edit> edits;
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = concat(place, ':', ++number);
    try {
      edits.push_back(edit_of(Json::parse(text.substr(begin, end - begin)), line));
    } catch (const Json::exception& e) {
      fail(ErrorKind::kData, line, ": not valid JSON: ", e.what(),
           "; a line that cannot be repaired may be removed");
    }
    begin = end + 1;
  }
  return edits;
}

void append_edit(const fs::path& folder, const Edit& edit) {
  std::string text = log_text(folder);
  if (!text.empty() && text.back() != '\n') text += '\n';
  write_file_atomically(log_file(folder), text + json_text(json_of(edit)) + '\n');
}

std::vector<Edit> edits_in_effect(const std::vector<Edit>& log) {
  std::vector<Edit> edits;
  for (const Edit& edit : log) {
    if (edit.kind != EditKind::kUndo) {
      edits.push_back(edit);
    } else if (!edits.empty()) {
      edits.pop_back();
    }
  }
  return edits;
}

}  // namespace uir
