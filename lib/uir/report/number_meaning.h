// What a number means to a reader: which of two is better, and whether it is a rate. Each protocol says it of
// its own numbers, by name, so that every report, text and page alike, says the same of a number.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace uir {

// kNone: the number describes a model or a protocol but ranks no models (spreads over folds, rates that were
// reached, distances of class centers), or its name is not known.
enum class Better { kHigher, kLower, kNone };

struct NumberMeaning {
  Better better = Better::kNone;
  bool rate = false;  // a share in [0, 1]: people read it in percent, and differences in percentage points
};

inline constexpr NumberMeaning kHigherRate{Better::kHigher, true}, kLowerRate{Better::kLower, true},
    kPlainRate{Better::kNone, true};

// A sentence for readers who do not know the field's terms. Filled in (number_words.h): {value}, what was
// measured; of the rate or rank in the number's name {rate}, "one in 1,000", and {is} behind it; {percent},
// "99 %"; {place}, "in the first place", "among the first 5"; {x}, "1e-3", "5".
struct NumberWords {
  std::string_view term;      // "TAR@FAR {x}"
  std::string_view sentence;  // empty: none
  std::string_view ending{};  // what follows the rate in the names of the numbers that it is for
};

// Of the numbers that begin with the name, where its end, a '_' or a digit follows.
struct NamedMeaning {
  std::string_view name;
  NumberMeaning meaning;
  NumberWords words{};  // of the headline numbers only
};

// "g1.top5" -> "top5"; the point of a rate ("far_0.001") stands between digits.
std::string_view without_gallery(std::string_view number);
// The longest of the names that the number begins with, its gallery aside; null: none.
const NamedMeaning* family_of(std::string_view number, std::span<const NamedMeaning> known);

// By the name's first words: "tar_at_far_0.001" is a "tar_at_far". A gallery in front ("g1.", "mean.") is not
// looked at; of several names that fit, the longest counts; where none fits, and of thresholds, nothing is
// known.
NumberMeaning meaning_of(std::string_view number, std::span<const NamedMeaning> known);

// "higher", "lower", "none".
std::string_view to_string(Better better);

// As people read it: rates in percent, "99.5167 %"; other numbers with six significant digits; "undefined"
// where it is not a number.
std::string format_number(double value, const NumberMeaning& meaning);
// "95.124 to 97.3 %"
std::string format_interval(double low, double high, const NumberMeaning& meaning);
// As it was published, without digits that the source does not give: "96.9 %".
std::string format_published(double value, const NumberMeaning& meaning);
// With its sign: "+0.317 pp" (percentage points) for a rate, "-0.0123" for other numbers; "=" for none; empty
// where it is not a number.
std::string format_difference(double difference, const NumberMeaning& meaning);
// "+0.317", "-1.2": three significant digits.
std::string signed_number(double value);
// %.<digits>g
std::string short_number(double value, int digits);

}  // namespace uir
