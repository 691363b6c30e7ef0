#include "uir/data/folder_listing.h"

#include <algorithm>
#include <array>
#include <span>

#include "uir/base/error.h"
#include "uir/base/text.h"

namespace uir {
namespace {

bool has_extension(const fs::path& name, std::span<const std::string_view> extensions) {
  std::string extension = name.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  return std::ranges::find(extensions, extension) != extensions.end();
}

// Byte order of whole paths: files and folders of one level are merged as "name" and "name/".
void visit(const fs::path& root, const std::string& prefix, NameFilter wanted,
           const std::function<void(std::string)>& body, LeftOut* left_out) {
  FolderContent content = list_folder(root / prefix, wanted, left_out);
  std::vector<std::string> names = std::move(content.files);
  for (const std::string& folder : content.folders) names.push_back(folder + "/");
  std::ranges::sort(names);
  for (const std::string& name : names) {
    if (name.ends_with('/')) {
      visit(root, prefix + name, wanted, body, left_out);
    } else {
      body(prefix + name);
    }
  }
}

// True if no component is empty, "." or "..": then nothing needs to be resolved.
bool is_plain_path(std::string_view path) {
  while (true) {
    const size_t end = path.find('/');
    const std::string_view part = path.substr(0, end);
    if (part.empty() || part == "." || part == "..") return false;
    if (end == std::string_view::npos) return true;
    path.remove_prefix(end + 1);
  }
}

}  // namespace

bool is_image_name(const fs::path& name) {
  static constexpr std::array<std::string_view, 9> kExtensions{".jpg", ".jpeg", ".jpe", ".jfif", ".png",
                                                               ".bmp", ".pgm",  ".ppm", ".webp"};
  return has_extension(name, kExtensions);
}

bool is_video_name(const fs::path& name) {
  static constexpr std::array<std::string_view, 12> kExtensions{
      ".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".flv", ".mpeg", ".wmv", ".ts", ".3gp"};
  return has_extension(name, kExtensions);
}

void check_name(std::string_view name, const fs::path& folder) {
  if (!has_control(name)) return;
  fail(ErrorKind::kData, "'", readable((folder / name).string()),
       "': a control character (tab, line break …) in its name, which lists of one name a line cannot hold; "
       "rename it");
}

FolderContent list_folder(const fs::path& path, NameFilter wanted, LeftOut* left_out) {
  FolderContent content;
  std::error_code error;
  for (auto entry = fs::directory_iterator(path, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.')) continue;
    std::error_code unreadable;
    if (entry->is_directory(unreadable)) {
      if (entry->is_symlink()) {
        fail(ErrorKind::kData, entry->path().string(),
             ": a link to a folder; make what it points to a source of its own");
      }
      check_name(name, path);
      content.folders.push_back(name);
    } else if (wanted(name)) {
      check_name(name, path);
      content.files.push_back(name);
    } else if (left_out) {
      left_out->add_file(name);
    }
  }
  if (error) fail(ErrorKind::kMissingInput, path.string(), ": cannot read folder: ", error.message());
  std::ranges::sort(content.folders);
  std::ranges::sort(content.files);
  return content;
}

void for_each_file(const fs::path& root, NameFilter wanted, const std::function<void(std::string)>& body,
                   LeftOut* left_out) {
  visit(root, "", wanted, body, left_out);
}

std::string item_in(const fs::path& root, std::string_view path) {
  check_name(path);
  if (is_plain_path(path)) return std::string(path);
  return join_inside(root, path).lexically_relative(root).string();
}

bool natural_less(std::string_view a, std::string_view b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const std::string_view whole_a = a, whole_b = b;
  // The run of digits in front, taken off, without leading zeros: longer means larger.
  const auto take_number = [&](std::string_view& text) {
    const auto end = static_cast<size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
    std::string_view digits = text.substr(0, end);
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    text.remove_prefix(end);
    return digits;
  };
  while (!a.empty() && !b.empty()) {
    if (is_digit(a[0]) && is_digit(b[0])) {
      const std::string_view x = take_number(a), y = take_number(b);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else if (a[0] != b[0]) {
      return static_cast<unsigned char>(a[0]) < static_cast<unsigned char>(b[0]);
    } else {
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  if (a.empty() != b.empty()) return a.empty();
  return whole_a < whole_b;
}

}  // namespace uir
