#include "uir/eval/noise_list.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "uir/base/error.h"

namespace uir {
namespace {

using NoiseNames = std::set<std::string, std::less<>>;

// The entries of a noise list.
NoiseNames read_noises(const fs::path& path) {
  const std::string text = read_text_file(path);
  NoiseNames noises;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = std::string_view(text).substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    begin = end + 1;
    if (line.empty() || line.starts_with('#')) continue;
    if (const size_t tab = line.find('\t'); tab != std::string_view::npos) {
      line = line.substr(tab + 1, line.find('\t', tab + 1) - tab - 1);
    }
    noises.emplace(line);
  }
  return noises;
}

// Whether the item, or what follows one of its slashes, is an entry.
bool names_item(const NoiseNames& noises, std::string_view item) {
  while (true) {
    if (noises.contains(item)) return true;
    const size_t slash = item.find('/');
    if (slash == std::string_view::npos) return false;
    item.remove_prefix(slash + 1);
  }
}

}  // namespace

std::vector<bool> noisy_rows(const fs::path& list, std::span<const std::string_view> items) {
  const NoiseNames noises = read_noises(list);
  std::vector<bool> noisy;
  for (const std::string_view item : items) noisy.push_back(names_item(noises, item));
  if (!noises.empty() && std::ranges::count(noisy, true) == 0) {
    fail(ErrorKind::kData, list.string(), ": none of its ", noises.size(), " entries (", *noises.begin(),
         " …) is the end of an item of the set", items.empty() ? "" : concat(" (", items.front(), " …)"),
         "; are the names written the same way?");
  }
  return noisy;
}

}  // namespace uir
