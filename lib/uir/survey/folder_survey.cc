#include "uir/survey/folder_survey.h"

#include <algorithm>
#include <map>
#include <memory>

#include "uir/base/quoting.h"
#include "uir/data/folder_listing.h"
#include "uir/data/left_out.h"
#include "uir/survey/file_survey.h"
#include "uir/survey/names.h"

namespace uir {
namespace {

constexpr int kDeepest = 8;           // folders below one that was named
constexpr size_t kSampledSizes = 20;  // images whose headers are read

bool any_name(const fs::path&) { return true; }

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::binary_search(names, name);
}

// Every n-th of them, at most kSampledSizes.
bool is_sampled(size_t i, size_t n) {
  const size_t step = std::max<size_t>(1, n / kSampledSizes);
  return i % step == 0 && i / step < kSampledSizes;
}

std::optional<ImageSize> size_of_images(const fs::path& folder, const std::vector<std::string>& images) {
  std::vector<fs::path> sample;
  for (size_t i = 0; i < images.size(); ++i) {
    if (is_sampled(i, images.size())) sample.push_back(folder / images[i]);
  }
  return most_frequent_size(sample);
}

// IJB-B and IJB-C as the public evaluation scripts have them.
std::optional<FoundSource> find_ijb(const fs::path& folder) {
  for (const std::string benchmark : {"ijbc", "ijbb"}) {
    const fs::path meta = folder / "meta", list = meta / (benchmark + "_name_5pts_score.txt");
    if (!is_file(list) || !is_file(meta / (benchmark + "_face_tid_mid.txt"))) continue;
    FoundSource found;
    found.path = folder;
    found.source.role = Role::kTest;
    found.source.kind = ListSource{{list.string()}, {(folder / "loose_crop").string()}, ListFormat::kIjb, {}};
    found.what = concat(benchmark == "ijbc" ? "IJB-C" : "IJB-B", " with its lists");
    const std::string rest = ", benchmark: " + benchmark;
    if (is_file(meta / (benchmark + "_template_pair_label.txt")))
      found.protocols.push_back({"type: ijb_verification" + rest, "meta", meta});
    if (is_file(meta / (benchmark + "_1N_probe_mixed.csv")))
      found.protocols.push_back({"type: ijb_identification" + rest, "meta", meta});
    return found;
  }
  return std::nullopt;
}

std::optional<FoundSource> find_cfp(const fs::path& folder) {
  const fs::path protocol = folder / "Protocol", images = folder / "Data" / "Images";
  std::error_code error;
  if (!is_file(protocol / "Pair_list_P.txt") || !fs::is_directory(images, error)) return std::nullopt;
  FoundSource found;
  found.path = images;
  found.to_write = ListToWrite::kImages;
  found.source.role = Role::kTest;
  found.source.kind = ListSource{{}, {images.string()}, ListFormat::kPath, {}};
  found.what = "CFP with its protocol";
  found.protocols = {{"type: verification, format: cfp_fp", "pairs", protocol},
                     {"type: verification, format: cfp_ff", "pairs", protocol}};
  return found;
}

bool are_agedb(const std::vector<std::string>& images) {
  return std::ranges::none_of(images, [](const std::string& name) { return agedb_person(name).empty(); });
}

void take_agedb(const fs::path& folder, const std::vector<std::string>& images, FoundSource& found) {
  std::map<std::string_view, int64_t> images_of;
  for (const std::string& name : images) ++images_of[agedb_person(name)];
  found.people = std::ssize(images_of);
  found.people_of_two = std::ranges::count_if(images_of, [](const auto& p) { return p.second >= 2; });
  found.to_write = ListToWrite::kAgeDb;
  found.source.role = Role::kTest;
  found.source.kind = ListSource{{}, {folder.string()}, ListFormat::kPathLabel, {}};
  found.what += concat(" of ", count_of(found.people, "person", "people"), ", named as AgeDB's");
}

}  // namespace

// What a folder directly below the one that is looked at holds.
struct FolderSurvey::Child {
  std::string name;
  int64_t images = 0, folders = 0;
  bool special = false;  // files of data besides images
  bool texts = false;    // files that may be lists
};

struct FolderSurvey::Children {
  std::vector<Child> all;
  std::vector<fs::path> sample;  // images among them
  LeftOut left_out;

