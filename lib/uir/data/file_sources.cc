// Sources whose images are files: folder trees, lists, folders of frames.
#include <algorithm>
#include <optional>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/text.h"
#include "uir/data/folder_listing.h"
#include "uir/data/list_file.h"
#include "uir/data/missing_files.h"
#include "uir/data/path_remedy.h"
#include "uir/data/source_kinds.h"
#include "uir/data/video_list.h"

namespace uir {
namespace {

// Landmarks from a CSV beside a folder or list, if there is one.
class SideLandmarks {
 public:
  explicit SideLandmarks(const DataPath& csv) {
    if (!csv.empty()) table_.emplace(csv.value);
  }
  void add_to(SourceRow& row) {
    if (table_) row.landmarks = table_->find(row.item);
  }
  void check_used() const {
    if (table_) table_->check_used();
  }
  bool given() const { return table_.has_value(); }

 private:
  std::optional<LandmarkTable> table_;
};

ImageFolder open_root(const DataPath& root) {
  try {
    return ImageFolder(root.value);
  } catch (const Error& error) {
    std::error_code unreadable;
    if (fs::exists(root.value, unreadable)) throw;
    throw Error(error.kind(), error.what() + root_remedy(root.value));
  }
}

class FolderTree : public Source {
 public:
  FolderTree(const FolderSource& config, Role role)
      : files_(open_root(config.root)), landmarks_(config.landmarks), role_(role) {}

  SourceInfo info() const override { return source_info(SourceKind::kFiles, files_.root()); }

  void for_each_row(const RowBody& body) override {
    if (role_ == Role::kUnlabeled) {
      for_each_file(
          files_.root(), is_image_name, [&](std::string item) { emit(std::move(item), -1, body); },
          &left_out_);
    } else {
      visit_identities(body);
    }
    landmarks_.check_used();
  }

  ImageFacts examine(const SourceRow& row, const ImageFacts* known) const override {
    return examine_file(files_, row.item, known);
  }
  void look(const SourceRow& row) const override { look_for_file(files_, row.item); }
  std::string place(const SourceRow& row) const override { return (files_.root() / row.item).string(); }

 private:
  void emit(std::string item, int64_t identity, const RowBody& body) {
    SourceRow row;
    row.item = std::move(item);
    row.identity = identity;
    landmarks_.add_to(row);
    body(std::move(row));
  }

  void visit_identities(const RowBody& body) {
    const FolderContent root = list_folder(files_.root(), is_image_name, &left_out_);
    if (!root.files.empty()) {
      refuse_layout(
          root.files.front(), "lies outside any identity's folder",
          concat("if the folder is one person's, write\n    root: ", files_.root().parent_path().string(),
                 "\n  and if it holds strangers\n    role: unlabeled"));
    }
    for (const std::string& identity : root.folders) {
      const FolderContent content = list_folder(files_.root() / identity, is_image_name, &left_out_);
      if (!content.folders.empty()) {
        refuse_layout(identity + "/" + content.folders.front(), "is a folder within an identity's folder",
                      concat("if ", identity,
                             " holds the people, write\n    root: ", (files_.root() / identity).string()));
      }
      if (content.files.empty()) left_out_.add_empty_folder();
      for (const std::string& image : content.files) {
        int64_t number = -1;
        identities_.add_name(identity, number);
        emit(identity + "/" + image, number, body);
      }
    }
  }

  [[noreturn]] void refuse_layout(const std::string& item, std::string_view what,
                                  const std::string& remedy) const {
    fail(ErrorKind::kData, (files_.root() / item).string(), ": ", what,
         "; expected root/<identity>/<image> (use a list for other layouts)\n  ", remedy);
  }

  ImageFolder files_;
  SideLandmarks landmarks_;
  Role role_;
};

// The labels of a list that may hold names: numbers if all of them are. Said where some are, but not all.
bool hold_numbers(const LabelSurvey& labels, const TextLines& lines) {
  if (labels.names == 0 || labels.numbers == 0) return labels.names == 0;
  log_warning(lines.place_at(labels.first_name), ": this label is no whole number",
              labels.names > 1 ? concat(", nor are ", labels.names - 1, " more") : "", ", while ",
              labels.numbers, labels.numbers == 1 ? " is" : " are",
              ": all labels of the list are taken as names");
  return false;
}

class List : public Source {
 public:
  List(const ListSource& config, Role role)
      : list_(config.list.value, config.format),
        files_(open_root(config.root)),
        landmarks_(config.landmarks),
        format_(config.format),
        role_(role) {
    if (role == Role::kLabeled && !ListFile::has_labels(format_)) {
      fail(ErrorKind::kConfig, config.list.value, ": lists of format ", enum_name(format_),
           " have no labels; the role must be unlabeled or test");
    }
    if (role != Role::kUnlabeled && ListFile::has_labels(format_))
      numbers_ = ListFile::labels_are_numbers(format_) ||
                 hold_numbers(survey_labels(config.list.value, format_), list_.lines());
  }

  SourceInfo info() const override { return source_info(SourceKind::kFiles, files_.root()); }

