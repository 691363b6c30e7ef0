#include "uir/survey/list_survey.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <unordered_map>

#include "uir/data/folder_listing.h"
#include "uir/data/list_file.h"
#include "uir/data/path_remedy.h"
#include "uir/eval/pairs.h"
#include "uir/formats/text_lines.h"
#include "uir/survey/names.h"

namespace uir {
namespace {

constexpr size_t kTriedLines = 20;
constexpr int kAncestors = 3;  // folders above a list that its paths may be relative to

// Tried in this order: an image that is there decides.
constexpr std::array kFormats{ListFormat::kPathLabel,     ListFormat::kPathSpaceLabel,
                              ListFormat::kIm2rec,        ListFormat::kInsightFace,
                              ListFormat::kTrillionPairs, ListFormat::kIjb,
                              ListFormat::kPathPoints,    ListFormat::kPath};

bool is_image_file(const fs::path& path) {
  std::error_code error;
  return is_image_name(path) && fs::is_regular_file(path, error);
}

// The first paths of a list; none if it is of another format.
std::vector<std::string> first_paths(const fs::path& list, ListFormat format) {
  std::vector<std::string> paths;
  try {
    ListFile file(list, format);
    ListEntry entry;
    while (paths.size() < kTriedLines && file.next(entry)) paths.emplace_back(entry.path);
  } catch (const Error&) {
    paths.clear();
  }
  return paths;
}

// The folders that paths of the list may be relative to, nearest first.
std::vector<fs::path> possible_roots(const fs::path& list, const Collected& collected) {
  std::vector<fs::path> roots;
  const auto add = [&roots](const fs::path& root) {
    if (!root.empty() && std::ranges::find(roots, root) == roots.end()) roots.push_back(root);
  };
  fs::path folder = list.parent_path();
  for (int i = 0; i <= kAncestors; ++i, folder = folder.parent_path()) add(folder);
  for (const fs::path& seen : collected.folders) add(seen);
  for (const FoundSource& found : collected.survey.sources) {
    add(found.path);
    add(found.path.parent_path());
  }
  return roots;
}

// Paths of a source lie below its folder.
bool has_absolute(const std::vector<std::string>& paths) {
  return std::ranges::any_of(paths, [](const std::string& path) { return path.starts_with('/'); });
}

// "rewrite the list: sed …" of several lines.
std::string one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    if (c == '\n') line += ' ';
    if (c != '\n' && !(c == ' ' && line.ends_with(' '))) line += c;
  }
  return line;
}

std::optional<fs::path> root_of(const std::vector<std::string>& paths, const std::vector<fs::path>& roots) {
  if (paths.empty() || has_absolute(paths)) return std::nullopt;
  for (const fs::path& root : roots) {
    if (std::ranges::all_of(paths, [&](const std::string& path) { return is_image_file(root / path); }))
      return root;
  }
  return std::nullopt;
}

void count_list(const ListSource& source, FoundSource& found) {
  std::unordered_map<size_t, int64_t> images_of;  // by a label's hash
  ListFile file(source.list.value, source.format);
  ListEntry entry;
  while (file.next(entry)) {
    ++found.images;
    if (!entry.label.empty() && entry.label != "-1") ++images_of[std::hash<std::string_view>()(entry.label)];
  }
  for (const auto& [label, images] : images_of) found.add_person(images);
}

class ListSurvey {
 public:
  ListSurvey(const std::vector<RoleOfPath>& said, Collected& collected)
      : said_(said), collected_(collected) {}

  void run() {
    std::vector<fs::path> rest;
    for (const fs::path& text : collected_.texts) {
      if (!take_as_list(text)) rest.push_back(text);
    }
    drop_covered_folders();
    for (const fs::path& text : rest) {
      if (!take_as_pairs(text)) collected_.leave_out(text, reason_of(text));
    }
  }

 private:
  bool take_as_list(const fs::path& list) {
    if (looks_like_pairs(list) || is_of_experiment(list)) return false;
    const std::vector<fs::path> roots = possible_roots(list, collected_);
    for (const ListFormat format : kFormats) {
      const std::vector<std::string> paths = first_paths(list, format);
      if (const auto root = root_of(paths, roots)) {
        add_list(list, format, *root, paths);
        return true;
      }
    }
    return false;
  }

  void add_list(const fs::path& list, ListFormat format, const fs::path& root,
                const std::vector<std::string>& paths) {
    FoundSource found;
    const ListSource source{{list.string()}, {root.string()}, format, {}};
    found.path = list;
    found.source.kind = source;
    count_list(source, found);
    found.source.role = role_of_list(list, found.people);
    found.what = concat("list of ", count_of(found.images, "image", "images"),
                        found.people > 0 ? " of " + count_of(found.people, "person", "people") : "", " in ",
                        root.string());
    if (found.source.role == Role::kUnlabeled) found.people = 0;
    std::vector<fs::path> images;
    for (const std::string& path : paths) images.push_back(root / path);
    found.size = most_frequent_size(images);
    covered_.push_back(images.front().lexically_normal());
    collected_.survey.sources.push_back(std::move(found));
  }

