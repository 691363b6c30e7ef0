#include "uir/data/index_rows.h"

#include <algorithm>

#include "uir/data/name_lookup.h"

namespace uir {
namespace {

std::vector<int64_t> rows_of_set(const Index& index, const std::string& set) {
  // Up to the first dot, so that "source.wrong" is refused by name (set_rows) and not taken for a stranger.
  const std::string source = set.substr(0, set.find('.'));
  const bool known = std::ranges::any_of(index.sources(), [&](const auto& s) { return s.name == source; });
  return known ? index.set_rows(set) : std::vector<int64_t>();
}

}  // namespace

IndexRows::IndexRows(const Index& index, const std::string& set, std::span<const std::string_view> items)
    : rows_(items.size(), -1) {
  NameLookup names;
  for (const int64_t row : rows_of_set(index, set)) names.add(index.item(row), static_cast<uint64_t>(row));
  names.finish();
  for (size_t i = 0; i < items.size(); ++i) {
    for (const NameLookup::Entry& entry : names.find(items[i])) {
      const auto row = static_cast<int64_t>(entry.number);
      if (index.item(row) == items[i]) rows_[i] = row;
    }
  }
}

bool IndexRows::complete() const { return std::ranges::find(rows_, -1) == rows_.end(); }

}  // namespace uir
