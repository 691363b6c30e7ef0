#include "uir/data/path_remedy.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <system_error>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/quoting.h"
#include "uir/config/reader.h"

namespace uir {
namespace {

constexpr int kMostAncestors = 8;
constexpr size_t kMostNames = 10'000;  // of a folder that are looked at

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

std::vector<std::string> folders_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error);
       !error && entry != fs::directory_iterator() && names.size() < kMostNames; entry.increment(error)) {
    std::error_code unreadable;
    if (entry->is_directory(unreadable)) names.push_back(entry->path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

// --- Commands ----------------------------------------------------------------------------------------------

// As a basic regular expression between '#', within single quotes.
std::string as_expression(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (std::string_view("\\.*[]^$#").find(c) != std::string_view::npos) result += '\\';
    result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return result;
}

// "faces.txt" -> "faces.here.txt".
fs::path rewritten(const fs::path& list) {
  return list.parent_path() / concat(list.stem().string(), ".here", list.extension().string());
}

// Turns slashes round if `windows`, and cuts the prefix of the paths, if there is one.
std::string rewriting(const fs::path& list, ListFormat format, bool windows, std::string_view prefix) {
  // Where the path is not the first field, it follows a tab.
  const bool behind_tab = format == ListFormat::kIm2rec || format == ListFormat::kInsightFace;
  std::string script = windows ? "s#\\\\#/#g" : "";
  if (!prefix.empty()) {
    script += concat(script.empty() ? "" : "; ", "s#", behind_tab ? "\\t" : "^", as_expression(prefix), "#",
                     behind_tab ? "\\t" : "", "#");
  }
  const std::string target = rewritten(list).string();
  return concat("rewrite the list:\n    sed '", script, "' ", shell_quoted(list.string()), " > ",
                shell_quoted(target), "\n  and name that one:\n    list: ", target);
}

// --- Where the files are -----------------------------------------------------------------------------------

std::string another_root(const fs::path& root) {
  return concat("they are below another folder, so write\n    root: ", root.string());
}

// The folder above or just below the root from which the path leads to a file.
std::optional<fs::path> root_of(const fs::path& root, const fs::path& path) {
  fs::path above = root;
  for (int i = 0; i < kMostAncestors && above.has_relative_path(); ++i) {
    above = above.parent_path();
    if (is_there(above / path)) return above;
  }
  for (const std::string& name : folders_in(root)) {
    if (is_there(root / name / path)) return root / name;
  }
  return std::nullopt;
}

// How long a beginning of the path must go, up to a slash, for the rest to lead to a file below the root;
// none if no rest does.
std::optional<size_t> superfluous(const fs::path& root, std::string_view path) {
  for (size_t begin = 0; begin < path.size();) {
    if (path[begin] != '/' && is_there(root / path.substr(begin))) return begin;
    const size_t slash = path.find('/', begin);
    if (slash == std::string_view::npos) break;
    begin = slash + 1;
  }
  return std::nullopt;
}

bool has_drive(std::string_view path) {
  return path.size() > 2 && std::isalpha(static_cast<unsigned char>(path[0])) && path[1] == ':' &&
         (path[2] == '\\' || path[2] == '/');
}

std::string windows_remedy(const fs::path& list, ListFormat format, const fs::path& root,
                           std::string_view path) {
  std::string slashes(path);
  std::ranges::replace(slashes, '\\', '/');
  const size_t drive = has_drive(slashes) ? 3 : 0;
  const size_t prefix = superfluous(root, slashes).value_or(drive);
  return "its paths are those of Windows: " +
         rewriting(list, format, true, std::string_view(slashes).substr(0, prefix));
}

}  // namespace

std::string root_remedy(const fs::path& root) {
  fs::path above = root, missing = root.filename();
  while (above.has_relative_path() && !is_there(above)) {
    missing = above.filename();
    above = above.parent_path();
  }
  const auto nearest = nearest_name(missing.string(), folders_in(above));
  if (!nearest)
    return concat("; ", above.string(), " is there, and has no '", missing.string(), "': look at `root`");
  const fs::path rest = root.lexically_relative(above / missing);
  const fs::path meant = rest == "." ? above / *nearest : above / *nearest / rest;
  return concat("; did you mean\n    root: ", meant.string());
}

std::string list_remedy(const fs::path& list, ListFormat format, const fs::path& root,
                        std::string_view path) {
  if (has_drive(path) || path.find('\\') != std::string_view::npos)
    return windows_remedy(list, format, root, path);
  const bool absolute = path.starts_with('/');
  if (!absolute) {
    if (const auto other = root_of(root, path)) return another_root(*other);
  }
  if (const auto prefix = superfluous(root, path))
    return rewriting(list, format, false, path.substr(0, *prefix));
  if (!absolute || !is_there(path)) return {};
  const fs::path people = fs::path(path).parent_path().parent_path();
  return concat(
      rewriting(list, format, false, concat(people.string(), people.has_relative_path() ? "/" : "")),
      "\n    root: ", people.string());
}

}  // namespace uir
