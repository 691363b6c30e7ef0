// What a labeled set hides: images unlike the rest of their class, classes that are one person, classes that
// are several people; by the embeddings of a network that may be anyone's.
//
// All comparisons are mean cosines: of an image with the images of a class, or of the images of two classes.
// They estimate the same thing whatever the sizes are.
//   1  Two thresholds, from the set itself unless given. `unlike`: what a share kWrongPass of (image, class of
//      another identity) reaches, drawn at random. `merge`, by the sizes of the two classes (1, 2 to 4, more):
//      what so many pairs of classes reach wrongly that kWrongMerges of the classes would be merged; at least
//      `unlike`. So far out no sample goes, so the scores at two rates that are known are extended along the
//      normal distribution (impostor_tail.h).
//   2  The images of a class are put into groups of one person each (one_person_groups.h, `unlike`). The
//      largest group is the class; other groups of one image are "unlike", of several a "second person". In a
//      class where no two images agree, the images that belong to another class go; if more than one is left,
//      all go.
//   3  Classes whose mean cosine reaches `merge` are one person. The class with the most images takes those
//      that reach it themselves, so no chain joins people who are not alike.
// Exact for the thresholds: float64 means of float32 unit vectors. Cost: one_person_groups() per class, and
// one scan (search/pair_scan.h) of all pairs of classes and one of the images that go. Memory: 4·D bytes per
// image, 12·D per class.
// Errors: those of scan_pairs(); kData for a set without labels, with one class only, or with too few images
// to tell what different people look like (kLeastSamples).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "uir/eval/people.h"
#include "uir/search/pair_scan.h"

namespace uir {

inline constexpr double kWrongPass = 0.01;     // of wrong images look right
inline constexpr double kWrongMerges = 0.001;  // of the classes
inline constexpr int64_t kLeastSamples = 1000;

// Classes by their number of images.
inline constexpr size_t kSizeKinds = 3;
size_t size_kind(int64_t images);  // 0: one, 1: two to four, 2: more

struct NoiseThresholds {
  std::optional<double> unlike, merge;  // given by the user
};

struct LabelNoise {
  enum class Why { kUnlike, kSecondPerson, kNoAgreement };
  struct Image {
    int64_t row = 0, label = 0;
    Why why{};
    double own = 0;        // mean cosine with the class's images, itself left out; −1: it has no others
    int64_t likely = -1;   // the class that it is most like
    double cosine = -1;    // mean cosine with that one's images
    bool belongs = false;  // so high that it belongs there
    int64_t shown = -1;    // row of an image of its own class to show beside it
  };
  struct Merge {
    int64_t label = 0, into = 0;
    double cosine = 0;
    int64_t images = 0, images_into = 0;
    int64_t shown = -1, shown_into = -1;  // rows
  };
  struct Group {
    int64_t label = 0, images = 0, others = 0;  // of the class, of its second person
    int64_t shown = -1, shown_other = -1;       // rows
  };

  int64_t images = 0, classes = 0;
  double unlike = 0;
  std::array<std::array<double, kSizeKinds>, kSizeKinds> merge{};  // [size_kind][size_kind]
  std::vector<Image> unlike_images;                                // class by class, by label
  std::vector<Merge> merges;                                       // most alike first
  std::vector<Group> groups;                                       // classes of several people, by label

  int64_t count(Why why) const;
};

std::string_view to_string(LabelNoise::Why why);

LabelNoise find_label_noise(const CanonicalVectors& images, std::span<const int64_t> labels,
                            const NoiseThresholds& thresholds, const ScanOptions& scan);

}  // namespace uir
