#include "uir/timeline/answers.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "uir/timeline/clock.h"
#include "uir/timeline/corrections.h"

namespace uir {
namespace {

std::string score_text(double score) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", score);
  return text;
}

std::string clock(const Timeline& timeline, int64_t ticks) {
  return clock_text(milliseconds_of(ticks, timeline.film.ticks_per_second));
}

std::string candidates_text(const Track& track) {
  std::string text;
  for (const Candidate& candidate : track.candidates)
    text += concat(text.empty() ? "" : ", ", candidate.person, ' ', score_text(candidate.score));
  return text;
}

// How sure it is who that is.
std::string certainty(const Timeline& timeline, const Track& track) {
  const std::string scores = candidates_text(track);
  if (track.by_hand) return concat("by hand", scores.empty() ? "" : concat(" (scores: ", scores, ")"));
  const TimelineThresholds& limits = timeline.thresholds;
  switch (track.verdict) {
    case Verdict::kKnown:
      return concat("known: ", scores, "; named from ", score_text(limits.known), " on");
    case Verdict::kUnsure:
      return concat("unsure: perhaps ", scores, "; named from ", score_text(limits.known), " on");
    case Verdict::kStranger:
      return concat("stranger: ", scores.empty() ? "" : concat("at most ", scores, "; "), "nobody below ",
                    score_text(limits.unsure));
    case Verdict::kTooSmall:
      return concat("too small or unclear to tell");
  }
  return "";
}

// Thirds of the picture, as the viewer sees it.
std::string place_text(const Timeline& timeline, const std::array<float, 4>& box) {
  const auto third = [](float begin, float end, int64_t size) {
    return size <= 0 ? 1
                     : std::clamp(static_cast<int>((begin + end) / 2 * 3 / static_cast<float>(size)), 0, 2);
  };
  const char* const across[] = {"left", "middle", "right"};
  const char* const down[] = {"top ", "", "bottom "};
  std::string text;
  if (timeline.is_film())
    text = concat(down[third(box[1], box[3], timeline.film.height)],
                  across[third(box[0], box[2], timeline.film.width)], ", ");
  text += "box";
  for (const float side : box) text += concat(' ', std::lround(side));
  return text;
}

std::string track_text(const Timeline& timeline, const Track& track, int64_t ticks) {
  std::string text = concat(shown_name(track), "\n  ", certainty(timeline, track), "\n  ",
                            place_text(timeline, box_at(track, ticks)), "\n  track #", track.id);
  if (timeline.is_film())
    text += concat(", ", clock(timeline, track.time.begin), " to ", clock(timeline, track.time.end));
  return text + '\n';
}

std::string counted(int64_t number, const char* noun) {
  return concat(number, ' ', noun, number == 1 ? "" : "s");
}

}  // namespace

std::string at_text(const Timeline& timeline, int64_t ticks) {
  std::vector<size_t> tracks = tracks_at(timeline, ticks);
  const auto left = [&](size_t i) { return box_at(timeline.tracks[i], ticks)[0]; };
  std::stable_sort(tracks.begin(), tracks.end(), [&](size_t a, size_t b) { return left(a) < left(b); });
  const std::string when =
      timeline.is_film() ? clock(timeline, ticks) : timeline.photos.at(static_cast<size_t>(ticks));
  std::string text = concat(
      when, ": ", tracks.empty() ? "nobody" : counted(static_cast<int64_t>(tracks.size()), "face"), '\n');
  for (const size_t i : tracks) text += track_text(timeline, timeline.tracks[i], ticks);
  return text;
}

std::vector<Span> spans_of_person(const Timeline& timeline, Layer layer, const std::string& person) {
  const Who who = find_who(timeline, person);
  if (!who.label) fail(ErrorKind::kUsage, "'", person, "' is no name; give one, or 'stranger 3'");
  return layer_of(timeline, layer, person);
}

std::string only_text(const Timeline& timeline, const std::vector<Span>& spans) {
  std::string text;
  for (const Span& span : spans) {
    if (timeline.is_film()) {
      text += concat(clock(timeline, span.begin), ' ', clock(timeline, span.end), ' ',
                     seconds_text(span.length(), timeline.film.ticks_per_second, 3), '\n');
    } else {
      for (int64_t photo = span.begin; photo < span.end; ++photo)
        text += timeline.photos.at(static_cast<size_t>(photo)) + '\n';
    }
  }
  return text;
}

std::string only_summary(const Timeline& timeline, Layer layer, const std::string& person,
                         const std::vector<Span>& spans) {
  const int64_t total = total_length(spans);
  if (!timeline.is_film())
    return concat(person, ": ", counted(total, "photo"), " of ", timeline.photos.size());
  return concat(person, ": ",
                counted(static_cast<int64_t>(spans.size()), layer == Layer::kScenes ? "scene" : "appearance"),
                ", ", clock(timeline, total), " of ", clock(timeline, timeline.film.shown.length()));
}

std::string copied_text(const Timeline& timeline, const std::vector<Span>& spans,
                        const std::vector<Span>& copied) {
  std::string text;
  for (size_t i = 0; i < spans.size(); ++i) {
    const int64_t earlier = spans[i].begin - copied[i].begin;
    if (earlier <= 0) continue;
    text +=
        concat(clock(timeline, spans[i].begin), " begins at the key frame ", clock(timeline, copied[i].begin),
               ", ", seconds_text(earlier, timeline.film.ticks_per_second, 3), " s earlier\n");
  }
  return text.empty() ? "all begin at key frames: copying moves no cut\n" : text;
}

Labels labels_of(const Timeline& timeline) {
  Labels labels;
  for (const Track& track : timeline.tracks) labels[track.id] = shown_name(track);
  return labels;
}

std::string changes_text(const Labels& before, const Timeline& now) {
  std::map<std::pair<std::string, std::string>, int64_t> changes;
  std::string text;
  const Labels after = labels_of(now);
  for (const Track& track : now.tracks) {
    const auto old = before.find(track.id);
    if (old == before.end()) {
      text +=
          concat("#", track.id, ": from ", clock(now, track.time.begin), " on, of #", track.part_of, '\n');
    } else if (old->second != shown_name(track)) {
      ++changes[{old->second, shown_name(track)}];
    }
  }
  for (const auto& [id, label] : before) {
    if (after.count(id) == 0) text += concat("#", id, ": part of its track again\n");
  }
  for (const auto& [labels, count] : changes)
    text += concat(labels.first, " -> ", labels.second, ": ", counted(count, "track"), '\n');
  return text.empty() ? "nobody is called otherwise now\n" : text;
}

}  // namespace uir