  void for_each_row(const RowBody& body) override {
    ListEntry entry;
    while (list_.next(entry)) {
      SourceRow row;
      row.item = item_of(entry.path);
      row.where = list_.lines().begin();
      row.landmarks = entry.landmarks;
      if (landmarks_.given()) landmarks_.add_to(row);
      if (role_ != Role::kUnlabeled) row.identity = identity_of(entry.label);
      body(std::move(row));
    }
    landmarks_.check_used();
  }

  ImageFacts examine(const SourceRow& row, const ImageFacts* known) const override {
    return examine_file(files_, row.item, known);
  }
  void look(const SourceRow& row) const override { look_for_file(files_, row.item); }
  std::string remedy(const SourceRow& row) const override { return remedy_for(row.item); }
  std::string place(const SourceRow& row) const override { return list_.lines().place_at(row.where); }

 private:
  std::string item_of(std::string_view path) const {
    try {
      return item_in(files_.root(), path);
    } catch (const Error& error) {
      const std::string remedy = remedy_for(path);
      throw Error(error.kind(),
                  concat(list_.place(), ": ", error.what(), remedy.empty() ? "" : "\n  ", remedy));
    }
  }

  std::string remedy_for(std::string_view path) const {
    return list_remedy(list_.lines().path(), format_, files_.root(), path);
  }

  int64_t identity_of(std::string_view label) {
    if (label.empty() && role_ == Role::kTest) return -1;
    if (label.empty()) list_.lines().refuse("the label is missing");
    int64_t identity = -1;
    if (!numbers_ && plain_number(label).value_or(0) >= 0) {
      if (has_control(label))
        list_.lines().refuse("label '", readable(label), "': a control character in it");
      identities_.add_name(label, identity);
    } else if (const int64_t number = parse_label(list_.lines(), label, role_ == Role::kTest ? -1 : 0);
               number >= 0) {
      identities_.add_number(number, identity);
    }
    return identity;
  }

  ListFile list_;
  ImageFolder files_;
  SideLandmarks landmarks_;
  ListFormat format_;
  Role role_;
  bool numbers_ = false;  // what the labels are, whole numbers or names
};

class Frames : public Source {
 public:
  Frames(const FramesSource& config, Role role) : config_(config), files_(open_root(config.root)) {
    if (role == Role::kLabeled) {
      fail(ErrorKind::kConfig, config.list.value,
           ": a list of videos has no labels; the role must be unlabeled or test");
    }
  }

  SourceInfo info() const override { return source_info(SourceKind::kFiles, files_.root()); }

  void for_each_row(const RowBody& body) override {
    const std::vector<ListedVideo> videos = read_video_list(config_);
    refuse_missing(videos);
    for (const ListedVideo& video : videos) {
      for (std::string& frame : frames_of(video)) {
        SourceRow row;
        row.item = concat(video.name, '/', frame);
        body(std::move(row));
      }
    }
  }

  ImageFacts examine(const SourceRow& row, const ImageFacts* known) const override {
    return examine_file(files_, row.item, known);
  }
  void look(const SourceRow& row) const override { look_for_file(files_, row.item); }
  std::string place(const SourceRow& row) const override { return (files_.root() / row.item).string(); }

 private:
  void refuse_missing(const std::vector<ListedVideo>& videos) const {
    MissingFiles missing;
    for (const ListedVideo& video : videos) {
      std::error_code error;
      if (!fs::exists(files_.root() / video.name, error))
        missing.add([&] { return place_of_video(config_.list, video, files_.root()) + ": no such folder"; });
    }
    missing.refuse("put the folders of these videos there, or take their lines out of the list");
  }

  std::vector<std::string> frames_of(const ListedVideo& video) {
    FolderContent content;
    try {
      content = list_folder(files_.root() / video.name, is_image_name, &left_out_);
    } catch (const Error& error) {
      throw error.at(place_of_video(config_.list, video, files_.root()));
    }
    const auto found = static_cast<int64_t>(content.files.size());
    if (!content.folders.empty()) refuse(video, "its folder holds another folder, ", content.folders.front());
    if (found == 0) refuse(video, "no frames (images) in its folder");
    if (video.frames >= 0 && video.frames != found) {
      refuse(video, found, " frames in its folder, the list says ", video.frames);
    }
    std::ranges::sort(content.files, natural_less);
    return std::move(content.files);
  }

  template <class... Parts>
  [[noreturn]] void refuse(const ListedVideo& video, const Parts&... parts) const {
    fail(ErrorKind::kData, place_of_video(config_.list, video, files_.root()), ": ", parts...);
  }

  const FramesSource config_;
  ImageFolder files_;
};

}  // namespace

std::unique_ptr<Source> make_source(const FolderSource& config, Role role) {
  return std::make_unique<FolderTree>(config, role);
}
std::unique_ptr<Source> make_source(const ListSource& config, Role role) {
  return std::make_unique<List>(config, role);
}
std::unique_ptr<Source> make_source(const FramesSource& config, Role role) {
  return std::make_unique<Frames>(config, role);
}

}  // namespace uir
