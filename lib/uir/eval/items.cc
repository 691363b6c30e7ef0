#include "uir/eval/items.h"

#include <charconv>

#include "uir/base/error.h"

namespace uir {
namespace {

constexpr int64_t kAmbiguous = -1;
constexpr size_t kNamedImages = 20;  // in a message

std::string_view without_extension(std::string_view item) {
  const size_t dot = item.rfind('.'), slash = item.rfind('/');
  const bool has_extension =
      dot != std::string_view::npos && (slash == std::string_view::npos || dot > slash);
  return has_extension ? item.substr(0, dot) : item;
}

std::string_view last_parts(std::string_view item, int parts) {
  size_t begin = item.size();
  for (int i = 0; i < parts && begin != std::string_view::npos && begin > 0; ++i)
    begin = item.rfind('/', begin - 1);
  return begin == std::string_view::npos ? item : item.substr(begin + 1);
}

std::string_view cut(std::string_view item, ItemRows::Key key) {
  if (key == ItemRows::Key::kItem) return item;
  const std::string_view name = without_extension(item);
  return key == ItemRows::Key::kWithoutExtension ? name : last_parts(name, 3);
}

}  // namespace

ItemRows::ItemRows(std::span<const std::string_view> items, Key key) : key_(key), num_items_(items.size()) {
  rows_.reserve(items.size());
  for (size_t row = 0; row < items.size(); ++row) {
    const auto [at, inserted] = rows_.try_emplace(cut(items[row], key), static_cast<int64_t>(row));
    if (!inserted) at->second = kAmbiguous;
  }
}

int64_t ItemRows::find_row(std::string_view name, std::string_view place) const {
  const auto found = rows_.find(key_ == Key::kLastThreeParts ? cut(name, key_) : name);
  if (found == rows_.end()) return -1;
  if (found->second == kAmbiguous) {
    fail(ErrorKind::kData, place, ": image '", name, "' is in the embedding set more than once");
  }
  return found->second;
}

int64_t ListedRows::row_of(std::string_view name, std::string_view place) {
  const int64_t row = rows_.find_row(name, place);
  if (row < 0 && missing_.emplace(name).second && first_.size() < kNamedImages)
    first_.push_back({std::string(name), std::string(place)});
  return row;
}

std::vector<std::string> ListedRows::missing() const {
  std::vector<std::string> names;
  for (const Named& image : first_) names.push_back(image.name);
  return names;
}

void ListedRows::refuse(std::string_view remedy) const {
  const std::string set = concat("not in the embedding set of ", rows_.size(), " images");
  const std::string_view colon = remedy.empty() ? "" : "; ";
  if (first_.size() == 1)
    fail(ErrorKind::kData, first_[0].place, ": image '", first_[0].name, "' is ", set, colon, remedy);
  std::string text = concat(missing_.size(), " listed images are ", set, colon, remedy, ":");
  for (const Named& image : first_) text += concat("\n  ", image.place, ": image '", image.name, "'");
  if (missing_.size() > first_.size()) text += concat("\n  and ", missing_.size() - first_.size(), " more");
  fail(ErrorKind::kData, text);
}

ListReader::ListReader(const fs::path& path, Separator separator)
    : path_(path), separator_(separator), text_(read_text_file(path)) {
  text_.erase(text_.find_last_not_of(" \t\r\n") + 1);
}

bool ListReader::next() {
  if (at_ >= text_.size()) return false;
  const size_t end = std::min(text_.find('\n', at_), text_.size());
  std::string_view line = std::string_view(text_).substr(at_, end - at_);
  if (line.ends_with('\r')) line.remove_suffix(1);
  at_ = end + 1;
  ++line_;
  fields_.clear();
  const bool space = separator_ == Separator::kSpace;
  const std::string_view separators = space ? " \t" : separator_ == Separator::kTab ? "\t" : ",";
  for (size_t begin = 0; begin <= line.size();) {
    const size_t stop = std::min(line.find_first_of(separators, begin), line.size());
    if (!space || stop > begin) fields_.push_back(line.substr(begin, stop - begin));
    begin = stop + 1;
  }
  return true;
}

std::string ListReader::place() const { return concat(path_.string(), ": line ", line_); }

int64_t ListReader::integer(size_t i, int64_t least) const {
  int64_t value = 0;
  const std::string_view text = fields_.at(i);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least) {
    refuse(text, concat("an integer of at least ", least));
  }
  return value;
}

void ListReader::refuse(std::string_view found, std::string_view expected) const {
  constexpr size_t kShown = 80;  // of a line that may be a whole binary file
  fail(ErrorKind::kData, place(), ": found '", found.substr(0, kShown), found.size() > kShown ? "..." : "",
       "', expected ", expected);
}

std::vector<int64_t> read_item_labels(const fs::path& list, std::span<const std::string_view> items) {
  ListedRows rows(items, ItemRows::Key::kItem);
  std::vector<int64_t> labels(items.size(), -1);
  std::vector<bool> named(items.size(), false);
  ListReader lines(list, ListReader::Separator::kSpace);
  while (lines.next()) {
    if (lines.fields().size() != 2)
      lines.refuse(lines.fields().empty() ? "an empty line" : lines.fields().front(),
                   "an image and its label");
    const int64_t found = rows.row_of(lines.fields()[0], lines.place());
    if (found < 0) continue;
    const auto row = static_cast<size_t>(found);
    if (named[row]) lines.refuse(lines.fields()[0], "every image once");
    named[row] = true;
    labels[row] = lines.integer(1, -1);
  }
  rows.refuse_missing("");
  return labels;
}

}  // namespace uir
