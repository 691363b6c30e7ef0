#include "uir/eval/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/store/embedding_store.h"

namespace uir {
namespace {

constexpr int kVersion = 1;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }
double number(const Json& json) { return json.is_null() ? kUnknown : json.get<double>(); }

Json to_json(const CalibratedThreshold& t, const char* rate, const char* accepted) {
  return {{rate, t.rate},
          {"threshold", t.threshold ? Json(*t.threshold) : Json()},
          {"resolved", t.threshold.has_value()},
          {"events", t.events},
          {accepted, number(t.accepted)}};
}

CalibratedThreshold threshold_of(const Json& json, const char* rate, const char* accepted) {
  CalibratedThreshold t;
  t.rate = json.at(rate).get<double>();
  t.events = json.at("events").get<int64_t>();
  if (!json.at("threshold").is_null()) t.threshold = json.at("threshold").get<double>();
  t.accepted = number(json.at(accepted));
  return t;
}

constexpr const char *kMatchRate = "false_match_rate", *kAcceptedPairs = "genuine_accepted",
                     *kAlarms = "false_alarms_per_1000", *kNamedRight = "named_right";

Json curve_json(const std::vector<CalibrationPoint>& curve) {
  Json points = Json::array();
  for (const CalibrationPoint& p : curve) {
    Json alarms = Json::array(), right = Json::array();
    for (const double value : p.false_alarms) alarms.push_back(number(value));
    for (const double value : p.named_right) right.push_back(number(value));
    points.push_back({{"threshold", p.threshold},
                      {kMatchRate, number(p.false_matches)},
                      {kAcceptedPairs, number(p.accepted_pairs)},
                      {"false_alarms_per_stranger", alarms},
                      {kNamedRight, right}});
  }
  return points;
}

std::vector<CalibrationPoint> curve_of(const Json& json) {
  std::vector<CalibrationPoint> curve;
  for (const Json& point : json) {
    CalibrationPoint p{point.at("threshold").get<double>(),
                       number(point.at(kMatchRate)),
                       number(point.at(kAcceptedPairs)),
                       {},
                       {}};
    for (const Json& value : point.at("false_alarms_per_stranger")) p.false_alarms.push_back(number(value));
    for (const Json& value : point.at(kNamedRight)) p.named_right.push_back(number(value));
    curve.push_back(std::move(p));
  }
  return curve;
}

Calibration calibration_of(const Json& json) {
  Calibration c;
  c.model = json.at("model");
  c.known = json.at("known").get<std::string>();
  c.gallery = json.at("gallery").get<std::string>();
  c.stranger_sets = json.at("strangers").get<std::vector<std::string>>();
  const Json &pairs = json.at("verification"), &named = json.at("identification");
  c.genuine_pairs = pairs.at("genuine_pairs").get<int64_t>();
  c.impostor_pairs = pairs.at("impostor_pairs").get<int64_t>();
  for (const Json& t : pairs.at("thresholds")) c.pairs.push_back(threshold_of(t, kMatchRate, kAcceptedPairs));
  c.people = named.at("people").get<int64_t>();
  c.probes = named.at("probes").get<int64_t>();
  c.strangers = named.at("strangers").get<int64_t>();
  for (const Json& gallery : named.at("galleries")) {
    CalibratedGallery g{gallery.at("people").get<int64_t>(), {}};
    for (const Json& t : gallery.at("thresholds"))
      g.thresholds.push_back(threshold_of(t, kAlarms, kNamedRight));
    c.galleries.push_back(std::move(g));
  }
  c.curve = curve_of(json.at("curve"));
  return c;
}

void check_values(const Calibration& c) {
  const auto refuse = [&](const auto&... what) {
    fail(ErrorKind::kData, c.file.string(), ": damaged calibration: ", what...);
  };
  const auto check = [&](const std::vector<CalibratedThreshold>& thresholds, double highest) {
    for (const CalibratedThreshold& t : thresholds) {
      if (!(t.rate > 0 && t.rate <= highest)) refuse("a rate of ", t.rate);
      if (t.threshold && !(std::abs(*t.threshold) <= 1.001)) refuse("a threshold of ", *t.threshold);
      if (t.events < 0) refuse(t.events, " events");
    }
  };
  check(c.pairs, 1);
  if (!c.model.is_object()) refuse("its model is no object");
  int64_t before = 0;
  for (const CalibratedGallery& gallery : c.galleries) {
    if (gallery.people <= before) refuse("its galleries do not grow");
    before = gallery.people;
    check(gallery.thresholds, 1000);
  }
}

}  // namespace

