#include "uir/pipeline/name_thresholds.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "uir/base/error.h"
#include "uir/base/json_text.h"
#include "uir/base/log.h"
#include "uir/eval/calibration.h"

namespace uir {
namespace {

constexpr double kUnsureBelow = 0.1;  // the known threshold
constexpr double kHoursOfBound = 3;   // without a false name: at most one an hour
constexpr double kUnsureRate = 10;    // times the wanted rate

// What y1, a small public network, needs on faces that are aligned as here for one false name in 1,000
// strangers, as many as three hours of film have (docs/results.md: 0.389 at 10 people, 0.455 at 100).
double careful_threshold(size_t people) {
  return std::clamp(0.388 + 0.07 * std::log10(static_cast<double>(people) / 10), 0.37, 0.65);
}

std::string number_text(double number) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g", number);
  return text;
}

void check_model(const Json& calibrated, const Json& model, const fs::path& file) {
  const Json theirs = calibrated.value("checksum", Json()), own = model.value("checksum", Json());
  if (theirs != own)
    fail(ErrorKind::kData, file.string(), ": measured with another network (", json_text(theirs),
         " instead of ", json_text(own), "); thresholds belong to a network: calibrate this one");
}

// known and unsure by films; where these are too short to show what is wanted, no less than the careful ones.
void set_by_films(const TrackCalibration& calibration, double wanted, const FalseNames& known, size_t people,
                  TimelineThresholds& thresholds) {
  const FalseNames unsure = false_names_at(calibration, kUnsureRate * wanted);
  thresholds.known = known.threshold;
  thresholds.unsure = std::min(unsure.threshold, known.threshold);
  if (known.is_bound && known.per_hour > wanted) {
    thresholds.known = std::max(known.threshold, careful_threshold(people));
    thresholds.unsure = std::max(thresholds.unsure, thresholds.known - kUnsureBelow);
  }
}

void by_films(const TrackCalibration& calibration, const IdentifyRequest& request, size_t people,
              TimelineThresholds& thresholds) {
  const FalseNames known = false_names_at(calibration, request.false_names);
  set_by_films(calibration, request.false_names, known, people, thresholds);
  thresholds.same_person = calibration.same_person;
  thresholds.because =
      concat("calibrated on ", number_text(calibration.hours),
             " hours of strangers: ", known.is_bound ? "at most " : "", number_text(known.per_hour),
             " false names an hour (", known.names, " of ", calibration.tracks, " tracks",
             known.is_bound ? "; the bound holds with 95 %)" : ")");
  if (known.is_bound && known.per_hour > request.false_names)
    log_warning(request.calibration.string(), ": too little film to show that no more than ",
                number_text(request.false_names), " names an hour are false; calibrate on ",
                number_text(kHoursOfBound / request.false_names), " hours, or allow more --false-names");
  if (static_cast<int64_t>(people) > calibration.people)
    log_warning(request.calibration.string(), ": measured with ", calibration.people,
                " people, the gallery has ", people, ": more false names are to be expected");
}

// The most frequent mistakes that are measured and not more frequent than wanted.
const CalibratedThreshold* threshold_for(const CalibratedGallery& gallery, double wanted) {
  const CalibratedThreshold* best = nullptr;
  for (const CalibratedThreshold& one : gallery.thresholds) {
    if (one.threshold && one.rate <= wanted && (!best || one.rate > best->rate)) best = &one;
  }
  return best;
}

void by_photos(const Calibration& calibration, const IdentifyRequest& request, size_t people,
               TimelineThresholds& thresholds) {
  const CalibratedGallery* gallery = calibration.gallery_for(static_cast<int64_t>(people));
  if (!gallery)
    fail(ErrorKind::kConfig, request.calibration.string(), ": measured for fewer than ", people,
         " people; calibrate with a larger gallery");
  const double wanted = 1000 * request.false_names / kTracksPerHour;
  const CalibratedThreshold* known = threshold_for(*gallery, wanted);
  if (!known)
    fail(ErrorKind::kConfig, request.calibration.string(), ": no threshold for ", number_text(wanted),
         " or fewer false alarms per 1,000 strangers (", number_text(request.false_names), " an hour at ",
         kTracksPerHour, " tracks an hour); measure it with --false-alarms ", number_text(wanted),
         ", or allow more --false-names");
  const CalibratedThreshold* unsure = threshold_for(*gallery, kUnsureRate * wanted);
  thresholds.known = *known->threshold;
  thresholds.unsure = std::min(*unsure->threshold, thresholds.known);
  thresholds.same_person = thresholds.known;
  thresholds.because = concat(
      "an estimate from photos: ", number_text(known->rate), " false alarms per 1,000 strangers, ",
      number_text(known->rate * kTracksPerHour / 1000), " an hour at ", kTracksPerHour, " tracks an hour");
}

void by_calibration(const IdentifyRequest& request, size_t people, const Json& model,
                    TimelineThresholds& thresholds) {
  const Json json = read_json_file(request.calibration);
  const std::string place = request.calibration.string();
  if (json.is_object() && json.value("format", Json()) == kTrackCalibration) {
    const TrackCalibration calibration = read_track_calibration(json, place);
    check_model(calibration.model, model, request.calibration);
    return by_films(calibration, request, people, thresholds);
  }
  const Calibration calibration = read_calibration(request.calibration);
  const Json weights = calibration.model.value("weights", Json());
  if (weights.is_object()) {
    check_model(weights, model, request.calibration);
  } else {
    log_warning(place, ": does not tell which network it was measured with");
  }
  by_photos(calibration, request, people, thresholds);
}

}  // namespace

double same_person_by(const TrackCalibration& calibration) {
  constexpr double kWanted = 1;
  TimelineThresholds thresholds;
  set_by_films(calibration, kWanted, false_names_at(calibration, kWanted),
               static_cast<size_t>(calibration.people), thresholds);
  return thresholds.known;
}

TimelineThresholds name_thresholds(const IdentifyRequest& request, size_t people, const Json& model) {
  TimelineThresholds thresholds;
  if (!request.calibration.empty() && (request.known != 0 || request.unsure != 0))
    fail(ErrorKind::kUsage, "--calibration and --known or --unsure: give one of them");
  if (!request.calibration.empty()) {
    by_calibration(request, people, model, thresholds);
  } else {
    thresholds.known = request.known != 0 ? request.known : careful_threshold(people);
    thresholds.unsure = request.unsure != 0 ? request.unsure : thresholds.known - kUnsureBelow;
    thresholds.because = request.known != 0 ? "as asked for" : "not calibrated: a careful default";
    if (thresholds.unsure > thresholds.known)
      fail(ErrorKind::kUsage, "--unsure ", thresholds.unsure, " is above --known ", thresholds.known);
    thresholds.same_person = thresholds.known;
    if (request.known == 0)
      log_warning("not calibrated: names are given from a score of ", number_text(thresholds.known),
                  " on, which may be too careful for this network, or not enough (uir-identify calibrate)");
  }
  thresholds.smallest_face = request.smallest_face;
  log_info("names from a score of ", number_text(thresholds.known), " on, strangers below ",
           number_text(thresholds.unsure), ": ", thresholds.because);
  return thresholds;
}

}  // namespace uir
