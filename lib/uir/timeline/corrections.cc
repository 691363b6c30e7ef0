#include "uir/timeline/corrections.h"

#include <algorithm>
#include <charconv>

#include "uir/base/growing_file.h"
#include "uir/base/log.h"
#include "uir/base/text.h"
#include "uir/timeline/clock.h"
#include "uir/timeline/layers.h"
#include "uir/timeline/names.h"
#include "uir/timeline/writer.h"

namespace uir {
namespace {

std::vector<size_t> tracks_called(const Timeline& timeline, const std::string& name) {
  const Label label(name);
  std::vector<size_t> tracks;
  for (size_t i = 0; i < timeline.tracks.size(); ++i) {
    if (label.fits(timeline.tracks[i])) tracks.push_back(i);
  }
  return tracks;
}

std::optional<int64_t> track_number(const std::string& who) {
  if (!who.starts_with('#')) return std::nullopt;
  int64_t id = 0;
  const auto [end, error] = std::from_chars(who.data() + 1, who.data() + who.size(), id);
  if (error != std::errc() || end != who.data() + who.size()) return std::nullopt;
  return id;
}

std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kMost = 12;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i) text += concat(i == 0 ? "" : ", ", names[i]);
  return names.size() > kMost ? concat(text, " and ", names.size() - kMost, " more") : text;
}

[[noreturn]] void nobody_called(const Timeline& timeline, const std::string& who) {
  const std::vector<std::string> people = shown_people(timeline);
  fail(ErrorKind::kUsage, "nobody is called '", readable(who), "' here: there ",
       people.empty() ? "is nobody with a name or a number" : concat("are ", listed(people)),
       "; a track is given as #12, a time as 00:41:07");
}

Who visible_one(const Timeline& timeline, const std::string& when, const std::optional<std::string>& said) {
  std::vector<size_t> tracks = tracks_at(timeline, parse_time(timeline, when));
  if (said) std::erase_if(tracks, [&](size_t i) { return shown_name(timeline.tracks[i]) != *said; });
  if (tracks.size() == 1) return {tracks, false};
  std::vector<std::string> names;
  for (const size_t i : tracks)
    names.push_back(concat(shown_name(timeline.tracks[i]), " (#", timeline.tracks[i].id, ")"));
  if (tracks.empty())
    fail(ErrorKind::kUsage, said ? *said : "nobody", " is ", said ? "not " : "", "visible at ", when);
  fail(ErrorKind::kUsage, "several people are visible at ", when, ": ", listed(names),
       "; give the track's number");
}

std::string person_of(const Timeline& timeline, const Who& who) {
  for (const size_t i : who.tracks) {
    if (!timeline.tracks[i].person.empty()) return timeline.tracks[i].person;
  }
  return "";
}

Target target_of(const Timeline& timeline, const Who& who) {
  return target_of(timeline, who.tracks, who.label);
}

}  // namespace

std::vector<size_t> tracks_at(const Timeline& timeline, int64_t ticks) {
  std::vector<size_t> tracks;
  for (size_t i = 0; i < timeline.tracks.size(); ++i) {
    if (is_seen_at(timeline.tracks[i], ticks)) tracks.push_back(i);
  }
  return tracks;
}

int64_t parse_time(const Timeline& timeline, const std::string& text) {
  if (!timeline.is_film()) {
    const auto found = std::find(timeline.photos.begin(), timeline.photos.end(), text);
    if (found == timeline.photos.end())
      fail(ErrorKind::kUsage, "'", readable(text), "' is none of the photos");
    return found - timeline.photos.begin();
  }
  const auto seconds = parse_clock(text);
  if (!seconds)
    fail(ErrorKind::kUsage, "'", readable(text), "' is no time; give 00:41:07, 41:07.5 or seconds");
  const Film& film = timeline.film;
  if (*seconds > seconds_of(film.shown.end, film.ticks_per_second)) {
    fail(ErrorKind::kUsage, text, " lies behind the film's end at ",
         clock_text(milliseconds_of(film.shown.end, film.ticks_per_second)));
  }
  return ticks_of(*seconds, film.ticks_per_second);
}

