// Which identities of a source are another one: `label_map` of a source, as uir-index clean writes it.
//
// A line is an identity and, behind a tab, the one that it belongs to, both as the source calls them (folder,
// name or number of a list); what follows a second tab is not read. Chains (a is b, b is c) end where they
// end. The second one need not occur in the source: then the first is only called otherwise.
// Errors: kMissingInput; kData naming file and line for a line without a tab, an identity that stands in
// front twice, a circle.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "uir/base/file.h"

namespace uir {

class LabelMap {
 public:
  LabelMap() = default;  // no identity is another one
  explicit LabelMap(const fs::path& file);

  // The identity that the name stands for, itself if it is no other; valid while the map lives.
  std::string_view identity_of(std::string_view name) const;
  bool empty() const { return targets_.empty(); }
  size_t size() const { return targets_.size(); }
  // Every target is a number, as those of a source with numbers have to be.
  bool only_numbers() const;
  const fs::path& file() const { return file_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct Target {
    std::string name;
    std::string place;  // file and line
    bool resolved = false;
  };
  void resolve();

  fs::path file_;
  std::unordered_map<std::string, Target, Hash, std::equal_to<>> targets_;
};

}  // namespace uir
