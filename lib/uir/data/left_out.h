// Files of a source's folders that are none of its images (or videos): counted by kind, so that nobody's
// photos go without a word. Hidden files do not count.
//
// Memory: bounded, however many kinds there are. Threads: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/json.h"

namespace uir {

class LeftOut {
 public:
  void add_file(std::string_view name);
  void add_empty_folder() { ++empty_folders_; }  // of an identity: none of its files is an image

  int64_t files() const { return files_; }
  int64_t empty_folders() const { return empty_folders_; }
  // By extension in lower case with its dot, "no extension", or "other kinds" beyond the first 64.
  const std::map<std::string, int64_t>& kinds() const { return kinds_; }
  // "12 files of kinds that are not read: 6 .heic, 4 .tif, 2 .gif", the most frequent first; and what else is
  // to be said, a line each. None if nothing was left out.
  std::vector<std::string> lines() const;
  // The first line behind "; left out: ", for errors of sources that have nothing else; empty if there is
  // none.
  std::string note() const;
  Json to_json() const;

 private:
  std::map<std::string, int64_t> kinds_;
  int64_t files_ = 0, empty_folders_ = 0;
};

}  // namespace uir