  int64_t count(bool (*fits)(const Child&)) const { return std::ranges::count_if(all, fits); }
  int64_t flat() const {
    return count([](const Child& c) { return c.images > 0 && c.folders == 0; });
  }
  int64_t named() const {
    return count([](const Child& c) { return role_of_name(c.name).has_value(); });
  }
  int64_t filled() const {
    return count([](const Child& c) { return c.images > 0 || c.folders > 0 || c.special; });
  }
  int64_t special() const {
    return count([](const Child& c) { return c.special; });
  }
  int64_t with_images() const {
    return count([](const Child& c) { return c.images > 0; });
  }
  // Nearly all of them hold images and nothing else, and their names are no roles.
  bool are_people() const {
    return flat() >= 2 && flat() * 10 >= filled() * 9 && named() * 2 < filled() && special() == 0;
  }
};

void FolderSurvey::look(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    collected_.folders.push_back(path.parent_path());
    return look_at(path, std::nullopt, 0);
  }
  if (!fs::exists(path, error)) fail(ErrorKind::kMissingInput, path.string(), ": no such file or folder");
  if (is_video_name(path)) {
    return collected_.leave_out(path, "a single video; name the folder that holds it");
  }
  if (!survey_file(path, role_of(path, std::nullopt), collected_))
    collected_.leave_out(path, "is of no kind that is read; name a folder, a .rec, .bin, .onnx or a list");
}

void FolderSurvey::check_all_used() const {
  for (size_t i = 0; i < said_.size(); ++i) {
    if (!used_[i])
      fail(ErrorKind::kUsage, "--as ", enum_name(said_[i].role), " ", said_[i].path.string(),
           ": there is no such data among those given; name the folder or file as the output of this command "
           "does");
  }
}

std::optional<Role> FolderSurvey::said_of(const fs::path& path) {
  std::optional<Role> role;
  for (size_t i = 0; i < said_.size(); ++i) {
    if (said_[i].path != path) continue;
    used_[i] = true;
    role = said_[i].role;
  }
  return role;
}

std::optional<Role> FolderSurvey::role_of(const fs::path& path, std::optional<Role> inherited) {
  if (const auto said = said_of(path)) return said;
  const auto named = role_of_name(path.filename().string());
  if (inherited == Role::kTest) return inherited;  // test/faces: faces to test with
  return named ? named : inherited;
}

// test/faces are faces to test with; those in my_test_project/faces need not be.
std::optional<Role> FolderSurvey::role_below(const fs::path& folder, std::optional<Role> role,
                                             std::optional<Role> inherited) {
  return said_of(folder) || is_role_name(folder.filename().string()) ? role : inherited;
}

bool FolderSurvey::look_at_benchmark(const fs::path& folder, const std::vector<std::string>& folders) {
  std::optional<FoundSource> found;
  if (has(folders, "meta")) found = find_ijb(folder);
  if (!found && has(folders, "Protocol")) found = find_cfp(folder);
  if (!found) return false;
  collected_.survey.sources.push_back(std::move(*found));
  return true;
}

FolderSurvey::Children FolderSurvey::children_of(const fs::path& folder,
                                                 const std::vector<std::string>& names) {
  Children children;
  children.all.reserve(names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    const FolderContent content = list_folder(folder / names[i], any_name);
    Child child{names[i], 0, std::ssize(content.folders)};
    for (const std::string& file : content.files) {
      if (is_image_name(file)) {
        if (child.images++ == 0 && is_sampled(i, names.size()))
          children.sample.push_back(folder / names[i] / file);
      } else if (is_video_name(file) || file.ends_with(".rec") || file.ends_with(".bin") ||
                 file.ends_with(".tar") || file.ends_with(".onnx")) {
        child.special = true;
      } else {
        child.texts |= file.ends_with(".txt") || file.ends_with(".lst");
        children.left_out.add_file(file);
      }
    }
    children.all.push_back(std::move(child));
  }
  return children;
}

void FolderSurvey::look_at(const fs::path& folder, std::optional<Role> inherited, int depth) {
  if (depth > kDeepest) return collected_.leave_out(folder, "too deep below what was named");
  const std::optional<Role> role = role_of(folder, inherited);
  const std::optional<Role> below = role_below(folder, role, inherited);
  const FolderContent content = list_folder(folder, any_name);
  if (has(content.files, "index_report.json") || has(content.files, "log.jsonl"))
    return collected_.leave_out(folder, "the folder of a run");
  if (look_at_benchmark(folder, content.folders)) return;
  collected_.folders.push_back(folder);
  std::vector<std::string> images, videos;
  LeftOut left_out;
  for (const std::string& file : content.files) {
    if (is_image_name(file)) {
      images.push_back(file);
    } else if (is_video_name(file)) {
      videos.push_back(file);
    } else if (!survey_file(folder / file, role_of(folder / file, below), collected_)) {
      left_out.add_file(file);
    }
  }
  for (const std::string& line : left_out.lines()) collected_.leave_out(folder, line);
  if (!videos.empty()) survey_videos(folder, videos, role, collected_);
  Children children = children_of(folder, content.folders);
  look_at_images(folder, images, children, role, below, depth);
}

