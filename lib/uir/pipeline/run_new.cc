#include "uir/pipeline/run_new.h"

#include <unistd.h>

#include "uir/base/error.h"
#include "uir/base/parallel.h"
#include "uir/config/names.h"
#include "uir/experiment/experiment.h"
#include "uir/pipeline/compute.h"
#include "uir/ranks/world.h"
#include "uir/survey/choice.h"

namespace uir {
namespace {

Machine this_machine() {
  Machine machine;
  machine.processors = resolve_threads(0);
  machine.memory_bytes =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  machine.cuda = resolve_device("train.device", "auto", World{}).is_cuda();
  return machine;
}

std::vector<RoleOfPath> roles_of(const NewRequest& request) {
  std::vector<RoleOfPath> roles;
  for (const auto& [role, path] : request.roles) {
    const auto known = enum_from_name<Role>(role);
    if (!known) fail(ErrorKind::kUsage, "--as ", role, ": expected labeled, unlabeled or test, then a path");
    roles.push_back({*known, path});
  }
  return roles;
}

void refuse_to_replace(const fs::path& path, bool force) {
  std::error_code error;
  if (!force && fs::exists(fs::symlink_status(path, error)))
    fail(ErrorKind::kUsage, path.string(), ": exists already; give another name, or --force to replace it");
}

void write_list(const PlannedList& list) {
  AtomicFile file(list.path);
  for_each_line(list.kind, list.root, list.people, [&](const std::string& line) { file.out().write(line); });
  file.commit();
}

}  // namespace

std::string run_new(const NewRequest& request) {
  const fs::path file = fs::absolute(request.out).lexically_normal();
  refuse_to_replace(file, request.force);
  const std::vector<fs::path> data(request.data.begin(), request.data.end());
  const Machine machine = this_machine();
  const Choice choice = choose_experiment(survey_data(data, roles_of(request), request.ask), machine, file);
  for (const PlannedList& list : choice.lists) refuse_to_replace(list.path, request.force);
  const std::string text = experiment_text(choice, machine, file);
  parse_experiment(text, file.string(), file.parent_path());  // what is written can be read
  create_folders(file.parent_path());
  for (const PlannedList& list : choice.lists) write_list(list);
  write_file_atomically(file, text);
  return choice_report(choice, request.out);
}

}  // namespace uir
