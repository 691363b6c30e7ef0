#include "uir/data/list_file.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "uir/base/error.h"

namespace uir {
namespace {

constexpr std::array<std::array<std::string_view, 5>, 5> kPointNames{
    {{"eyel", "lefteye", "eyeleft", "leye", "1"},
     {"eyer", "righteye", "eyeright", "reye", "2"},
     {"nose", "nosetip", "3", "", ""},
     {"mouthl", "leftmouth", "mouthleft", "lmouth", "4"},
     {"mouthr", "rightmouth", "mouthright", "rmouth", "5"}}};

// Lower case without underscores; "x1" becomes "1x", so that the axis is always last.
std::string plain_column_name(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c != '_' && c != ' ') plain += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  if (plain.size() == 2 && plain[1] >= '1' && plain[1] <= '5') std::swap(plain[0], plain[1]);
  return plain;
}

// 0 … 9: x, y of the five points; none for other columns.
std::optional<size_t> coordinate_of_column(std::string_view name) {
  const std::string plain = plain_column_name(name);
  if (plain.size() < 2 || (plain.back() != 'x' && plain.back() != 'y')) return std::nullopt;
  const std::string_view point(plain.data(), plain.size() - 1);
  for (size_t i = 0; i < kPointNames.size(); ++i) {
    if (std::find(kPointNames[i].begin(), kPointNames[i].end(), point) != kPointNames[i].end()) {
      return 2 * i + (plain.back() == 'y');
    }
  }
  return std::nullopt;
}

std::string column_title(size_t coordinate) {
  static constexpr std::array<std::string_view, 5> kTitles{"eyeL", "eyeR", "nose", "mouthL", "mouthR"};
  return concat(kTitles[coordinate / 2], coordinate % 2 ? "_y" : "_x");
}

float parse_coordinate(const TextLines& lines, std::string_view text) {
  const auto value = parse_number<float>(text);
  if (!value || !std::isfinite(*value)) lines.refuse("'", text, "' is not a coordinate");
  return *value;
}

void check_aligned_flag(const TextLines& lines, std::string_view text) {
  if (text != "0" && text != "1") lines.refuse("'", text, "': the first field (aligned) must be 0 or 1");
}

Landmarks landmarks_of_68(const std::vector<std::array<float, 2>>& points) {
  const auto mean = [&](size_t a, size_t b, size_t axis) { return (points[a][axis] + points[b][axis]) / 2; };
  return {mean(36, 39, 0), mean(36, 39, 1), mean(42, 45, 0), mean(42, 45, 1), points[30][0],
          points[30][1],   points[48][0],   points[48][1],   points[54][0],   points[54][1]};
}

}  // namespace

int64_t parse_label(const TextLines& lines, std::string_view text, int64_t lowest) {
  if (const auto whole = parse_number<int64_t>(text); whole && *whole >= lowest) return *whole;
  // im2rec writes labels as floating point numbers.
  const auto number = parse_number<double>(text);
  const bool whole = number && std::floor(*number) == *number && std::abs(*number) <= 0x1p53;
  if (!whole || *number < static_cast<double>(lowest)) {
    lines.refuse("label '", text, "' is not a whole number of at least ", lowest);
  }
  return static_cast<int64_t>(*number);
}

std::optional<int64_t> plain_number(std::string_view label) {
  const size_t point = label.find('.');
  if (point != std::string_view::npos &&
      (point + 1 == label.size() || label.find_first_not_of('0', point + 1) != std::string_view::npos))
    return std::nullopt;
  return parse_number<int64_t>(label.substr(0, point));
}

LabelSurvey survey_labels(const fs::path& list, ListFormat format) {
  ListFile lines(list, format);
  LabelSurvey survey;
  ListEntry entry;
  while (lines.next(entry)) {
    if (entry.label.empty()) continue;
    const auto number = plain_number(entry.label);
    if (!number && survey.names++ == 0) survey.first_name = lines.lines().begin();
    if (number && *number >= 0) ++survey.numbers;
  }
  return survey;
}

// --- Landmark CSV ------------------------------------------------------------------------------------------