void FolderSurvey::look_at_images(const fs::path& folder, const std::vector<std::string>& images,
                                  Children& children, std::optional<Role> role, std::optional<Role> below,
                                  int depth) {
  const bool strangers = role == Role::kUnlabeled && children.special() == 0 && children.with_images() > 0;
  if (images.empty() && !strangers && children.are_people()) return add_people(folder, children, role);
  if (strangers || !images.empty()) {
    if (children.are_people() && !strangers && std::ssize(images) < children.flat()) {
      fail(ErrorKind::kData, (folder / images.front()).string(), ": lies outside any person's folder, with ",
           images.size() - 1, " more; move ", images.size() == 1 ? "it" : "them",
           " into folders of people, or say that nobody is told apart: --as unlabeled ", folder.string());
    }
    if (strangers || children.special() == 0) return add_images(folder, images, children, role);
    add_images(folder, images, *std::make_unique<Children>(), role);
  }
  for (const Child& child : children.all) {
    if (child.images > 0 || child.folders > 0 || child.special || child.texts)
      look_at(folder / child.name, below, depth + 1);
  }
}

void FolderSurvey::add_people(const fs::path& folder, Children& children, std::optional<Role> role) {
  FoundSource found;
  found.path = folder;
  found.source.kind = FolderSource{{folder.string()}, {}};
  for (Child& child : children.all) {
    if (child.folders > 0) {
      fail(ErrorKind::kData, (folder / child.name).string(),
           ": holds another folder, while those beside it hold a person's images each; move it elsewhere");
    }
    if (child.images == 0) {
      children.left_out.add_empty_folder();
      continue;
    }
    found.images += child.images;
    found.add_person(child.images);
    found.in_folders.push_back({std::move(child.name), child.images});
  }
  for (const std::string& line : children.left_out.lines()) collected_.leave_out(folder, line);
  found.size = most_frequent_size(children.sample);
  found.what = concat("folder of ", count_of(found.people, "person", "people"), ", ",
                      count_of(found.images, "image", "images"));
  found.source.role = role ? *role : people_or_strangers(found);
  if (found.source.role == Role::kUnlabeled) {
    found.people = 0;
    found.in_folders.clear();
  }
  collected_.survey.sources.push_back(std::move(found));
}

// Where nearly everybody has one image, both are equally likely: one folder a person, or strangers in
// folders.
Role FolderSurvey::people_or_strangers(const FoundSource& found) {
  constexpr int64_t kNearlyAll = 10;  // one in so many may have two images
  if (found.people_of_two * kNearlyAll >= found.people) return Role::kLabeled;
  const std::string question =
      concat(found.path.string(), ": ", found.people - found.people_of_two, " of ", found.people,
             " folders hold one image. Are they people to be told apart, or strangers?");
  if (const auto answer = ask_ ? ask_(question) : std::nullopt) return *answer;
  fail(ErrorKind::kConfig, question, " Say which: --as labeled ", shell_quoted(found.path.string()),
       ", or --as unlabeled ", shell_quoted(found.path.string()));
}

void FolderSurvey::add_images(const fs::path& folder, const std::vector<std::string>& images,
                              Children& children, std::optional<Role> role) {
  FoundSource found;
  found.path = folder;
  found.source.kind = FolderSource{{folder.string()}, {}};
  found.source.role = Role::kUnlabeled;
  found.images = std::ssize(images);
  for (const Child& child : children.all) {
    found.images += child.images;
    if (child.folders > 0)
      for_each_file(folder / child.name, is_image_name,
                    [&](const std::string& item) { found.images += item.find('/') != std::string::npos; });
  }
  found.size = images.empty() ? most_frequent_size(children.sample) : size_of_images(folder, images);
  found.what = concat("folder of ", count_of(found.images, "image", "images"));
  if (children.all.empty() && are_agedb(images)) {
    take_agedb(folder, images, found);
  } else if (role == Role::kTest) {
    found.to_write = ListToWrite::kImages;
    found.source.role = Role::kTest;
    found.source.kind = ListSource{{}, {folder.string()}, ListFormat::kPath, {}};
    found.guess = "nothing says who they are, so they were read as strangers to test with";
  } else if (role != Role::kUnlabeled) {
    found.guess = "no folders of people in it, so it was read as strangers";
  }
  collected_.survey.sources.push_back(std::move(found));
}

}  // namespace uir