const CalibratedGallery* Calibration::gallery_for(int64_t size) const {
  const auto found =
      std::ranges::find_if(galleries, [&](const CalibratedGallery& g) { return g.people >= size; });
  return found == galleries.end() ? nullptr : &*found;
}

Json calibrated_model(const EmbeddingStore& store) {
  const Json& manifest = store.manifest();
  return {{"weights", manifest.value("weights", Json())},
          {"dim", store.embeddings().cols},
          {"flip", store.mirrored().has_value()},
          {"precision", manifest.value("precision", Json())}};
}

Json to_json(const Calibration& c) {
  Json pairs = Json::array(), galleries = Json::array();
  for (const CalibratedThreshold& t : c.pairs) pairs.push_back(to_json(t, kMatchRate, kAcceptedPairs));
  for (const CalibratedGallery& g : c.galleries) {
    Json thresholds = Json::array();
    for (const CalibratedThreshold& t : g.thresholds) thresholds.push_back(to_json(t, kAlarms, kNamedRight));
    galleries.push_back({{"people", g.people}, {"thresholds", thresholds}});
  }
  return {{"format", "uir-calibration"},
          {"version", kVersion},
          {"rule", "accept when cosine >= threshold"},
          {"model", c.model},
          {"known", c.known},
          {"gallery", c.gallery},
          {"strangers", c.stranger_sets},
          {"verification",
           {{"genuine_pairs", c.genuine_pairs}, {"impostor_pairs", c.impostor_pairs}, {"thresholds", pairs}}},
          {"identification",
           {{"person", "mean of unit vectors, normalised"},
            {"people", c.people},
            {"probes", c.probes},
            {"strangers", c.strangers},
            {"galleries", galleries}}},
          {"curve", curve_json(c.curve)}};
}

Calibration read_calibration(const fs::path& path) {
  const Json json = read_json_file(path);
  if (!json.is_object() || !json.contains("format") || json["format"] != "uir-calibration")
    fail(ErrorKind::kData, path.string(), ": not a calibration; uir-eval calibrate writes one");
  if (json.value("version", Json()) != Json(kVersion))
    fail(ErrorKind::kData, path.string(), ": calibration of version ", json.value("version", Json()).dump(),
         "; this program reads version ", kVersion);
  try {
    Calibration calibration = calibration_of(json);
    calibration.file = path;
    check_values(calibration);
    return calibration;
  } catch (const Json::exception& e) {
    fail(ErrorKind::kData, path.string(), ": damaged calibration: ", e.what());
  }
}

void check_calibrated_model(const Calibration& calibration, const EmbeddingStore& store) {
  const Json ours = calibrated_model(store), &theirs = calibration.model;
  for (const char* key : {"weights", "dim", "flip"}) {
    const Json of_set = ours.at(key), of_file = theirs.value(key, Json());
    if (of_set.is_null() || of_file.is_null()) {
      log_warning(calibration.file.string(),
                  ": features of another tool do not say which network made them; whether the calibration is "
                  "of the same one cannot be checked");
      continue;
    }
    if (of_set == of_file) continue;
    fail(ErrorKind::kData, calibration.file.string(), ": made with another network: its ", key, ": ",
         of_file.dump(), ", that of ", store.folder().string(), ": ", of_set.dump(),
         "; run uir-eval calibrate again");
  }
}

double stranger_threshold(const Calibration& calibration, double false_alarms, int64_t people) {
  std::string known;
  for (const CalibratedGallery& gallery : calibration.galleries) {
    for (const CalibratedThreshold& t : gallery.thresholds) {
      if (gallery.people == people && t.rate == false_alarms && t.threshold) return *t.threshold;
      if (t.threshold) known += concat(known.empty() ? "" : ", ", t.rate, " at ", gallery.people);
    }
  }
  fail(ErrorKind::kConfig, calibration.file.string(), ": no threshold for ", false_alarms,
       " false alarms per 1,000 strangers at ", people,
       " people; resolved there: ", known.empty() ? "none" : known,
       "; uir-eval calibrate --gallery-size and --false-alarms measure others");
}

}  // namespace uir