Who find_who(const Timeline& timeline, const std::string& who, const std::optional<std::string>& said) {
  if (who != "?") {
    if (std::vector<size_t> tracks = tracks_called(timeline, who); !tracks.empty())
      return {std::move(tracks), true};
  }
  if (const auto id = track_number(who)) {
    for (size_t i = 0; i < timeline.tracks.size(); ++i) {
      if (timeline.tracks[i].id == *id) return {{i}, false};
    }
    fail(ErrorKind::kUsage, "there is no track ", who, ": they are #1 to #",
         timeline.tracks.empty() ? 0 : timeline.tracks.back().id);
  }
  const bool is_photo =
      std::find(timeline.photos.begin(), timeline.photos.end(), who) != timeline.photos.end();
  if (is_photo || (timeline.is_film() && parse_clock(who))) return visible_one(timeline, who, said);
  nobody_called(timeline, who);
}

Edit name_edit(const Timeline& timeline, const std::string& who, const std::string& name) {
  check_person_name(name);
  const Who whom = find_who(timeline, who);
  return {.kind = EditKind::kName,
          .who = who,
          .at = target_of(timeline, whom),
          .with = {},
          .name = name,
          .seconds = 0};
}

Edit not_edit(const Timeline& timeline, const std::string& who, const std::optional<std::string>& said) {
  const Who whom = find_who(timeline, who, said);
  for (const size_t i : whom.tracks) {
    const Track& track = timeline.tracks[i];
    if (said && shown_name(track) != *said) {
      fail(ErrorKind::kUsage, "#", track.id, " is not said to be '", readable(*said), "' but '",
           shown_name(track), "'");
    }
  }
  return {.kind = EditKind::kNot,
          .who = who,
          .at = target_of(timeline, whom),
          .with = {},
          .name = person_of(timeline, whom),
          .seconds = 0};
}

Edit merge_edit(const Timeline& timeline, const std::string& a, const std::string& b) {
  const Who first = find_who(timeline, a), second = find_who(timeline, b);
  if (first.tracks == second.tracks)
    fail(ErrorKind::kUsage, "'", readable(a), "' and '", readable(b), "' are the same already");
  const std::string name = person_of(timeline, first);
  return {.kind = EditKind::kMerge,
          .who = concat(a, " and ", b),
          .at = target_of(timeline, first),
          .with = target_of(timeline, second),
          .name = name.empty() ? person_of(timeline, second) : name,
          .seconds = 0};
}

Edit split_edit(const Timeline& timeline, const std::string& who, const std::string& time) {
  const Who whom = find_who(timeline, who);
  if (whom.label) return not_edit(timeline, time, who);
  if (!timeline.is_film())
    fail(ErrorKind::kUsage, "photos cannot be cut in two; 'not' takes a face out of a group");
  const size_t place = whom.tracks.front();
  const Track& track = timeline.tracks[place];
  const int64_t ticks = parse_time(timeline, time), tps = timeline.film.ticks_per_second;
  if (!can_cut(track, ticks)) {
    fail(ErrorKind::kUsage, "track #", track.id, " cannot be cut at ", time, ": it goes from ",
         clock_text(milliseconds_of(track.time.begin, tps)), " to ",
         clock_text(milliseconds_of(track.time.end, tps)), ", and both parts must show a face");
  }
  return {.kind = EditKind::kSplit,
          .who = who,
          .at = target_of_cut(timeline, place, ticks),
          .with = {},
          .name = {},
          .seconds = seconds_of(ticks, tps)};
}

Edit undo_edit(const fs::path& folder) {
  if (edits_in_effect(read_edits(folder)).empty())
    fail(ErrorKind::kUsage, folder.string(), ": there is no correction to undo");
  return {};
}

Timeline correct(const fs::path& folder, const std::function<Edit(const Timeline&)>& make) {
  if (!fs::exists(folder / "timeline.json")) read_timeline(folder);  // says what is missing
  const FolderLock lock(folder);
  Timeline timeline = read_timeline(folder);
  std::vector<Edit> log = read_edits(folder);
  revert(timeline);
  replay(timeline, log);  // an interrupted correction may be in the log alone
  log.push_back(make(timeline));
  append_edit(folder, log.back());
  revert(timeline);
  for (const std::string& problem : replay(timeline, log)) log_warning(problem);
  write_outputs(folder, timeline);
  return timeline;
}

}  // namespace uir
