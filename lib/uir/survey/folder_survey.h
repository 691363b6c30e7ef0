// Folders: people, strangers, published trees, or a folder that holds several of these.
// Cost: one look into each folder and into those directly below it; names are not kept but of people.
#pragma once

#include "uir/survey/collected.h"

namespace uir {

// The path is absolute. said: what people say of paths; `used` notes which of them were met.
class FolderSurvey {
 public:
  FolderSurvey(const std::vector<RoleOfPath>& said, const AskRole& ask, Collected& collected)
      : said_(said), ask_(ask), collected_(collected), used_(said.size()) {}

  void look(const fs::path& path);
  void check_all_used() const;  // kUsage naming a path of `said` that is nowhere in the data

 private:
  struct Child;
  struct Children;
  void look_at(const fs::path& folder, std::optional<Role> inherited, int depth);
  std::optional<Role> said_of(const fs::path& path);
  std::optional<Role> role_of(const fs::path& path, std::optional<Role> inherited);
  std::optional<Role> role_below(const fs::path& folder, std::optional<Role> role,
                                 std::optional<Role> inherited);
  bool look_at_benchmark(const fs::path& folder, const std::vector<std::string>& folders);
  Children children_of(const fs::path& folder, const std::vector<std::string>& names);
  void add_people(const fs::path& folder, Children& children, std::optional<Role> role);
  void add_images(const fs::path& folder, const std::vector<std::string>& images, Children& children,
                  std::optional<Role> role);
  Role people_or_strangers(const FoundSource& found);
  void look_at_images(const fs::path& folder, const std::vector<std::string>& images, Children& children,
                      std::optional<Role> role, std::optional<Role> below, int depth);

  const std::vector<RoleOfPath>& said_;
  const AskRole& ask_;
  Collected& collected_;
  std::vector<bool> used_;
};

}  // namespace uir
