#include "uir/survey/survey.h"

#include <algorithm>

#include "uir/data/folder_listing.h"
#include "uir/survey/folder_survey.h"
#include "uir/survey/list_survey.h"
#include "uir/survey/names.h"

namespace uir {
namespace {

fs::path plain(const fs::path& path) { return without_last_slash(fs::absolute(path).lexically_normal()); }

}  // namespace

Survey survey_data(const std::vector<fs::path>& data, const std::vector<RoleOfPath>& said,
                   const AskRole& ask) {
  std::vector<RoleOfPath> roles;
  for (const RoleOfPath& one : said) roles.push_back({one.role, plain(one.path)});
  Collected collected;
  FolderSurvey folders(roles, ask, collected);
  std::vector<fs::path> paths;
  for (const fs::path& path : data) paths.push_back(plain(path));
  for (size_t i = 0; i < paths.size(); ++i) {
    if (std::ranges::find(paths.begin(), paths.begin() + static_cast<ptrdiff_t>(i), paths[i]) ==
        paths.begin() + static_cast<ptrdiff_t>(i))
      folders.look(paths[i]);
  }
  folders.check_all_used();
  survey_lists(roles, collected);
  return std::move(collected.survey);
}

void for_each_line(ListToWrite kind, const fs::path& root, const std::vector<std::string>& chosen,
                   const std::function<void(const std::string&)>& body) {
  if (kind == ListToWrite::kPeople) {
    for (const std::string& person : chosen) {
      for (const std::string& image : list_folder(root / person, is_image_name).files)
        body(concat(person, '/', image, '\t', person, '\n'));
    }
    return;
  }
  for_each_file(root, is_image_name, [&](const std::string& item) {
    if (kind == ListToWrite::kAgeDb)
      body(concat(item, '\t', agedb_person(item), '\n'));
    else
      body(item + "\n");
  });
}

}  // namespace uir
