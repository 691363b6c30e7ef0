// Answers to questions about a timeline, in words: what uir-identify prints.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "uir/timeline/layers.h"

namespace uir {

// Who is visible at a time, from left to right: name, verdict and scores, where in the picture, track.
std::string at_text(const Timeline& timeline, int64_t ticks);

// A person's spans; kUsage, naming whom there is, for somebody whom the timeline does not show.
std::vector<Span> spans_of_person(const Timeline& timeline, Layer layer, const std::string& person);
// A line a span: begin, end, seconds; of photos their names.
std::string only_text(const Timeline& timeline, const std::vector<Span>& spans);
std::string only_summary(const Timeline& timeline, Layer layer, const std::string& person,
                         const std::vector<Span>& spans);

// A line a span that begins earlier when it is copied: where, and how much. copied: a span for each.
std::string copied_text(const Timeline& timeline, const std::vector<Span>& spans,
                        const std::vector<Span>& copied);

// What corrections changed: the labels of tracks by their ids, before and now.
using Labels = std::map<int64_t, std::string>;
Labels labels_of(const Timeline& timeline);
std::string changes_text(const Labels& before, const Timeline& now);

}  // namespace uir
