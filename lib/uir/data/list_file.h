// Image lists in every format of ListFormat, and CSV files of landmarks (docs/formats.md has an example of
// each).
//
// Cost: one pass, flat memory; survey_labels is a pass of its own. LandmarkTable keeps 16 bytes per row of
// its file.
// Errors: kData naming file and line. Threads: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "uir/data/config.h"
#include "uir/data/name_lookup.h"
#include "uir/formats/text_lines.h"
#include "uir/images/align.h"

namespace uir {

struct ListEntry {
  std::string_view path;   // valid until the next entry
  std::string_view label;  // empty: the line has none
  std::optional<Landmarks> landmarks;
};

// Which columns of a landmark CSV hold what.
class LandmarkColumns {
 public:
  LandmarkColumns() = default;
  explicit LandmarkColumns(const TextLines& header);  // kData naming the columns that are missing
  void parse(const TextLines& lines, std::string_view line, ListEntry& entry) const;
  std::string_view path_of(std::string_view line) const { return line.substr(0, line.find(separator_)); }

 private:
  char separator_ = ',';  // or a tab, where the header has one
  size_t num_columns_ = 0;
  std::array<size_t, 10> points_{};
  std::optional<size_t> label_;
};

class ListFile {
 public:
  ListFile(const fs::path& path, ListFormat format);

  bool next(ListEntry& entry);
  std::string place() const { return lines_.place(); }
  const TextLines& lines() const { return lines_; }
  // True for formats whose labels must be numbers.
  static bool labels_are_numbers(ListFormat format);
  static bool has_labels(ListFormat format);
  static bool has_landmarks(ListFormat format);

 private:
  void parse(ListEntry& entry);
  void parse_im2rec(ListEntry& entry);
  void parse_insightface(ListEntry& entry);
  void parse_trillionpairs(ListEntry& entry);
  void parse_path_points(ListEntry& entry);
  void parse_ijb(ListEntry& entry);
  void take_path_and_points(ListEntry& entry);  // of the first eleven fields

  TextLines lines_;
  ListFormat format_;
  LandmarkColumns columns_;
  std::vector<std::string_view> fields_, numbers_;
};

// The landmarks of a CSV by path.
class LandmarkTable {
 public:
  explicit LandmarkTable(const fs::path& csv);
  // None if the CSV does not name the path, or names it without points. kData if it names it twice.
  std::optional<Landmarks> find(std::string_view path);
  // kData unless some path was found: a CSV of other images is a mistake.
  void check_used() const;

 private:
  TextLines lines_;
  LandmarkColumns columns_;
  NameLookup rows_;
  int64_t found_ = 0;
};

// A label of the present line as a whole number of at least `lowest`; kData for anything else.
int64_t parse_label(const TextLines& lines, std::string_view text, int64_t lowest);

// A whole number as people write labels: digits, perhaps with a minus before them and ".0" behind. None for
// what only a number parser takes for one (88e1, inf, 0x10), which may be a name, and for what no int64
// holds.
std::optional<int64_t> plain_number(std::string_view label);

// What the labels of a list of names or numbers are, which only all of its lines together tell. Negative ones
// do not count: they are no names.
struct LabelSurvey {
  int64_t numbers = 0, names = 0;
  uint64_t first_name = 0;  // where its line begins
};
LabelSurvey survey_labels(const fs::path& list, ListFormat format);

}  // namespace uir