LandmarkColumns::LandmarkColumns(const TextLines& header)
    : separator_(header.line().find('\t') == std::string_view::npos ? ',' : '\t') {
  std::vector<std::string_view> names;
  split(header.line(), separator_, false, names);
  num_columns_ = names.size();
  points_.fill(0);
  for (size_t column = 1; column < names.size(); ++column) {
    if (plain_column_name(names[column]) == "label") label_ = column;
    const auto coordinate = coordinate_of_column(names[column]);
    if (!coordinate) continue;
    if (points_[*coordinate] != 0) header.refuse("two columns for ", column_title(*coordinate));
    points_[*coordinate] = column;
  }
  for (size_t i = 0; i < points_.size(); ++i) {
    if (points_[i] == 0) {
      header.refuse("the header has no column ", column_title(i),
                    "; expected the path first and eyeL, eyeR, nose, mouthL, mouthR with _x and _y");
    }
  }
}

void LandmarkColumns::parse(const TextLines& lines, std::string_view line, ListEntry& entry) const {
  thread_local std::vector<std::string_view> fields;
  split(line, separator_, false, fields);
  if (fields.size() != num_columns_) lines.refuse(fields.size(), " fields, the header has ", num_columns_);
  entry.path = fields[0];
  entry.label = label_ ? fields[*label_] : std::string_view();
  entry.landmarks.reset();
  if (std::all_of(points_.begin(), points_.end(), [&](size_t column) { return fields[column].empty(); }))
    return;
  entry.landmarks.emplace();
  for (size_t i = 0; i < points_.size(); ++i)
    (*entry.landmarks)[i] = parse_coordinate(lines, fields[points_[i]]);
}

LandmarkTable::LandmarkTable(const fs::path& csv) : lines_(csv) {
  if (!lines_.next()) lines_.refuse("no header");
  columns_ = LandmarkColumns(lines_);
  while (lines_.next()) rows_.add(columns_.path_of(lines_.line()), lines_.begin());
  rows_.finish();
}

std::optional<Landmarks> LandmarkTable::find(std::string_view path) {
  std::optional<ListEntry> match;
  for (const NameLookup::Entry& row : rows_.find(path)) {
    ListEntry entry;
    columns_.parse(lines_, lines_.line_at(row.number), entry);
    if (entry.path != path) continue;
    if (match) fail(ErrorKind::kData, lines_.path().string(), ": '", path, "' stands there twice");
    match = entry;
  }
  if (!match) return std::nullopt;
  ++found_;
  return match->landmarks;
}

void LandmarkTable::check_used() const {
  if (found_ == 0) {
    fail(ErrorKind::kData, lines_.path().string(),
         ": none of its rows names an image of the source; its paths must be relative to the source's root");
  }
}

// --- Lists -------------------------------------------------------------------------------------------------

ListFile::ListFile(const fs::path& path, ListFormat format) : lines_(path), format_(format) {
  if (format != ListFormat::kLandmarkCsv) return;
  if (!lines_.next()) lines_.refuse("no header");
  columns_ = LandmarkColumns(lines_);
}

bool ListFile::labels_are_numbers(ListFormat format) {
  return format == ListFormat::kIm2rec || format == ListFormat::kInsightFace ||
         format == ListFormat::kTrillionPairs;
}

bool ListFile::has_labels(ListFormat format) {
  return format != ListFormat::kPath && format != ListFormat::kPathPoints && format != ListFormat::kIjb;
}

bool ListFile::has_landmarks(ListFormat format) {
  return format == ListFormat::kInsightFace || format == ListFormat::kTrillionPairs ||
         format == ListFormat::kPathPoints || format == ListFormat::kLandmarkCsv ||
         format == ListFormat::kIjb;
}

bool ListFile::next(ListEntry& entry) {
  if (!lines_.next()) return false;
  entry = {};
  parse(entry);
  if (entry.path.empty()) lines_.refuse("the path is empty");
  return true;
}

