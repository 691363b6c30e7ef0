// From films, or a folder of photos, to timelines: analysis, decisions, outputs.
//
// Every input gets a folder: film.mkv → film.timeline beside it. The inputs of one run share the numbers of
// strangers: "stranger 3" is the same person in all of them. Corrections that lie in a folder already are
// applied to the new analysis.
// Errors: those of VideoReader, FaceFinder, PartialAnalysis, the embedder and the outputs; kMissingInput for
// inputs that are not there; kUsage for two inputs with one timeline; kData for a folder without photos of
// faces; kStopped when stop() asked for it: what is done is kept, and `resume` goes on. Threads: one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "uir/identify/decisions.h"
#include "uir/identify/film_analysis.h"
#include "uir/identify/gallery.h"
#include "uir/identify/partial_analysis.h"

namespace uir {

struct IdentifyInput {
  fs::path path;      // of a film, or a folder of photos
  fs::path timeline;  // the folder to write
};

// Inputs as the command line names them; out: the timeline's folder of the only input, or the one that all of
// them go into; empty: beside the inputs.
std::vector<IdentifyInput> identify_inputs(const std::vector<fs::path>& paths, const fs::path& out);

struct IdentifyOptions {
  FindFaces find;
  double rate = 5;  // frames of a film looked at per second
  FaceAlignerConfig photos;
  TrackRules tracks;
  TimelineThresholds thresholds;
  bool resume = false;
  std::function<bool()> stop{};  // asked now and then
};

// A person's vector: the mean of the unit vectors of the photos, of length 1.
PeopleVectors people_vectors(const Gallery& gallery, const FaceEmbedder& embedder);

class Identification {
 public:
  // made_by: what else the result depends on (model, versions).
  Identification(IdentifyOptions options, FaceEmbedder embedder, const Gallery& gallery, Json made_by);

  // Analyses the inputs and decides. Given back: their timelines, before corrections.
  const std::vector<Timeline>& run(std::vector<IdentifyInput> inputs);
  // Decides again about what run() analysed.
  const std::vector<Timeline>& decide(const TimelineThresholds& thresholds);
  // Writes what was decided last.
  void publish();
  // What a continued run would need is no longer needed.
  void clean_up();

 private:
  Json question(const IdentifyInput& input) const;
  void analyze_film(const IdentifyInput& input, PartialAnalysis& analysis);
  void analyze_photos(const IdentifyInput& input, PartialAnalysis& analysis);
  void check_stop(PartialAnalysis& analysis) const;

  IdentifyOptions options_;
  FaceEmbedder embedder_;
  PeopleVectors people_;
  std::vector<GalleryPerson> shown_people_;
  Json made_by_;
  std::vector<IdentifyInput> inputs_;
  std::vector<std::unique_ptr<PartialAnalysis>> partials_;
  std::vector<Timeline> timelines_;
};

}  // namespace uir
