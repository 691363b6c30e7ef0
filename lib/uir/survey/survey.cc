#include "uir/survey/survey.h"

#include <algorithm>
#include <set>

#include "uir/base/error.h"
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
  for (const RoleOfPath& one : said) {
    const fs::path path = plain(one.path);
    const auto before = std::ranges::find(roles, path, &RoleOfPath::path);
    if (before != roles.end() && before->role != one.role)
      fail(ErrorKind::kUsage, "--as: ", path.string(), " is said to be ", enum_name(before->role), " and ",
           enum_name(one.role));
    roles.push_back({one.role, path});
  }
  Collected collected;
  FolderSurvey folders(roles, ask, collected);
  std::set<fs::path> seen;  // what is named twice, through a link as well, is one
  for (const fs::path& path : data) {
    std::error_code error;
    if (seen.insert(fs::weakly_canonical(plain(path), error)).second) folders.look(plain(path));
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
