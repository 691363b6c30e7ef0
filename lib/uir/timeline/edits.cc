#include "uir/timeline/edits.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "uir/base/box_overlap.h"
#include "uir/timeline/clock.h"

namespace uir {
namespace {

constexpr double kLeastOverlap = .3;  // intersection over union of an anchor's box and a track's

Anchor anchor_at(const Timeline& timeline, const Sight& sight) {
  if (timeline.is_film())
    return {
        .seconds = seconds_of(sight.ticks, timeline.film.ticks_per_second), .photo = {}, .box = sight.box};
  return {.seconds = 0, .photo = timeline.photos.at(static_cast<size_t>(sight.ticks)), .box = sight.box};
}

// −1 for a photo that is not there.
int64_t ticks_at(const Timeline& timeline, const Anchor& anchor) {
  if (timeline.is_film()) return ticks_of(anchor.seconds, timeline.film.ticks_per_second);
  const auto found = std::find(timeline.photos.begin(), timeline.photos.end(), anchor.photo);
  return found == timeline.photos.end() ? -1 : found - timeline.photos.begin();
}

// The place of the track; tracks.size() if there is none. times: the tracks', close together in memory.
size_t track_at(const Timeline& timeline, const std::vector<Span>& times, const Anchor& anchor) {
  const int64_t ticks = ticks_at(timeline, anchor);
  size_t best = times.size();
  double most = kLeastOverlap;
  for (size_t i = 0; i < times.size(); ++i) {
    if (!times[i].contains(ticks)) continue;
    const double shared = overlap_of(box_at(timeline.tracks[i], ticks), anchor.box);
    if (shared >= most && (best == times.size() || shared > most)) {
      most = shared;
      best = i;
    }
  }
  return best;
}

void add_whole_labels(const Timeline& timeline, std::set<size_t>& tracks) {
  std::map<std::string, std::pair<size_t, size_t>> counts;  // found, all
  for (const size_t i : tracks) counts[shown_name(timeline.tracks[i])].first += 1;
  counts.erase("?");
  std::vector<std::string> labels(timeline.tracks.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    labels[i] = shown_name(timeline.tracks[i]);
    if (const auto count = counts.find(labels[i]); count != counts.end()) count->second.second += 1;
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto count = counts.find(labels[i]);
    if (count != counts.end() && 2 * count->second.first > count->second.second) tracks.insert(i);
  }
}

void take_back(Track& track) {
  track.by_hand = false;
  if (!track.found) return;
  track.verdict = track.found->verdict;
  track.person = track.found->person;
  track.stranger = track.found->stranger;
  track.found.reset();
}

bool by_id(const Track& a, const Track& b) { return a.id < b.id; }

class Replayer {
 public:
  explicit Replayer(Timeline& timeline)
      : timeline_(timeline), last_stranger_(largest([](const Track& track) { return track.stranger; })) {}

  // False: it found nobody.
  bool apply(const Edit& edit) {
    const std::vector<size_t> at = found_tracks(timeline_, edit.at);
    switch (edit.kind) {
      case EditKind::kName:
        for (const size_t i : at) name(timeline_.tracks[i], edit.name);
        break;
      case EditKind::kNot:
        reject(at, edit.name);
        break;
      case EditKind::kMerge:
        merge(at, found_tracks(timeline_, edit.with), edit.name);
        break;
      case EditKind::kSplit:
        for (const size_t i : at) cut(i, ticks_of(edit.seconds, timeline_.film.ticks_per_second));
        break;
      case EditKind::kUndo:
        break;
    }
    return !at.empty();
  }

 private:
  static void decide(Track& track, Verdict verdict, const std::string& person, int64_t stranger) {
    if (!track.found) track.found = Found{track.verdict, track.person, track.stranger};
    track.verdict = verdict;
    track.person = person;
    track.stranger = stranger;
    track.by_hand = true;
  }
  static void name(Track& track, const std::string& person) { decide(track, Verdict::kKnown, person, 0); }

  // Tracks whom a new analysis took for somebody else than `person` are left alone.
  void reject(const std::vector<size_t>& tracks, const std::string& person) {
    const int64_t number = new_stranger();
    for (const size_t i : tracks) {
      Track& track = timeline_.tracks[i];
      if (person.empty() || track.person == person) decide(track, Verdict::kStranger, "", number);
    }
  }

  void merge(const std::vector<size_t>& at, const std::vector<size_t>& with, std::string person) {
    if (at.empty()) return;
    std::vector<size_t> all = at;
    all.insert(all.end(), with.begin(), with.end());
    int64_t stranger = 0;
    for (const size_t i : all) {
      if (person.empty()) person = timeline_.tracks[i].person;
      if (stranger == 0) stranger = timeline_.tracks[i].stranger;
    }
    if (person.empty() && stranger == 0) stranger = new_stranger();
    for (const size_t i : all) {
      if (person.empty()) {
        decide(timeline_.tracks[i], Verdict::kStranger, "", stranger);
      } else {
        name(timeline_.tracks[i], person);
      }
    }
  }

