// What the rooms of survey/ pass on to each other while a survey grows.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "uir/base/error.h"
#include "uir/survey/survey.h"

namespace uir {

struct Collected {
  Survey survey;
  std::vector<fs::path> texts;    // files that may be lists
  std::vector<fs::path> folders;  // what paths of a list may be relative to

  template <class... Parts>
  void leave_out(const fs::path& path, const Parts&... why) {
    survey.left_out.push_back(concat(path.string(), ": ", why...));
  }
};

// "1,234 images"; "1 image".
std::string count_of(int64_t n, std::string_view thing, std::string_view things);

// The most frequent size of the images of these paths; those without a readable header do not count.
std::optional<ImageSize> most_frequent_size(std::span<const fs::path> images);

}  // namespace uir
