// Numbers as sentences: "94.1 % of pairs of one person are accepted when one in 1,000 pairs of different
// people is", with the field's term beside. A protocol gives them to its headline numbers, in the line that
// says what these mean (number_meaning.h).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "uir/report/number_meaning.h"
#include "uir/report/uncertainty.h"

namespace uir {

struct WordedNumber {
  std::string term;      // "TAR@FAR 1e-3"
  std::string sentence;  // with the place of the value still open

  std::string with(std::string_view value) const;
};

// None where the protocol has no words for the number. Of numbers of one gallery only the mean has any.
std::optional<WordedNumber> words_of(std::string_view number, std::span<const NamedMeaning> known);

// "one in 1,000", "15 in 1,000", "all".
std::string rate_in_words(double rate);
// "94.1 %", "99.984 %": as many decimals as tell it from none and all; of what is no rate three digits.
std::string value_in_words(double value, const NumberMeaning& meaning);
// The value, and its interval or that there is none: "94.1 % (93.2 to 95.0 %)", "94.1 % (not resolved)".
std::string value_in_words(double value, const Uncertainty* uncertainty, const NumberMeaning& meaning);

}  // namespace uir
