#include "uir/report/uncertainty.h"

namespace uir {

std::string_view to_string(Resolution resolution) {
  switch (resolution) {
    case Resolution::kResolved:
      return "resolved";
    case Resolution::kWeak:
      return "weak";
    case Resolution::kNotResolved:
      break;
  }
  return "not resolved";
}

Json to_json(const Uncertainty& uncertainty) {
  Json json{{"interval", Json()}, {"resolution", to_string(uncertainty.resolution)}};
  if (uncertainty.has_interval()) json["interval"] = {uncertainty.low, uncertainty.high};
  if (uncertainty.genuine_events >= 0) json["genuine_events"] = uncertainty.genuine_events;
  if (uncertainty.impostor_events >= 0) json["impostor_events"] = uncertainty.impostor_events;
  if (!std::isnan(uncertainty.effective_events)) json["effective_events"] = uncertainty.effective_events;
  if (!std::isnan(uncertainty.effective_people)) json["effective_people"] = uncertainty.effective_people;
  if (!uncertainty.note.empty()) json["note"] = uncertainty.note;
  return json;
}

}  // namespace uir
