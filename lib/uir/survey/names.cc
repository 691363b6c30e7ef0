#include "uir/survey/names.h"

#include <algorithm>
#include <array>
#include <span>

namespace uir {
namespace {

using Words = std::span<const std::string_view>;
constexpr std::array<std::string_view, 9> kTest{"test",       "tests", "val", "valid",    "validation",
                                                "evaluation", "eval",  "dev", "benchmark"};
constexpr std::array<std::string_view, 9> kUnlabeled{
    "unlabeled", "unlabelled", "strangers", "stranger", "web", "unknown", "unknowns", "distractors", "crowd"};
constexpr std::array<std::string_view, 10> kLabeled{"labeled",  "labelled",   "faces", "people",   "persons",
                                                    "identity", "identities", "train", "training", "known"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool has_word(std::string_view name, Words words) {
  std::string word;
  for (size_t i = 0; i <= name.size(); ++i) {
    if (i < name.size() && is_letter(name[i])) {
      word += static_cast<char>(name[i] | 0x20);
      continue;
    }
    if (std::ranges::find(words, word) != words.end()) return true;
    word.clear();
  }
  return false;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// What stands before the first (after the last) '_', taken off with it; empty if there is none.
std::string_view take_first(std::string_view& text) {
  const size_t end = text.find('_');
  if (end == std::string_view::npos) return {};
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end + 1);
  return part;
}
std::string_view take_last(std::string_view& text) {
  const size_t begin = text.rfind('_');
  if (begin == std::string_view::npos) return {};
  const std::string_view part = text.substr(begin + 1);
  text = text.substr(0, begin);
  return part;
}

}  // namespace

std::optional<Role> role_of_name(std::string_view name) {
  if (has_word(name, kTest)) return Role::kTest;
  if (has_word(name, kUnlabeled)) return Role::kUnlabeled;
  if (has_word(name, kLabeled)) return Role::kLabeled;
  return std::nullopt;
}

bool is_role_name(std::string_view name) {
  return role_of_name(name) && std::ranges::all_of(name, is_letter);
}

std::string_view agedb_person(std::string_view name) {
  std::string_view rest = name.substr(0, name.rfind('.'));
  const std::string_view sex = take_last(rest), age = take_last(rest), number = take_first(rest);
  const bool fits = (sex == "m" || sex == "f") && is_number(age) && is_number(number) && !rest.empty();
  return fits ? rest : std::string_view();
}

std::string source_name(std::string_view file_name) {
  std::string name;
  for (const char c : file_name) {
    const bool plain = is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (plain || (!name.empty() && name.back() != '_')) name += plain ? c : '_';
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return name.empty() ? "data" : name;
}

std::string in_lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(is_letter(c) ? c | 0x20 : c);
  return text;
}

}  // namespace uir
