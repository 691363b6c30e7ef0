#include "uir/timeline/layers.h"

#include <algorithm>
#include <set>

#include "uir/timeline/clock.h"

namespace uir {
namespace {

// The shots that a span touches: [first, last] places in shots.
struct ShotRange {
  size_t first, last;
};

ShotRange shots_of(const std::vector<Span>& shots, const Span& span) {
  const auto ends_behind = [](int64_t ticks, const Span& shot) { return ticks < shot.end; };
  const auto at = [&](int64_t ticks) {
    const auto found = std::upper_bound(shots.begin(), shots.end(), ticks, ends_behind);
    return std::min<size_t>(static_cast<size_t>(found - shots.begin()), shots.size() - 1);
  };
  return {at(span.begin), at(span.end - 1)};
}

Span gap_between(const Span& a, const Span& b) { return {a.end, b.begin}; }

// Neighbours become one where the gap between them passes.
template <class Passes>
std::vector<Span> bridged(const std::vector<Span>& spans, const Passes& passes) {
  std::vector<Span> result;
  for (const Span& span : spans) {
    if (!result.empty() && passes(gap_between(result.back(), span))) {
      result.back().end = span.end;
    } else {
      result.push_back(span);
    }
  }
  return result;
}

std::vector<Span> visible_spans(const Timeline& timeline, const std::string& person,
                                const LayerRules& rules) {
  const Label label(person);
  std::vector<Span> spans;
  for (const Track& track : timeline.tracks) {
    if (label.fits(track)) spans.push_back(track.time);
  }
  spans = united(std::move(spans));
  if (!timeline.is_film()) return spans;
  const int64_t longest = ticks_of(rules.bridge, timeline.film.ticks_per_second);
  return bridged(spans, [&](const Span& gap) {
    if (gap.length() > longest) return false;
    const ShotRange touched = shots_of(timeline.shots, {gap.begin - 1, gap.end + 1});
    return touched.first == touched.last;
  });
}

std::vector<Span> scene_spans(const Timeline& timeline, const std::vector<Span>& visible,
                              const LayerRules& rules) {
  const int64_t tps = timeline.film.ticks_per_second;
  const int64_t widen = ticks_of(rules.widen, tps), away = ticks_of(rules.away, tps);
  std::vector<Span> wide;
  for (const Span& span : visible) {
    const ShotRange touched = shots_of(timeline.shots, span);
    wide.push_back({std::max(timeline.shots[touched.first].begin, span.begin - widen),
                    std::min(timeline.shots[touched.last].end, span.end + widen)});
  }
  return bridged(united(std::move(wide)), [&](const Span& gap) {
    if (gap.length() > away) return false;
    const ShotRange touched = shots_of(timeline.shots, gap);
    return static_cast<int64_t>(touched.last - touched.first) + 1 <= rules.away_shots;
  });
}

}  // namespace

std::vector<std::string> shown_named_people(const Timeline& timeline) {
  std::set<std::string> left;
  for (const Track& track : timeline.tracks) {
    if (track.verdict == Verdict::kKnown) left.insert(track.person);
  }
  std::vector<std::string> people;
  for (const GalleryPerson& person : timeline.people) {
    if (left.erase(person.name) > 0) people.push_back(person.name);
  }
  people.insert(people.end(), left.begin(), left.end());
  return people;
}

std::vector<std::string> shown_people(const Timeline& timeline) {
  std::vector<std::string> people = shown_named_people(timeline);
  std::set<int64_t> strangers;
  for (const Track& track : timeline.tracks) {
    if (track.verdict == Verdict::kStranger && track.stranger > 0) strangers.insert(track.stranger);
  }
  for (const int64_t number : strangers) people.push_back(stranger_name(number));
  return people;
}

std::vector<Span> layer_of(const Timeline& timeline, Layer layer, const std::string& person,
                           const LayerRules& rules) {
  const std::vector<Span> visible = visible_spans(timeline, person, rules);
  if (layer == Layer::kVisible || !timeline.is_film() || timeline.shots.empty()) return visible;
  return scene_spans(timeline, visible, rules);
}

std::vector<Span> united(std::vector<Span> spans) {
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  std::vector<Span> result;
  for (const Span& span : spans) {
    if (!result.empty() && span.begin <= result.back().end) {
      result.back().end = std::max(result.back().end, span.end);
    } else {
      result.push_back(span);
    }
  }
  return result;
}

int64_t total_length(const std::vector<Span>& spans) {
  int64_t sum = 0;
  for (const Span& span : spans) sum += span.length();
  return sum;
}

std::vector<Span> complement(const std::vector<Span>& spans, const Span& whole) {
  std::vector<Span> result;
  int64_t at = whole.begin;
  for (const Span& span : spans) {
    if (span.begin > at) result.push_back({at, span.begin});
    at = span.end;
  }
  if (whole.end > at) result.push_back({at, whole.end});
  return result;
}

}  // namespace uir
