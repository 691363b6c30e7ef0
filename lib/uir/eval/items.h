// Finding the rows of an embedding set by name, and reading the lists that name them.
#pragma once

#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "uir/base/file.h"

namespace uir {

// Rows by item. Lives no longer than the items.
class ItemRows {
 public:
  // The whole item; the item without extension; its last three path components without extension.
  enum class Key { kItem, kWithoutExtension, kLastThreeParts };
  ItemRows(std::span<const std::string_view> items, Key key);
  // −1 if no row has it; kLastThreeParts cuts the name, too. kData with `place` in front if several have it.
  int64_t find_row(std::string_view name, std::string_view place) const;
  size_t size() const { return num_items_; }  // of the set

 private:
  Key key_;
  size_t num_items_;
  std::unordered_map<std::string_view, int64_t> rows_;
};

// The rows of the images that lists name. Those that the set lacks are noted, so that one error names them
// all; memory grows with their number.
class ListedRows {
 public:
  ListedRows(std::span<const std::string_view> items, ItemRows::Key key) : rows_(items, key) {}

  int64_t row_of(std::string_view name, std::string_view place);  // −1: the set lacks it
  bool complete() const { return missing_.empty(); }
  int64_t num_missing() const { return std::ssize(missing_); }
  std::vector<std::string> missing() const;  // the first twenty, as the lists name them
  // kData naming the first twenty with their places, and how many there are. remedy: what helps, "" for none.
  [[noreturn]] void refuse(std::string_view remedy) const;
  void refuse_missing(std::string_view remedy) const {
    if (!complete()) refuse(remedy);
  }

 private:
  struct Named {
    std::string name, place;
  };
  ItemRows rows_;
  std::unordered_set<std::string> missing_;
  std::vector<Named> first_;
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
// for an image that was named before, and all that the set lacks.
std::vector<int64_t> read_item_labels(const fs::path& list, std::span<const std::string_view> items);

}  // namespace uir