  // One that a new analysis cut there by itself is left alone.
  void cut(size_t place, int64_t ticks) {
    if (!can_cut(timeline_.tracks[place], ticks)) return;
    const Track whole = timeline_.tracks[place];
    if (whole.part_of == 0) {
      timeline_.uncut.push_back(whole);
      take_back(timeline_.uncut.back());
      std::sort(timeline_.uncut.begin(), timeline_.uncut.end(), by_id);
    }
    Track first = part(whole, {whole.time.begin, ticks}), second = part(whole, {ticks, whole.time.end});
    second.id = 1 + largest([](const Track& track) { return track.id; });
    timeline_.tracks[place] = std::move(first);
    timeline_.tracks.push_back(std::move(second));
  }

  // The picture goes with the best face.
  static Track part(const Track& whole, const Span& time) {
    Track result = whole;
    result.part_of = whole.part_of == 0 ? whole.id : whole.part_of;
    result.time = time;
    cut_off_hidden(result.time, result.hidden);
    std::erase_if(result.sights, [&](const Sight& sight) { return !time.contains(sight.ticks); });
    std::erase_if(result.faces, [&](const TrackFace& face) { return !time.contains(face.ticks); });
    const auto best =
        std::max_element(whole.faces.begin(), whole.faces.end(),
                         [](const TrackFace& a, const TrackFace& b) { return a.weight < b.weight; });
    const bool has_best =
        best == whole.faces.end() ? time.begin == whole.time.begin : time.contains(best->ticks);
    if (!has_best) result.picture.clear();
    return result;
  }

  int64_t new_stranger() { return ++last_stranger_; }  // no number comes twice

  template <class Value>
  int64_t largest(const Value& value) const {
    int64_t most = 0;
    for (const Track& track : timeline_.tracks) most = std::max(most, value(track));
    for (const Track& track : timeline_.uncut) most = std::max(most, value(track));
    return most;
  }

  Timeline& timeline_;
  int64_t last_stranger_;
};

std::string not_found(const Timeline& timeline, const Edit& edit, size_t number) {
  std::string where = "anywhere";
  if (!edit.at.anchors.empty()) {
    const Anchor& first = edit.at.anchors.front();
    where = timeline.is_film() ? "at " + clock_text(ticks_of(first.seconds, 1000)) : "on " + first.photo;
  }
  return concat("correction ", number, " (of ", edit.who, "): no face is where it was, first ", where,
                "; it stays in edits.jsonl and does nothing");
}

}  // namespace

void revert(Timeline& timeline) {
  std::erase_if(timeline.tracks, [](const Track& track) { return track.part_of != 0; });
  timeline.tracks.insert(timeline.tracks.end(), timeline.uncut.begin(), timeline.uncut.end());
  timeline.uncut.clear();
  std::sort(timeline.tracks.begin(), timeline.tracks.end(), by_id);
  for (Track& track : timeline.tracks) take_back(track);
}

std::vector<std::string> replay(Timeline& timeline, const std::vector<Edit>& log) {
  std::vector<std::string> problems;
  Replayer replayer(timeline);
  const std::vector<Edit> edits = edits_in_effect(log);
  for (size_t i = 0; i < edits.size(); ++i) {
    if (!replayer.apply(edits[i])) problems.push_back(not_found(timeline, edits[i], i + 1));
  }
  return problems;
}

Target target_of(const Timeline& timeline, const std::vector<size_t>& tracks, bool group) {
  Target target{.anchors = {}, .group = group};
  for (const size_t i : tracks) {
    const std::vector<Sight>& sights = timeline.tracks[i].sights;
    std::set<size_t> places;
    for (const size_t sixth : {1, 3, 5}) places.insert(sights.size() * sixth / 6);
    for (const size_t place : places) {
      if (place < sights.size()) target.anchors.push_back(anchor_at(timeline, sights[place]));
    }
  }
  return target;
}

Target target_of_cut(const Timeline& timeline, size_t track, int64_t ticks) {
  const std::vector<Sight>& sights = timeline.tracks[track].sights;
  const auto next =
      std::find_if(sights.begin(), sights.end(), [&](const Sight& sight) { return sight.ticks >= ticks; });
  return {.anchors = {anchor_at(timeline, *(next - 1)), anchor_at(timeline, *next)}, .group = false};
}

std::vector<size_t> found_tracks(const Timeline& timeline, const Target& target) {
  std::vector<Span> times;
  for (const Track& track : timeline.tracks) times.push_back(track.time);
  std::set<size_t> tracks;
  for (const Anchor& anchor : target.anchors) tracks.insert(track_at(timeline, times, anchor));
  tracks.erase(timeline.tracks.size());
  if (target.group) add_whole_labels(timeline, tracks);
  return {tracks.begin(), tracks.end()};
}

bool can_cut(const Track& track, int64_t ticks) {
  return !track.sights.empty() && track.sights.front().ticks < ticks && ticks <= track.sights.back().ticks;
}

}  // namespace uir
