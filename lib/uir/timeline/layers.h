// The two layers of result: when a person is to be seen, and the scenes that she is in.
#pragma once

#include <string>
#include <vector>

#include "uir/timeline/timeline.h"

namespace uir {

enum class Layer { kVisible, kScenes };

// Limits in seconds.
struct LayerRules {
  double bridge = 1;       // visible: gaps up to this within one shot are none
  double widen = 15;       // scenes: each appearance reaches to the ends of its shot, but at most so far
  double away = 10;        // scenes: gaps up to this are reverse shots, if they
  int64_t away_shots = 3;  // touch at most so many shots
};

// Whom the timeline shows: people by name, first those of the gallery in its order, then those named by hand
// alphabetically, then strangers' groups by number. Only those that have a track.
std::vector<std::string> shown_people(const Timeline& timeline);
std::vector<std::string> shown_named_people(const Timeline& timeline);  // without strangers

// Ascending spans that do not touch, within film.shown; empty for somebody who is not there. Photos have one
// layer: the photos with the person.
std::vector<Span> layer_of(const Timeline& timeline, Layer layer, const std::string& person,
                           const LayerRules& rules = {});

// Sorted, and united where they overlap or touch.
std::vector<Span> united(std::vector<Span> spans);
int64_t total_length(const std::vector<Span>& spans);
// What of `whole` lies outside of the spans (ascending, apart).
std::vector<Span> complement(const std::vector<Span>& spans, const Span& whole);

}  // namespace uir