  Role role_of_list(const fs::path& list, int64_t people) const {
    for (const RoleOfPath& said : said_) {
      if (said.path == list) return said.role;
    }
    const auto named = role_of_name(list.stem().string());
    if (people < 2) return named == Role::kTest ? Role::kTest : Role::kUnlabeled;
    return named.value_or(Role::kLabeled);
  }

  void drop_covered_folders() {
    std::erase_if(collected_.survey.sources, [this](const FoundSource& found) {
      const auto* folder = std::get_if<FolderSource>(&found.source.kind);
      const bool covered = folder && std::ranges::any_of(covered_, [&](const fs::path& image) {
                             return image.string().starts_with(folder->root.value + "/");
                           });
      if (covered) collected_.leave_out(found.path, "its images are taken as the lists name them");
      return covered;
    });
  }

  // "exp.faces.lst" beside exp.yaml: written with it (choice.cc).
  static bool is_of_experiment(const fs::path& list) {
    std::error_code error;
    return list.stem().has_extension() &&
           fs::is_regular_file(list.parent_path() / list.stem().replace_extension("yaml"), error);
  }

  // --- Pairs -----------------------------------------------------------------------------------------------

  static bool looks_like_pairs(const fs::path& list) {
    return in_lower_case(list.stem().string()).find("pair") != std::string::npos;
  }

  static std::vector<std::string> items_of(const FoundSource& found) {
    std::vector<std::string> items;
    if (const auto* list = std::get_if<ListSource>(&found.source.kind); list && !list->list.empty()) {
      ListFile file(list->list.value, list->format);
      ListEntry entry;
      while (file.next(entry)) items.emplace_back(entry.path);
    } else if (list || std::holds_alternative<FolderSource>(found.source.kind)) {
      for_each_file(found.path, is_image_name, [&](std::string item) { items.push_back(std::move(item)); });
    }
    return items;
  }

  static bool fits(const fs::path& pairs, PairsFormat format, const std::vector<std::string>& items) {
    const std::vector<std::string_view> views(items.begin(), items.end());
    try {
      return !read_pairs(pairs, format, views).pairs.empty();
    } catch (const Error&) {
      return false;
    }
  }

  // Test data first: pairs of people who are trained on measure nothing.
  bool take_as_pairs(const fs::path& text) {
    if (!looks_like_pairs(text)) return false;
    std::vector<FoundSource*> sources;
    for (FoundSource& found : collected_.survey.sources) sources.push_back(&found);
    std::ranges::stable_partition(sources,
                                  [](const FoundSource* f) { return f->source.role == Role::kTest; });
    for (FoundSource* found : sources) {
      if (attach(text, *found)) return true;
    }
    return false;
  }

  bool attach(const fs::path& text, FoundSource& found) {
    const bool folder = std::holds_alternative<FolderSource>(found.source.kind);
    if (found.source.role != Role::kTest && !folder) return false;
    const std::vector<std::string> items = items_of(found);
    if (items.empty()) return false;
    for (const PairsFormat format : {PairsFormat::kLfw, PairsFormat::kPathPairs, PairsFormat::kCalfw}) {
      if (!fits(text, format, items)) continue;
      found.protocols.push_back({concat("type: verification, format: ", enum_name(format)), "pairs", text});
      if (found.source.role != Role::kTest) make_test(text, found);
      return true;
    }
    return false;
  }

  static void make_test(const fs::path& text, FoundSource& found) {
    found.guess =
        concat("the pairs of ", text.filename().string(), " are its images, so it was read as test data");
    found.source.role = Role::kTest;
    if (found.people > 0) return;  // folders of people are read as they are
    found.to_write = ListToWrite::kImages;
    found.source.kind = ListSource{{}, {found.path.string()}, ListFormat::kPath, {}};
  }

  std::string reason_of(const fs::path& text) const {
    if (looks_like_pairs(text))
      return "pairs whose images are in no data that was found, or all in training data";
    if (is_of_experiment(text)) return "a list of the experiment beside it";
    for (const ListFormat format : kFormats) {
      const std::vector<std::string> paths = first_paths(text, format);
      if (!paths.empty() && is_image_name(paths.front())) return not_found(text, format, paths.front());
    }
    return "a text file that is no list of images or pairs";
  }

  static std::string not_found(const fs::path& text, ListFormat format, const std::string& path) {
    const std::string remedy = list_remedy(text, format, text.parent_path(), path);
    if (!remedy.empty()) return "a list whose images were not found: " + one_line(remedy);
    return concat("a list whose images were not found: no '", path.substr(0, 60),
                  "' below the folders that were named; name the folder that they lie in as well");
  }

  const std::vector<RoleOfPath>& said_;
  Collected& collected_;
  std::vector<fs::path> covered_;  // an image of each list
};

}  // namespace

void survey_lists(const std::vector<RoleOfPath>& said, Collected& collected) {
  ListSurvey(said, collected).run();
}

}  // namespace uir
