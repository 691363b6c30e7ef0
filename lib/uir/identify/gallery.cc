#include "uir/identify/gallery.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/base/text.h"
#include "uir/data/folder_listing.h"

namespace uir {
namespace {

constexpr float kComparable = 0.65f;  // of the larger face's side: a smaller one stands in the background

struct Photo {
  std::string person, file;
  ContentHash content;
  std::vector<AlignedFace> faces;
  std::string problem;  // why it gives no face
};

float side_of(const AlignedFace& face) {
  return std::min(width_of(face.found->box), height_of(face.found->box));
}

bool is_a_name_of_ours(const std::string& name) {
  constexpr std::string_view kStranger = "stranger ";
  return name.starts_with('?') || name.starts_with('#') || name == "unsure" || name == "too small" ||
         (name.starts_with(kStranger) &&
          std::ranges::all_of(name.substr(kStranger.size()), [](char c) { return c >= '0' && c <= '9'; }));
}

void check_person(const std::string& name, const fs::path& folder) {
  check_name(name, folder);
  if (is_a_name_of_ours(name))
    fail(ErrorKind::kData, (folder / name).string(), ": nobody can be called ", name,
         ", which stands for people who are not known; rename it");
}

std::vector<Photo> list_photos(const fs::path& folder) {
  std::vector<Photo> photos;
  const FolderContent content = list_folder(folder, is_image_name);
  for (const std::string& file : content.files)
    photos.push_back({fs::path(file).stem().string(), file, {}, {}, {}});
  for (const std::string& person : content.folders) {
    const size_t before = photos.size();
    for_each_file(folder / person, is_image_name, [&](const std::string& file) {
      photos.push_back({person, person + "/" + file, {}, {}, {}});
    });
    if (photos.size() == before)
      log_warning(readable((folder / person).string()), ": no photo; the person is left out");
  }
  for (const Photo& photo : photos) check_person(photo.person, folder);
  if (photos.empty())
    fail(ErrorKind::kData, folder.string(),
         ": no photos; a gallery is a folder with a folder of photos a person (people/Anna/1.jpg)");
  return photos;
}

void look_at(Photo& photo, const fs::path& folder, FaceAligner& aligner) {
  const MappedFile file(folder / photo.file);
  photo.content = content_hash(file.bytes());
  try {
    photo.faces = faces_of_photo(file.bytes(), aligner);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kData) throw;
    photo.problem = error.what();
  }
}

void look_at_all(std::vector<Photo>& photos, const fs::path& folder, FaceAlignerConfig config, int threads) {
  config.faces = FaceChoice::kAll;
  Progress progress("gallery", "photos", static_cast<int64_t>(photos.size()));
  parallel_blocks(static_cast<int64_t>(photos.size()), 8, threads, [&](int64_t begin, int64_t end) {
    FaceAligner aligner(config);
    for (int64_t i = begin; i < end; ++i) {
      look_at(photos[static_cast<size_t>(i)], folder, aligner);
      progress.add(1);
    }
  });
}

void refuse_two_faces(const Photo& photo, const fs::path& folder) {
  const auto second = std::ranges::find_if(photo.faces.begin() + 1, photo.faces.end(), [&](const auto& face) {
    return side_of(face) >= kComparable * side_of(photo.faces.front());
  });
  if (second == photo.faces.end()) return;
  fail(ErrorKind::kData, readable((folder / photo.file).string()), ": shows ", photo.faces.size(),
       " faces, and it cannot be told which is ", readable(photo.person),
       "; cut the photo to that one face, or take it out");
}

// Of the photo that has these bytes already; null: it is the first one.
const Photo* first_copy(std::map<ContentHash, const Photo*>& seen, const Photo& photo) {
  const auto [place, is_new] = seen.emplace(photo.content, &photo);
  return is_new ? nullptr : place->second;
}

}  // namespace

std::vector<AlignedFace> faces_of_photo(Bytes encoded, FaceAligner& aligner) {
  return aligner.align(decode_image(encoded), orientation_of(encoded), std::nullopt);
}

Gallery gallery_of_photo(const fs::path& file, FaceAligner& aligner) {
  const MappedFile bytes(file);
  Photo photo{"the one", file.filename().string(), {}, {}, {}};
  try {
    photo.faces = faces_of_photo(bytes.bytes(), aligner);
  } catch (const Error& error) {
    throw error.at(file.string());
  }
  refuse_two_faces(photo, file.parent_path());
  Gallery gallery;
  gallery.people.push_back({"?", {{photo.file, std::make_shared<FacePixels>(photo.faces.front().rgb)}}});
  return gallery;
}

Gallery read_gallery(const fs::path& folder, const FaceAlignerConfig& aligner, int threads) {
  if (!fs::is_directory(folder))
    fail(ErrorKind::kMissingInput, folder.string(),
         ": no such folder; --gallery names one with a folder of "
         "photos a person");
  std::vector<Photo> photos = list_photos(folder);
  look_at_all(photos, folder, aligner, threads);
  Gallery gallery;
  std::map<std::string, GalleryFaces> people;
  std::map<ContentHash, const Photo*> seen;
  Checksum checksum;
  for (const Photo& photo : photos) {
    const std::string name = readable((folder / photo.file).string());
    const Photo* copy = first_copy(seen, photo);
    if (copy && copy->person != photo.person)
      fail(ErrorKind::kData, name, ": the same photo as ", readable(copy->file), ", under another name");
    if (copy || photo.faces.empty()) {
      log_warning(name, ": ", copy ? "the same photo as " + readable(copy->file) : photo.problem,
                  "; it is left out");
      continue;
    }
    refuse_two_faces(photo, folder);
    checksum.add(as_bytes(concat(photo.person, '\n', photo.content.low, photo.content.high, '\n')));
    GalleryFaces& person = people[photo.person];
    person.name = photo.person;
    person.faces.push_back({photo.file, std::make_shared<FacePixels>(photo.faces.front().rgb)});
  }
  for (auto& [name, person] : people) gallery.people.push_back(std::move(person));
  if (gallery.people.empty()) fail(ErrorKind::kData, folder.string(), ": no photo shows a face");
  gallery.checksum = checksum_hex(checksum.value());
  return gallery;
}

}  // namespace uir