void ListFile::parse(ListEntry& entry) {
  const std::string_view line = lines_.line();
  switch (format_) {
    case ListFormat::kPathLabel:
    case ListFormat::kPathSpaceLabel: {
      const char separator = format_ == ListFormat::kPathLabel ? '\t' : ' ';
      const size_t at = line.rfind(separator);
      if (at == std::string_view::npos || at + 1 == line.size()) {
        lines_.refuse("expected a path, a ", separator == ' ' ? "space" : "tab", " and a label");
      }
      entry.path = line.substr(0, at);
      entry.label = line.substr(at + 1);
      return;
    }
    case ListFormat::kPath:
      entry.path = line;
      return;
    case ListFormat::kIm2rec:
      return parse_im2rec(entry);
    case ListFormat::kInsightFace:
      return parse_insightface(entry);
    case ListFormat::kTrillionPairs:
      return parse_trillionpairs(entry);
    case ListFormat::kPathPoints:
      return parse_path_points(entry);
    case ListFormat::kIjb:
      return parse_ijb(entry);
    case ListFormat::kLandmarkCsv:
      return columns_.parse(lines_, line, entry);
  }
}

void ListFile::parse_im2rec(ListEntry& entry) {
  split(lines_.line(), '\t', false, fields_);
  if (fields_.size() < 3)
    lines_.refuse(fields_.size(), " fields, expected number, label, path, separated by tabs");
  parse_label(lines_, fields_[0], 0);
  entry.label = fields_[1];
  entry.path = fields_.back();
}

void ListFile::parse_insightface(ListEntry& entry) {
  split(lines_.line(), '\t', false, fields_);
  if (fields_.size() != 3 && fields_.size() != 7 && fields_.size() != 17) {
    lines_.refuse(fields_.size(),
                  " fields, expected aligned, path, label, then a box of 4 and 10 coordinates or neither");
  }
  check_aligned_flag(lines_, fields_[0]);
  entry.path = fields_[1];
  entry.label = fields_[2];
  for (size_t i = 3; i < fields_.size(); ++i) parse_coordinate(lines_, fields_[i]);
  if (fields_.size() < 17 || fields_[0] == "1") return;  // aligned images are on the template already
  entry.landmarks.emplace();
  for (size_t i = 0; i < 5; ++i) {
    (*entry.landmarks)[2 * i] = parse_coordinate(lines_, fields_[7 + i]);
    (*entry.landmarks)[2 * i + 1] = parse_coordinate(lines_, fields_[12 + i]);
  }
}

void ListFile::parse_trillionpairs(ListEntry& entry) {
  split(lines_.line(), ' ', true, fields_);
  if (fields_.size() != 2 && fields_.size() != 7 && fields_.size() != 70) {
    lines_.refuse(fields_.size(), " fields, expected path, label and 0, 5 or 68 points x,y");
  }
  entry.path = fields_[0];
  entry.label = fields_[1];
  if (fields_.size() == 2) return;
  std::vector<std::array<float, 2>> points;
  for (size_t i = 2; i < fields_.size(); ++i) {
    split(fields_[i], ',', false, numbers_);
    if (numbers_.size() != 2) lines_.refuse("'", fields_[i], "' is not a point x,y");
    points.push_back({parse_coordinate(lines_, numbers_[0]), parse_coordinate(lines_, numbers_[1])});
  }
  if (points.size() == 68) {
    entry.landmarks = landmarks_of_68(points);
    return;
  }
  entry.landmarks.emplace();
  for (size_t i = 0; i < 10; ++i) (*entry.landmarks)[i] = points[i / 2][i % 2];
}

void ListFile::parse_path_points(ListEntry& entry) {
  split(lines_.line(), ' ', true, fields_);
  if (fields_.size() != 11) lines_.refuse(fields_.size(), " fields, expected a path and ten coordinates");
  take_path_and_points(entry);
}

void ListFile::parse_ijb(ListEntry& entry) {
  split(lines_.line(), ' ', true, fields_);
  if (fields_.size() != 12)
    lines_.refuse(fields_.size(), " fields, expected a name, ten coordinates and a score");
  const auto score = parse_number<float>(fields_[11]);
  if (!score || !std::isfinite(*score)) lines_.refuse("'", fields_[11], "' is not a detector score");
  take_path_and_points(entry);
}

void ListFile::take_path_and_points(ListEntry& entry) {
  entry.path = fields_[0];
  entry.landmarks.emplace();
  for (size_t i = 0; i < 10; ++i) (*entry.landmarks)[i] = parse_coordinate(lines_, fields_[i + 1]);
}

}  // namespace uir
