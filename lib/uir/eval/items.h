// Finding the rows of an embedding set by name, and reading the lists that name them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "uir/base/file.h"

namespace uir {

// Rows by item. Lives no longer than the items.
class ItemRows {
 public:
  // The whole item; the item without extension; its last three path components without extension.
  enum class Key { kItem, kWithoutExtension, kLastThreeParts };
  ItemRows(std::span<const std::string_view> items, Key key);
  // kLastThreeParts cuts the name, too. kData with `place` in front if no row or more than one has it.
  int64_t row_of(std::string_view name, std::string_view place) const;

 private:
  Key key_;
  std::unordered_map<std::string_view, int64_t> rows_;
};

// The lines of a text list, numbered from 1, for errors that name them.
class ListReader {
 public:
  // Fields are separated by single tabs, by any white space, or by single commas.
  enum class Separator { kTab, kSpace, kComma };
  ListReader(const fs::path& path, Separator separator);

  bool next();  // the next line; false at the end; blank lines at the end of the file do not count
  const std::vector<std::string_view>& fields() const { return fields_; }
  int64_t line() const { return line_; }
  std::string place() const;  // "pairs.txt: line 7"
  // Field i as an integer of at least `least`.
  int64_t integer(size_t i, int64_t least) const;
  [[noreturn]] void refuse(std::string_view found, std::string_view expected) const;

 private:
  fs::path path_;
  Separator separator_;
  std::string text_;
  size_t at_ = 0;
  int64_t line_ = 0;
  std::vector<std::string_view> fields_;
};

// The labels of a set's items from a list 'image label', -1 for those without a line. kData naming the line
// for an image that the set lacks or that was named before.
std::vector<int64_t> read_item_labels(const fs::path& list, std::span<const std::string_view> items);

}  // namespace uir
