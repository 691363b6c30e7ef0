#include "uir/report/uncertainty_words.h"

#include <cmath>

#include "uir/base/error.h"
#include "uir/report/html_parts.h"
#include "uir/report/number_meaning.h"

namespace uir {

std::string weakness_in_words(const Uncertainty& uncertainty) {
  if (!uncertainty.has_interval() || uncertainty.resolution == Resolution::kResolved) return "";
  if (uncertainty.resolution == Resolution::kNotResolved)
    return uncertainty.impostor_events > 0 ? concat("few events: ", uncertainty.impostor_events) : "";
  constexpr int64_t kStrong = 30;  // the other kind is weak, then
  const bool accepted = uncertainty.impostor_events >= 0 && uncertainty.impostor_events < kStrong;
  const int64_t events = accepted ? uncertainty.impostor_events : uncertainty.genuine_events;
  return events < 0 ? "weak" : concat("weak: ", events, " events");
}

const std::string_view kWeakWords =
    "weak: fewer than 30 events stand behind the number; not resolved: fewer than 10";

bool is_called_weak(const Uncertainty& uncertainty) {
  const bool unresolved = uncertainty.resolution == Resolution::kNotResolved && !uncertainty.has_interval();
  return unresolved || !weakness_in_words(uncertainty).empty();
}

std::string evidence_in_words(const Uncertainty& uncertainty) {
  std::string words;
  const auto add = [&](const std::string& more) { words += (words.empty() ? "" : "; ") + more; };
  if (uncertainty.impostor_events >= 0) {
    const double worth = uncertainty.effective_events;
    add(concat(grouped(uncertainty.impostor_events), " events",
               std::isnan(worth) ? "" : concat(", worth ", short_number(worth, 3), " independent ones")));
  }
  if (uncertainty.genuine_events >= 0) add(grouped(uncertainty.genuine_events) + " misses");
  if (!uncertainty.note.empty()) add(uncertainty.note);
  return words;
}

}  // namespace uir
