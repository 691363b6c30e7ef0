#include "uir/eval/split.h"

#include <algorithm>
#include <map>
#include <set>

#include "uir/base/error.h"
#include "uir/base/text.h"
#include "uir/eval/pairs.h"
#include "uir/formats/csv.h"
#include "uir/formats/text_lines.h"
#include "uir/report/group_names.h"
#include "uir/report/report.h"

namespace uir {
namespace {

constexpr int64_t kMostParts = 64;

std::string_view trimmed(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

std::string names_of(std::initializer_list<AttributeOf> known) {
  std::string text;
  for (const AttributeOf one : known) text += concat(text.empty() ? "" : ", ", enum_name(one));
  return text;
}

AttributeOf about_of(const CsvReader& rows, std::initializer_list<AttributeOf> known) {
  const auto about = enum_from_name<AttributeOf>(rows.first_column());
  if (about && std::ranges::count(known, *about) > 0) return *about;
  rows.refuse("the first column is '", readable(rows.first_column()),
              "'; its name says what a line is about, here one of: ", names_of(known));
}

bool is_numbered(AttributeOf about) {
  return about == AttributeOf::kPerson || about == AttributeOf::kPair || about == AttributeOf::kTemplate;
}

// "007" is "7", as the protocol writes it.
std::string name_in(const CsvReader& rows, AttributeOf about) {
  const std::string& name = rows.first();
  if (!is_numbered(about))
    return about == AttributeOf::kFolder && name.ends_with('/')
               ? name.substr(0, name.find_last_not_of('/') + 1)
               : name;
  const auto number = parse_number<int64_t>(trimmed(name));
  if (!number) rows.refuse("'", readable(name), "' is no number of a ", enum_name(about));
  return std::to_string(*number);
}

[[noreturn]] void refuse_many(const std::string& file, const std::string& column, const std::string& what) {
  fail(ErrorKind::kData, file, ": column '", column, "' ", what,
       "; put its values into fewer bins (low, middle, high), or split by another column");
}

}  // namespace

void add_split_problems(const SplitOptions& split, std::vector<std::string>& problems) {
  if (split.attributes.empty() != split.column.empty())
    problems.emplace_back("attributes and split are given together or not at all");
}

AttributeTable::AttributeTable(const SplitOptions& split, std::initializer_list<AttributeOf> known)
    : file_(split.attributes.value), column_(split.column) {
  CsvReader rows(file_, {column_}, fs::path(file_).extension() == ".tsv" ? '\t' : ',');
  about_ = about_of(rows, known);
  while (rows.next()) {
    lines_.push_back({name_in(rows, about_), readable(trimmed(rows.field(0))), rows.line()});
  }
  for (size_t i = 0; i < lines_.size(); ++i) {
    const auto [found, is_new] = line_of_.try_emplace(lines_[i].name, i);
    if (is_new) continue;
    fail(ErrorKind::kData, file_, ":", lines_[i].line, ": ", enum_name(about_), " '",
         readable(lines_[i].name), "' stands in line ", lines_[found->second].line,
         " already; expected each once");
  }
}

int64_t AttributeTable::find(std::string_view name) const {
  const auto line = [&](std::string_view wanted) {
    const auto found = line_of_.find(wanted);
    return found == line_of_.end() ? -1 : static_cast<int64_t>(found->second);
  };
  if (about_ != AttributeOf::kFolder) return line(name);
  for (size_t slash = name.rfind('/'); slash != std::string_view::npos && slash > 0;
       slash = name.rfind('/', slash - 1)) {
    if (const int64_t found = line(name.substr(0, slash)); found >= 0) return found;
  }
  return -1;
}

void AttributeTable::refuse_unknown(const std::vector<bool>& seen, const std::string& without_line,
                                    int64_t lacking) const {
  const auto first = static_cast<size_t>(std::ranges::find(seen, false) - seen.begin());
  const auto unknown = std::ranges::count(seen, false);
  const std::string_view about = enum_name(about_);
  fail(ErrorKind::kData, file_, ":", lines_[first].line, ": ", about, " '", readable(lines_[first].name),
       "' is not among those that are measured",
       unknown > 1 ? concat(" (nor are those of ", unknown - 1, " other lines)") : "", ", and '",
       readable(without_line), "' has no line",
       lacking > 1 ? concat(" (nor have ", lacking - 1, " others)") : "",
       "; name them alike, or give what has no group a line with an empty field");
}

Groups AttributeTable::groups(int64_t n, const std::function<std::string(int64_t)>& name_of,
                              const std::vector<bool>& needed) const {
  std::vector<bool> seen(lines_.size());
  std::vector<int64_t> line_of(static_cast<size_t>(n), -1);
  int64_t lacking = 0;
  std::string first_lacking;
  std::map<std::string_view, int> numbers;
  for (int64_t i = 0; i < n; ++i) {
    const std::string name = name_of(i);
    if (name.empty()) continue;
    const int64_t line = find(name);
    if (line >= 0) seen[static_cast<size_t>(line)] = true;
    if (!needed[static_cast<size_t>(i)]) continue;
    if (line < 0 && lacking++ == 0) first_lacking = name;
    if (line < 0 || lines_[static_cast<size_t>(line)].group.empty()) continue;
    line_of[static_cast<size_t>(i)] = line;
    numbers.try_emplace(lines_[static_cast<size_t>(line)].group, 0);
    if (std::ssize(numbers) > kMostParts)
      refuse_many(file_, column_, concat("has more than ", kMostParts, " values"));
  }
  if (numbers.contains(kWholeName))
    fail(ErrorKind::kData, file_, ": column '", column_, "' has the value '", kWholeName,
         "', which reports call the whole; name it otherwise");
  if (lacking > 0 && std::ranges::count(seen, false) > 0) refuse_unknown(seen, first_lacking, lacking);
  if (numbers.empty()) {
    fail(ErrorKind::kData, file_, ": column '", column_, "' has no group for anything that is measured",
         about_ == AttributeOf::kPerson ? " (people are the labels of the set)" : "");
  }
  Groups groups{{}, std::vector<int>(static_cast<size_t>(n), -1)};
  for (auto& [name, number] : numbers) {
    number = static_cast<int>(groups.names.size());
    groups.names.emplace_back(name);
  }
  for (size_t i = 0; i < line_of.size(); ++i) {
    if (line_of[i] >= 0) groups.of[i] = numbers.at(lines_[static_cast<size_t>(line_of[i])].group);
  }
  return groups;
}

Groups AttributeTable::groups_of_rows(std::span<const std::string_view> items,
                                      std::span<const int64_t> labels,
                                      const std::vector<bool>& needed) const {
  return groups(
      std::ssize(items),
      [&](int64_t row) {
        if (about_ != AttributeOf::kPerson) return std::string(items[row]);
        return labels[row] < 0 ? std::string() : std::to_string(labels[row]);
      },
      needed);
}

PairParts::PairParts(const AttributeTable& table, std::vector<std::string> groups)
    : file_(table.file()), column_(table.column()), groups_(std::move(groups)) {
  genuine_.resize(groups_.size() * groups_.size());
  impostor_ = genuine_;
  part_.assign(genuine_.size(), -1);
}

size_t PairParts::cell(int a, int b) const {
  return static_cast<size_t>(std::min(a, b)) * groups_.size() + static_cast<size_t>(std::max(a, b));
}

void PairParts::count(int a, int b, bool genuine, int64_t pairs) {
  if (a < 0 || b < 0) {
    without_ += pairs;
  } else {
    (genuine ? genuine_ : impostor_)[cell(a, b)] += pairs;
  }
}

void PairParts::close() {
  const auto add = [&](int a, int b, bool has_part) {
    const size_t at = cell(a, b);
    if (!has_part) {
      between_ += impostor_[at];
      return;
    }
    part_[at] = size();
    parts_.emplace_back(a, b);
  };
  const auto n = static_cast<int>(groups_.size());
  for (int a = 0; a < n; ++a) {
    if (genuine_[cell(a, a)] + impostor_[cell(a, a)] > 0) add(a, a, true);
  }
  for (int a = 0; a < n; ++a) {
    for (int b = a + 1; b < n; ++b) add(a, b, genuine_[cell(a, b)] > 0);
  }
  std::set<std::string> names;
  for (int64_t p = 0; p < size(); ++p) {
    if (!names.insert(name(p)).second)
      fail(ErrorKind::kData, file_, ": column '", column_, "' has the value '", name(p),
           "', which is also the name of the pairs between two other values; name it otherwise");
  }
  if (size() > kMostParts)
    refuse_many(file_, column_,
                concat("makes ", size(), " groups and pairs of groups, more than ", kMostParts));
}

std::string PairParts::name(int64_t part) const {
  const auto [a, b] = groups(part);
  const std::string& first = groups_[static_cast<size_t>(a)];
  return a == b ? first : concat(first, " x ", groups_[static_cast<size_t>(b)]);
}

int64_t PairParts::part(int a, int b) const { return a < 0 || b < 0 ? -1 : part_[cell(a, b)]; }

void PairParts::report(const std::function<ProtocolResult(int64_t part)>& measure,
                       ProtocolResult& whole) const {
  whole.split_by = column_;
  for (int64_t p = 0; p < size(); ++p) add_group(name(p), measure(p), whole);
  const bool mixed = std::ranges::any_of(parts_, [](const auto& p) { return p.first != p.second; });
  whole.remarks.push_back(concat("By ", column_, ": a pair belongs to a group when both its sides do",
                                 mixed ? ", to 'a x b' with one side in each" : "", "."));
  whole.count("impostor_pairs_between_groups", between_);
  whole.count("pairs_without_group", without_);
}

PartedPairs part_pairs(const AttributeTable& table, const PairList& pairs,
                       std::span<const std::string_view> items, std::span<const int64_t> labels) {
  const bool by_pair = table.about() == AttributeOf::kPair;
  std::vector<bool> needed(by_pair ? static_cast<size_t>(pairs.whole_size()) : items.size());
  for (size_t i = 0; i < pairs.pairs.size(); ++i) {
    if (by_pair) {
      needed[static_cast<size_t>(pairs.place(i))] = true;
    } else {
      needed[static_cast<size_t>(pairs.pairs[i].a)] = needed[static_cast<size_t>(pairs.pairs[i].b)] = true;
    }
  }
  const Groups groups = by_pair
                            ? table.groups(
                                  pairs.whole_size(), [](int64_t i) { return std::to_string(i + 1); }, needed)
                            : table.groups_of_rows(items, labels, needed);
  const auto sides = [&](size_t i) {
    const Pair& pair = pairs.pairs[i];
    if (!by_pair)
      return std::pair(groups.of[static_cast<size_t>(pair.a)], groups.of[static_cast<size_t>(pair.b)]);
    const int group = groups.of[static_cast<size_t>(pairs.place(i))];
    return std::pair(group, group);
  };
  PartedPairs parted{PairParts(table, groups.names), {}};
  for (size_t i = 0; i < pairs.pairs.size(); ++i) {
    const auto [a, b] = sides(i);
    parted.parts.count(a, b, pairs.pairs[i].same);
  }
  parted.parts.close();
  for (size_t i = 0; i < pairs.pairs.size(); ++i) {
    const auto [a, b] = sides(i);
    parted.part_of.push_back(parted.parts.part(a, b));
  }
  return parted;
}

void add_group(std::string name, ProtocolResult group, ProtocolResult& whole) {
  group.name = std::move(name);
  group.description.clear();
  for (const char* member : {"roc", "folds", "nearest"}) group.details.erase(member);
  whole.groups.push_back(std::move(group));
}

}  // namespace uir
