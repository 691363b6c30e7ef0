// What uir-index clean found, for people (text, one HTML page), for programs (JSON), and as lists that a
// source takes (`exclude`, `label_map`).
//
// Names come from functions: an image's by its row, an identity's by its label, both as the source has them.
// They are escaped, whatever they hold.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "uir/base/json.h"
#include "uir/eval/label_noise.h"

namespace uir {

struct NoiseNames {
  std::function<std::string(int64_t row)> item;
  std::function<std::string(int64_t label)> identity;
};

// How many of each kind the page and the text show.
inline constexpr size_t kShownNoise = 50;

// {"format": "uir-label-noise", "version": 1, …}; all that was found.
Json to_json(const std::string& set, const LabelNoise& noise, const NoiseNames& names);
std::string label_noise_text(const std::string& set, const LabelNoise& noise, const NoiseNames& names);
// pictures: files beside the page.
std::string label_noise_page(const std::string& set, const LabelNoise& noise, const NoiseNames& names,
                             const std::vector<std::string>& pictures);

// A line for each image: item, why, identity, its mean cosine there, the identity it is most like, that
// cosine.
std::string exclude_list(const LabelNoise& noise, const NoiseNames& names);
// A line for each class: identity, the one that it belongs to, their mean cosine.
std::string label_map_list(const LabelNoise& noise, const NoiseNames& names);

}  // namespace uir
