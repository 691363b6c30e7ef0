// What a config says of the sources of faces, as far as protocols ask: whether the sets that they name exist.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace uir {

struct KnownSource {
  std::string name;
  bool holds_out = false;            // there is a set "<name>.held_out"
  std::optional<std::string> bin{};  // the file of a .bin source, which brings pairs of its own
};

class KnownSources {
 public:
  // sets_are_sources: a set must be a source. False where embeddings come from elsewhere: then sets are
  // checked where they are opened.
  KnownSources(std::vector<KnownSource> sources, bool sets_are_sources)
      : sources_(std::move(sources)), sets_are_sources_(sets_are_sources) {}

  // The first of that name; null if there is none.
  const KnownSource* find(std::string_view name) const;
  // One line for every set that is no source, or that its source does not hold out. Sets by the option that
  // names them.
  using SetsOfOption = std::pair<std::string_view, std::vector<std::string>>;
  std::vector<std::string> problems_of_sets(std::initializer_list<SetsOfOption> options) const;

 private:
  std::vector<KnownSource> sources_;
  bool sets_are_sources_;
};

}  // namespace uir
