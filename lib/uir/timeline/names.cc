#include "uir/timeline/names.h"

#include <algorithm>
#include <set>

#include "uir/base/error.h"
#include "uir/base/text.h"

namespace uir {
namespace {

constexpr size_t kLongestFileName = 100;  // bytes, without what is appended; systems allow 255

// Line ends that some readers see besides control characters: next line, line and paragraph separator.
constexpr std::string_view kLineEnds[] = {"\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};

bool has_line_end(std::string_view text) {
  return std::any_of(std::begin(kLineEnds), std::end(kLineEnds),
                     [&](std::string_view end) { return text.find(end) != std::string_view::npos; });
}

std::string clean(const std::string& name) {
  std::string text = readable(name);
  for (const std::string_view end : kLineEnds) {
    for (size_t at; (at = text.find(end)) != std::string::npos;) text.replace(at, end.size(), 1, ' ');
  }
  return text;
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// CON, nul.txt, COM1 … are devices to Windows, whatever follows a point.
bool is_device_name(const std::string& name) {
  const std::string stem = lower(name.substr(0, name.find('.')));
  if (stem == "con" || stem == "prn" || stem == "aux" || stem == "nul") return true;
  return stem.size() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")) && stem[3] >= '0' &&
         stem[3] <= '9';
}

std::string safe_file_name(const std::string& name) {
  std::string safe;
  for (const char c : name)
    safe += std::string_view("/\\:*?\"<>|%").find(c) == std::string::npos && !is_control(c) ? c : '_';
  if (safe.size() > kLongestFileName) {
    size_t end = 0;
    for (size_t length;
         (length = std::max<size_t>(utf8_length(safe.substr(end, 4)), 1)), end + length <= kLongestFileName;)
      end += length;
    safe.resize(end);
  }
  while (!safe.empty() && (safe.back() == '.' || safe.back() == ' ')) safe.pop_back();
  if (safe.empty() || safe.front() == '.' || safe.front() == '-' || safe.front() == ' ' ||
      is_device_name(safe))
    safe.insert(0, "_");
  return safe;
}

}  // namespace

bool is_clean_name(std::string_view name) {
  return is_utf8(name) && !has_control(name) && !has_line_end(name);
}

void clean_names(Timeline& timeline) {
  Film& film = timeline.film;
  if (film.path.empty() && !film.file.empty()) film.path = "../" + film.file;  // as it is, for programs
  film.file = clean(film.file);
  for (std::string& photo : timeline.photos) photo = clean(photo);
  for (GalleryPerson& person : timeline.people) person.name = clean(person.name);
  for (std::vector<Track>* tracks : {&timeline.tracks, &timeline.uncut}) {
    for (Track& track : *tracks) {
      track.person = clean(track.person);
      track.picture = clean(track.picture);
      for (Candidate& candidate : track.candidates) candidate.person = clean(candidate.person);
      if (track.found) track.found->person = clean(track.found->person);
    }
  }
}

void check_person_name(const std::string& name) {
  const auto refuse = [&](std::string_view why) {
    fail(ErrorKind::kUsage, "name '", readable(name), "': ", why, "; give another one");
  };
  if (name.empty()) refuse("it is empty");
  if (!is_clean_name(name)) refuse("a name is one line of UTF-8 text");
  if (name.front() == ' ' || name.back() == ' ') refuse("it begins or ends with a space");
  if (name == "?") refuse("'?' stands for somebody unknown");
  if (name.front() == '#' && is_digits(name.substr(1))) refuse("'#' and a number stand for a track");
  if (name.starts_with("stranger ") && is_digits(name.substr(9))) refuse("that is how strangers are called");
}

std::vector<std::string> safe_file_names(const std::vector<std::string>& names) {
  std::vector<std::string> files;
  std::set<std::string> taken;
  for (const std::string& name : names) {
    const std::string safe = safe_file_name(name);
    std::string file = safe;
    for (int i = 2; !taken.insert(lower(file)).second; ++i) file = concat(safe, " (", i, ")");
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace uir
