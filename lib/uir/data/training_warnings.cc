#include "uir/data/training_warnings.h"

#include <algorithm>

#include "uir/base/error.h"

namespace uir {
namespace {

std::string single_identity(const Index& index) {
  const std::vector<int64_t> rows = index.training_rows(Role::kLabeled);
  if (rows.empty()) return {};
  const auto label = [&](int64_t row) { return index.labels()[static_cast<size_t>(row)]; };
  if (!std::ranges::all_of(rows, [&](int64_t row) { return label(row) == label(rows.front()); })) return {};
  return concat(
      "all ", rows.size(), " labeled images to train on are of one identity, '",
      index.identity_name(label(rows.front())),
      "': its loss is 0 from the start and nothing can be learned; the labeled sources must hold at "
      "least two people, each in a folder (or under a label) of its own");
}

// Nine people in ten with one image: a folder for each image instead of each person, or a list whose label is
// the image's number.
std::string single_images(const Index& index) {
  const int64_t classes = index.num_classes();
  if (classes < 2) return {};
  std::vector<int64_t> images(static_cast<size_t>(classes), 0);
  for (const int64_t row : index.training_rows(Role::kLabeled))
    ++images.at(static_cast<size_t>(index.labels()[static_cast<size_t>(row)]));
  const int64_t single = std::ranges::count(images, 1);
  if (10 * single < 9 * classes) return {};
  return concat(single, " of ", classes,
                " labeled people have a single image: nothing tells what two images of a person have in "
                "common. Put all images of a person into one folder (in lists: under one label); if nobody "
                "knows who they are, write in that source\n    role: unlabeled");
}

std::string known_people(const KnownPeople& known) {
  if (known.images == 0) return {};
  std::string text = concat(known.images, known.images == 1 ? " unlabeled image is" : " unlabeled images are",
                            " byte for byte also in the labeled sources, under ", known.identities,
                            known.identities == 1 ? " identity" : " identities");
  for (const std::string& source : known.whole_sources)
    text += concat("; source '", source, "' holds nothing else");
  return text + concat(": the UIR loss would push these people away from their own classes (",
                       known.examples.front(),
                       "); leave them out (exclude), and their other photos with them (uir-index overlap)");
}

}  // namespace

std::vector<std::string> training_warnings(const Index& index, const ContentComparison& contents) {
  std::vector<std::string> warnings;
  for (const std::string& text :
       {single_identity(index), single_images(index), known_people(contents.known_people)}) {
    if (!text.empty()) warnings.push_back(text);
  }
  return warnings;
}

}  // namespace uir
