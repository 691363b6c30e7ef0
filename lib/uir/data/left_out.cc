#include "uir/data/left_out.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/text.h"

namespace uir {
namespace {

constexpr size_t kMaxKinds = 64, kShownKinds = 10;
constexpr size_t kLongestExtension = 16;  // "archive.2021-03-04 of the first camera" has none

std::string kind_of_name(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot + 1 == name.size() || name.size() - dot > kLongestExtension)
    return "no extension";
  std::string kind(name.substr(dot));
  std::ranges::transform(kind, kind.begin(),
                         [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  return readable(kind);
}

}  // namespace

void LeftOut::add_file(std::string_view name) {
  ++files_;
  std::string kind = kind_of_name(name);
  if (kinds_.size() >= kMaxKinds && !kinds_.contains(kind)) kind = "other kinds";
  ++kinds_[std::move(kind)];
}

std::vector<std::string> LeftOut::lines() const {
  std::vector<std::string> lines;
  if (files_ > 0) {
    std::vector<std::pair<std::string, int64_t>> kinds(kinds_.begin(), kinds_.end());
    std::ranges::stable_sort(kinds, std::greater(), &std::pair<std::string, int64_t>::second);
    std::string line = concat(files_, files_ == 1 ? " file" : " files", " of kinds that are not read: ");
    for (size_t i = 0; i < std::min(kShownKinds, kinds.size()); ++i)
      line += concat(i > 0 ? ", " : "", kinds[i].second, ' ', kinds[i].first);
    if (kinds.size() > kShownKinds) line += concat(", and ", kinds.size() - kShownKinds, " kinds more");
    lines.push_back(std::move(line));
  }
  if (empty_folders_ > 0) {
    lines.push_back(concat(empty_folders_, empty_folders_ == 1 ? " folder" : " folders",
                           " without an image: no identity comes of ", empty_folders_ == 1 ? "it" : "them"));
  }
  return lines;
}

std::string LeftOut::note() const {
  const std::vector<std::string> all = lines();
  return all.empty() ? "" : concat("; left out: ", all.front());
}

Json LeftOut::to_json() const {
  Json kinds = Json::object();
  for (const auto& [kind, files] : kinds_) kinds[kind] = files;
  return {{"files", files_}, {"kinds", kinds}, {"folders_without_images", empty_folders_}};
}

}  // namespace uir
