// How sure a number is: an interval that holds the value for other people of the same kind in 95 of 100
// cases, and how much stands behind it. report/intervals.h says how it is found.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/json.h"

namespace uir {

// By the number of mistakes behind a rate: fewer than 30 are weak (Doddington's rule), fewer than 10 tell
// nothing. What is not resolved has no interval, and is never called the best.
enum class Resolution { kResolved, kWeak, kNotResolved };
std::string_view to_string(Resolution resolution);  // "resolved", "weak", "not resolved"

struct Uncertainty {
  // Not numbers where there is no interval; `note` then says why.
  double low = std::numeric_limits<double>::quiet_NaN(), high = low;
  std::string note{};             // also: what the interval leaves out
  int64_t genuine_events = -1;    // genuine pairs or mated probes that are missed; −1: no such events
  int64_t impostor_events = -1;   // impostor pairs or strangers that are accepted, or may be at this rate
  double effective_events = low;  // of these, as many as if all were independent; not a number: not known
  double effective_people = low;  // as many as if all contributed alike
  Resolution resolution = Resolution::kResolved;
  // The people's influences (report/intervals.h), independent groups apart, in an order that the protocol's
  // lists alone decide: two models' differ only in values. For differences; reports do not show them.
  std::vector<std::vector<double>> influences{};

  bool has_interval() const { return !std::isnan(low); }
};

// {"interval": [low, high] or null, "genuine_events": …, "resolution": …}; what is not known is left out.
Json to_json(const Uncertainty& uncertainty);

}  // namespace uir
