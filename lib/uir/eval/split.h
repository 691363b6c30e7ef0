// A protocol's numbers by an attribute of its images, people, pairs or templates: pose, quality, source …
//
// The attributes are a table with a header (CSV; fields of a .tsv are separated by tabs). The name of its
// first column says what a line is about:
//   image     an item of the set
//   folder    the items below it, unless a line about a nearer folder has them
//   person    a label of the set
//   pair      a pair of the list, by its number from 1
//   template  a template of IJB, by its id
// The column that the config names holds the group of that line; an empty field is no group. What the table
// has no line for has no group either.
//
// A pair belongs to group g when both its sides do. A pair of two groups belongs to a part of its own, named
// "g x h", where genuine pairs join the two groups (poses, qualities); where none do (people are in one group
// each), these impostor pairs are counted and measured in the whole only, as are pairs of which a side has no
// group. The numbers of a part are those of the protocol on a list of that part's pairs alone.
// Errors: kData naming the file and, where there is one, the line: no such column, another first column than
// the protocol knows, a line twice, no group at all, more than 64 parts; a line about something that the set
// lacks, where the set has something without a line: one of the two is misnamed.
// Cost: one pass over the table. Threads: plain functions.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "uir/base/file.h"
#include "uir/config/rules.h"

namespace uir {

struct PairList;
struct ProtocolResult;

// The options of a protocol that can be split.
struct SplitOptions {
  DataPath attributes;
  std::string column;
  bool given() const { return !column.empty(); }
};
template <class Visitor>
void describe_split(Visitor& v, SplitOptions& c) {
  v.field(
      "attributes", c.attributes,
      "Table of attributes for split: a CSV file (or .tsv) with a header, whose first column tells what its "
      "lines are about (docs/protocols.md).");
  v.field("split", c.column,
          "Every number also by the values of this column of attributes, at most 64; empty: not split.");
}
// Of the protocol's problems (protocol.h).
void add_split_problems(const SplitOptions& split, std::vector<std::string>& problems);

enum class AttributeOf { kImage, kFolder, kPerson, kPair, kTemplate };
template <>
struct EnumNames<AttributeOf> {
  static constexpr std::array<EnumName<AttributeOf>, 5> value{{{AttributeOf::kImage, "image"},
                                                               {AttributeOf::kFolder, "folder"},
                                                               {AttributeOf::kPerson, "person"},
                                                               {AttributeOf::kPair, "pair"},
                                                               {AttributeOf::kTemplate, "template"}}};
};

// Things and their groups.
struct Groups {
  std::vector<std::string> names;  // of the groups that occur, ascending
  std::vector<int> of;             // of each thing; −1: none
};

class AttributeTable {
 public:
  // known: what the protocol's lines may be about.
  AttributeTable(const SplitOptions& split, std::initializer_list<AttributeOf> known);
  AttributeTable(const AttributeTable&) = delete;
  AttributeTable& operator=(const AttributeTable&) = delete;

  AttributeOf about() const { return about_; }
  const std::string& file() const { return file_; }
  const std::string& column() const { return column_; }
  // Of n things by their names, "" for one that has none. needed: those that the protocol uses; all others
  // have no group.
  Groups groups(int64_t n, const std::function<std::string(int64_t)>& name_of,
                const std::vector<bool>& needed) const;
  // Of a set's rows; the table is about images, folders or people.
  Groups groups_of_rows(std::span<const std::string_view> items, std::span<const int64_t> labels,
                        const std::vector<bool>& needed) const;

 private:
  struct Line {
    std::string name, group;
    int64_t line = 0;
  };
  int64_t find(std::string_view name) const;  // a line; −1: there is none
  [[noreturn]] void refuse_unknown(const std::vector<bool>& seen, const std::string& without_line,
                                   int64_t lacking) const;

  std::string file_, column_;
  AttributeOf about_ = AttributeOf::kImage;
  std::vector<Line> lines_;
  std::unordered_map<std::string_view, size_t> line_of_;
};

// The parts into which the groups of its sides divide pairs.
class PairParts {
 public:
  PairParts(const AttributeTable& table, std::vector<std::string> groups);

  // Pairs of these groups (−1: none), before close().
  void count(int a, int b, bool genuine, int64_t pairs = 1);
  void close();

  int64_t size() const { return static_cast<int64_t>(parts_.size()); }
  std::pair<int, int> groups(int64_t part) const { return parts_[static_cast<size_t>(part)]; }
  std::string name(int64_t part) const;
  int64_t part(int a, int b) const;  // −1: in none
  // Adds to the result of the whole what measure(part) gives for each part, and the counts of pairs in none.
  void report(const std::function<ProtocolResult(int64_t part)>& measure, ProtocolResult& whole) const;

 private:
  size_t cell(int a, int b) const;

  std::string file_, column_;
  std::vector<std::string> groups_;
  std::vector<int64_t> genuine_, impostor_, part_;  // [a][b], a <= b
  std::vector<std::pair<int, int>> parts_;
  int64_t between_ = 0, without_ = 0;
};

// The part of each pair of a list; the table may be about pairs, too.
struct PartedPairs {
  PairParts parts;
  std::vector<int64_t> part_of;  // −1: none
};
PartedPairs part_pairs(const AttributeTable& table, const PairList& pairs,
                       std::span<const std::string_view> items, std::span<const int64_t> labels);

// Adds a group's result to the whole's, without what only the whole shows (words, curves, folds).
void add_group(std::string name, ProtocolResult group, ProtocolResult& whole);

}  // namespace uir
