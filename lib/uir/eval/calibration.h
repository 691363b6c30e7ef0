// Which threshold? What a calibration (uir-eval calibrate) found for one network, and its file.
//
// A threshold belongs to a network, to the question that is asked (are these two one person? is this one of
// the gallery?), to the size of the gallery, and to a rate of mistakes that someone wants:
//   1:1  accept two images when their score >= threshold: at most a share `rate` of the pairs of different
//        people is accepted (false match rate)
//   1:N  name the best person of a gallery of `people` people when its score >= threshold: at most `rate` of
//        1,000 strangers are named (false alarms; FPIR · 1,000)
// A threshold lies in the middle between the scores on both sides of it. Fewer than kResolvingEvents
// mistakes behind it tell nothing: such a rate is "not resolved" and has no threshold.
// Scores are those of canonical vectors (search/canonical.h); of a person the vector is the mean of its unit
// vectors, normalised.
// Errors of reading: kMissingInput; kData naming file and place for what is no calibration, or of another
// network.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/json.h"

namespace uir {

class EmbeddingStore;

inline constexpr int64_t kResolvingEvents = 10;

struct CalibratedThreshold {
  double rate = 0;                  // wanted
  int64_t events = 0;               // impostor pairs, or strangers, that are let through somewhere
  std::optional<double> threshold;  // none: not resolved
  double accepted = 0;              // share of the right ones that pass: genuine pairs, or probes named right
};

// Of galleries of `people` people, drawn from the whole: means over all such draws, in closed form.
struct CalibratedGallery {
  int64_t people = 0;
  std::vector<CalibratedThreshold> thresholds;
};

// Shares at one threshold, for pictures; not a number where it was not looked at.
struct CalibrationPoint {
  double threshold = 0;
  double false_matches = 0, accepted_pairs = 0;
  std::vector<double> false_alarms, named_right;  // [galleries]; false alarms per stranger
};

struct Calibration {
  Json model;  // "weights" (null: features of another tool), "dim", "flip", "precision"
  std::string known,
      gallery;  // sets; the gallery may be the known set, then an image is not compared with itself
  std::vector<std::string> stranger_sets;
  int64_t genuine_pairs = 0, impostor_pairs = 0;
  std::vector<CalibratedThreshold> pairs;
  int64_t people = 0, probes = 0, strangers = 0;
  std::vector<CalibratedGallery> galleries;  // ascending sizes
  std::vector<CalibrationPoint> curve;       // ascending thresholds

  fs::path file;  // where it was read from

  // Of the galleries measured, the smallest that is at least so large; null if there is none.
  const CalibratedGallery* gallery_for(int64_t people) const;
};

// What identifies the network behind a set of embeddings.
Json calibrated_model(const EmbeddingStore& store);

// {"format": "uir-calibration", "version": 1, …}; docs/thresholds.md
Json to_json(const Calibration& calibration);
Calibration read_calibration(const fs::path& path);
// kData if the embeddings are of another network than the calibration's. A warning where that cannot be told.
void check_calibrated_model(const Calibration& calibration, const EmbeddingStore& store);
// The threshold that lets at most `false_alarms` of 1,000 strangers into a gallery of exactly so many people.
// kConfig, naming what the file has, where it was not measured or not resolved.
double stranger_threshold(const Calibration& calibration, double false_alarms, int64_t people);

}  // namespace uir
