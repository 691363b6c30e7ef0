#include "uir/report/number_meaning.h"

#include <cctype>
#include <cmath>
#include <cstdio>

namespace uir {
namespace {

struct Known {
  std::string_view name;  // the number's name, or its beginning where a '_' or a digit follows
  NumberMeaning meaning;
};

constexpr NumberMeaning kHigherRate{Better::kHigher, true}, kLowerRate{Better::kLower, true},
    kPlainRate{Better::kNone, true};

// Distances of class centers and probabilities of strangers stay out: a network whose recognition is ruined can have
// better ones (docs/protocols.md).
constexpr Known kKnown[] = {
    {"accuracy", kHigherRate},
    {"accuracy_std", kPlainRate},
    {"val", kHigherRate},
    {"val_std", kPlainRate},
    {"val_far", kPlainRate},
    {"auc", kHigherRate},
    {"eer", kLowerRate},
    {"tar_at_far", kHigherRate},
    {"tar_nearest_far", kHigherRate},
    {"tpr_at_fpr", kHigherRate},
    {"identification_tpr_at_fpr", kHigherRate},
    {"identification_rank", kHigherRate},
    {"tpir_at_fpir", kHigherRate},
    {"fnir_at_fpir", kLowerRate},
    {"dir", kHigherRate},
    {"achieved_far", kPlainRate},
    {"rank", kHigherRate},
    {"top", kHigherRate},
    {"map", kHigherRate},
    {"known_rank", kHigherRate},
    {"known_accepted", kHigherRate},
    {"strangers_rejected", kHigherRate},
    {"strangers_below", kHigherRate},
    {"strangers_accepted", kPlainRate},
};

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

bool begins_with(std::string_view number, std::string_view name) {
  if (!number.starts_with(name)) return false;
  return number.size() == name.size() || number[name.size()] == '_' || is_digit(number[name.size()]);
}

// "g1.top5" -> "top5"; the point of a rate ("far_0.001") stands between digits.
std::string_view without_gallery(std::string_view number) {
  const size_t point = number.find('.');
  const bool gallery =
      point != std::string_view::npos && point + 1 < number.size() && !is_digit(number[point + 1]);
  return gallery ? number.substr(point + 1) : number;
}

std::string print(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

NumberMeaning meaning_of(std::string_view number) {
  const std::string_view name = without_gallery(number);
  if (name.ends_with("threshold")) return {};  // a score, of whatever rate
  const Known* found = nullptr;
  for (const Known& known : kKnown) {
    if (begins_with(name, known.name) && (!found || known.name.size() > found->name.size())) found = &known;
  }
  return found ? found->meaning : NumberMeaning{};
}

std::string_view to_string(Better better) {
  switch (better) {
    case Better::kHigher:
      return "higher";
    case Better::kLower:
      return "lower";
    case Better::kNone:
      break;
  }
  return "none";
}

std::string format_number(double value, const NumberMeaning& meaning) {
  if (std::isnan(value)) return "undefined";
  if (!meaning.rate) return short_number(value, 6);
  const double percent = 100 * value;
  const bool tiny = percent != 0 && std::abs(percent) < 0.01;  // four decimals would hide it
  return print(tiny ? "%.3g %%" : "%.4f %%", percent);
}

std::string format_published(double value, const NumberMeaning& meaning) {
  return meaning.rate ? short_number(100 * value, 8) + " %" : short_number(value, 8);
}

std::string format_difference(double difference, const NumberMeaning& meaning) {
  if (std::isnan(difference)) return "";
  if (difference == 0) return "=";
  if (!meaning.rate) return print("%+.4g", difference);
  const double points = 100 * difference;
  return print(std::abs(points) < 0.001 ? "%+.2g pp" : "%+.3f pp", points);
}

std::string short_number(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

}  // namespace uir
