#include <algorithm>
#include <cmath>

#include "uir/base/text.h"
#include "uir/timeline/names.h"
#include "uir/timeline/number_rows.h"
#include "uir/timeline/timeline.h"

namespace uir {
namespace {

constexpr int64_t kVersion = 1;
constexpr double kLargestTick = 9007199254740992.;  // 2^53, where double ends to hold all whole numbers
constexpr int64_t kLargestCount = int64_t{1} << 53;
constexpr int64_t kLargestRate = (int64_t{1} << 31) - 1;  // of clocks and frames, as FFmpeg's fractions
constexpr int64_t kLongestFilm = 10'000'000;              // seconds
constexpr double kLargestBox = 1e6;                       // pixels

// An object whose fields are taken one by one; kData for one that is missing, of another type, or left over.
class Fields {
 public:
  Fields(const Json& json, std::string place) : json_(json), place_(std::move(place)) {
    if (!json.is_object()) refuse("is no object");
  }

  template <class T>
  T take(const char* key) {
    ++taken_;
    if constexpr (std::is_same_v<T, int64_t> || std::is_same_v<T, uint64_t>) {
      const Json json = json_at<Json>(json_, key, place_);
      if (!json.is_number_integer()) refuse(concat("field '", key, "' is no whole number"));
      if constexpr (std::is_same_v<T, int64_t>) return count(json, key);
    }
    return json_at<T>(json_, key, place_);
  }
  const Json& take_json(const char* key) {
    ++taken_;
    const auto found = json_.find(key);
    if (found == json_.end()) refuse(concat("field '", key, "' is missing"));
    return *found;
  }
  std::string take_name(const char* key) {
    std::string name = take<std::string>(key);
    if (!is_clean_name(name)) refuse(concat("field '", key, "' is not one line of text"));
    return name;
  }
  Span take_span(const char* key) {
    const Json& json = take_json(key);
    return span(json, key);
  }
  Span span(const Json& json, std::string_view key) const {
    if (!json.is_array() || json.size() != 2 || !json[0].is_number_integer() || !json[1].is_number_integer())
      refuse(concat("field '", key, "' is no [begin, end) of two whole numbers"));
    return {count(json[0], key), count(json[1], key)};
  }
  // Small enough to be added up.
  int64_t count(const Json& json, std::string_view key) const {
    const auto value = json.get<int64_t>();
    if (std::abs(value) > kLargestCount || (json.is_number_unsigned() && value < 0))
      refuse(concat("field '", key, "' is too large"));
    return value;
  }
  bool has(const char* key) const { return json_.contains(key); }
  void end() const {
    if (json_.size() != taken_) refuse(concat("has ", json_.size(), " fields, ", taken_, " are known of it"));
  }
  [[noreturn]] void refuse(const std::string& what) const { fail(ErrorKind::kData, place_, ": ", what); }
  const std::string& place() const { return place_; }

 private:
  const Json& json_;
  const std::string place_;
  size_t taken_ = 0;
};

Verdict take_verdict(Fields& fields) {
  const std::string name = fields.take<std::string>("verdict");
  for (const Verdict verdict : {Verdict::kKnown, Verdict::kUnsure, Verdict::kStranger, Verdict::kTooSmall}) {
    if (name == verdict_name(verdict)) return verdict;
  }
  fields.refuse(concat("verdict '", readable(name), "' is none of known, unsure, stranger, too small"));
}

void check_decision(const Fields& fields, Verdict verdict, const std::string& person, int64_t stranger) {
  if ((verdict == Verdict::kKnown) == person.empty())
    fields.refuse("a person belongs to the verdict 'known' alone");
  if (stranger < 0 || (stranger > 0 && verdict != Verdict::kStranger))
    fields.refuse("a stranger's number belongs to the verdict 'stranger' alone");
}

class Reader {
 public:
  Reader(const std::string& place, const std::vector<NumberRows>& rows) : place_(place), rows_(rows) {}

  Timeline run(const Json& json) {
    Fields fields(json, place_);
    if (fields.take<std::string>("format") != "uir-timeline") fields.refuse("is no timeline of uir-identify");
    const auto version = fields.take<int64_t>("version");
    if (version != kVersion) {
      fields.refuse(
          concat("version ", version, ", this program reads ", kVersion, "; analyse the film again"));
    }
    Timeline timeline;
    timeline.film = film(fields.take_json("film"));
    for (const Json& photo : array(fields, "photos")) timeline.photos.push_back(name(photo, "photos"));
    for (const Json& person : array(fields, "people")) timeline.people.push_back(gallery_person(person));
    timeline.thresholds = thresholds(fields.take_json("thresholds"));
    timeline.made_by = fields.take_json("made_by");
    timeline.vector_size = fields.take<int64_t>("vector_size");
    timeline.shots = spans(fields, "shots");
    check_shots(fields, timeline);
    timeline.uncut = tracks(array(fields, "uncut"), timeline);
    timeline.tracks = tracks(array(fields, "tracks"), timeline);
    fields.end();
    return timeline;
  }

 private:
  static const Json& array(Fields& fields, const char* key) {
    const Json& json = fields.take_json(key);
    if (!json.is_array()) fields.refuse(concat("field '", key, "' is no array"));
    return json;
  }

  static std::vector<Span> spans(Fields& fields, const char* key) {
    std::vector<Span> result;
    for (const Json& span : array(fields, key)) result.push_back(fields.span(span, key));
    return result;
  }

  std::string name(const Json& json, const char* where) const {
    if (!json.is_string() || !is_clean_name(json.get_ref<const std::string&>()))
      fail(ErrorKind::kData, place_, ": ", where, ": a name is not one line of text");
    return json.get<std::string>();
  }

  Film film(const Json& json) const {
    Fields fields(json, place_ + ": film");
    Film film;
    film.file = fields.take_name("file");
    film.path = fields.has("path_bytes") ? from_hex(fields.take<std::string>("path_bytes"))
                                         : fields.take<std::string>("path");
    film.bytes = fields.take<uint64_t>("bytes");
    film.checksum = fields.take<std::string>("checksum");
    film.ticks_per_second = fields.take<int64_t>("ticks_per_second");
    film.container_start = fields.take<int64_t>("container_start");
    film.shown = fields.take_span("shown");
    film.width = fields.take<int64_t>("width");
    film.height = fields.take<int64_t>("height");
    film.frames = fields.take<int64_t>("frames");
    film.lost = fields.take<int64_t>("lost");
    const Span rate = fields.take_span("rate");
    film.rate_num = rate.begin;
    film.rate_den = rate.end;
    film.constant_rate = fields.take<bool>("constant_rate");
    fields.end();
    check_clock(fields, film);
    return film;
  }

  static void check_clock(const Fields& fields, const Film& film) {
    const auto is_rate = [](int64_t number) { return number >= 1 && number <= kLargestRate; };
    const bool possible = is_rate(film.ticks_per_second) && is_rate(film.rate_den) && film.rate_num >= 0 &&
                          film.rate_num <= kLargestRate;
    if (!possible || film.shown.length() < 0) fields.refuse("its clock, rate or times are impossible");
    for (const int64_t ticks : {film.shown.begin, film.shown.end, film.container_start}) {
      if (std::abs(ticks) / film.ticks_per_second > kLongestFilm)
        fields.refuse(concat("a time of more than ", kLongestFilm, " s"));
    }
  }

  GalleryPerson gallery_person(const Json& json) const {
    Fields fields(json, place_ + ": people");
    GalleryPerson person{fields.take_name("name"), fields.take<int64_t>("photos")};
    fields.end();
    return person;
  }

  TimelineThresholds thresholds(const Json& json) const {
    Fields fields(json, place_ + ": thresholds");
    TimelineThresholds result;
    result.known = fields.take<double>("known");
    result.unsure = fields.take<double>("unsure");
    result.same_person = fields.take<double>("same_person");
    result.smallest_face = fields.take<double>("smallest_face");
    result.because = fields.take<std::string>("because");
    fields.end();
    return result;
  }

  static void check_shots(const Fields& fields, const Timeline& timeline) {
    int64_t at = timeline.film.shown.begin;
    for (const Span& shot : timeline.shots) {
      if (shot.begin != at || shot.length() <= 0)
        fields.refuse(concat("shots: one begins at ", shot.begin, ", the one before ends at ", at));
      at = shot.end;
    }
    if (!timeline.shots.empty() && at != timeline.film.shown.end)
      fields.refuse("shots: the last one does not end with the film");
    if (timeline.is_film() && timeline.shots.empty() && timeline.film.shown.length() > 0)
      fields.refuse("shots: there are none");
    const Span photos = {0, static_cast<int64_t>(timeline.photos.size())};
    if (!timeline.is_film() && (timeline.film.ticks_per_second != 1 || !(timeline.film.shown == photos)))
      fields.refuse("photos: each is a tick of its own, from 0 on");
  }

  std::vector<Track> tracks(const Json& json, const Timeline& timeline) const {
    std::vector<Track> result;
    result.reserve(json.size());
    for (const Json& entry : json) {
      result.push_back(track(entry, result.size()));
      check_track(result, timeline);
    }
    return result;
  }

  Track track(const Json& json, size_t number) const {
    Fields fields(json, concat(place_, ": track ", number + 1));
    Track track;
    track.id = fields.take<int64_t>("id");
    track.time = fields.take_span("time");
    if (fields.has("hidden")) track.hidden = spans(fields, "hidden");
    track.shot = fields.take<int64_t>("shot");
    track.verdict = take_verdict(fields);
    track.person = fields.take_name("person");
    track.stranger = fields.take<int64_t>("stranger");
    check_decision(fields, track.verdict, track.person, track.stranger);
    for (const Json& candidate : array(fields, "candidates")) {
      if (!candidate.is_array() || candidate.size() != 2 || !candidate[1].is_number())
        fields.refuse("a candidate is no [person, score]");
      track.candidates.push_back({name(candidate[0], "candidates"), candidate[1].get<double>()});
    }
    track.by_hand = fields.take<bool>("by_hand");
    if (fields.has("found")) track.found = found(fields.take_json("found"), fields.place());
    if (fields.has("part_of")) track.part_of = fields.take<int64_t>("part_of");
    track.picture = fields.take_name("picture");
    take_faces(fields, track);
    take_sights(fields, track);
    fields.end();
    return track;
  }

  static Found found(const Json& json, const std::string& place) {
    Fields fields(json, place + ": found");
    Found found;
    found.verdict = take_verdict(fields);
    found.person = fields.take_name("person");
    found.stranger = fields.take<int64_t>("stranger");
    fields.end();
    check_decision(fields, found.verdict, found.person, found.stranger);
    return found;
  }

  void take_faces(Fields& fields, Track& track) const {
    const NumberRows& rows = rows_.at(fields.take<size_t>("faces"));
    track.faces.reserve(rows.rows());
    for (size_t i = 0; i < rows.rows(); ++i) {
      const double* row = rows.row(i);
      track.faces.push_back({whole(fields, row[0]), row[1], whole(fields, row[2])});
    }
  }

  void take_sights(Fields& fields, Track& track) const {
    const NumberRows& rows = rows_.at(fields.take<size_t>("sights"));
    track.sights.reserve(rows.rows());
    for (size_t i = 0; i < rows.rows(); ++i) {
      const double* row = rows.row(i);
      Sight sight{.ticks = whole(fields, row[0]), .box = {}};
      for (size_t side = 0; side < 4; ++side) {
        if (std::abs(row[1 + side]) > kLargestBox) fields.refuse("a box lies far outside of any picture");
        sight.box[side] = static_cast<float>(row[1 + side]);
      }
      if (!track.sights.empty() && sight.ticks <= track.sights.back().ticks)
        fields.refuse("its sights do not ascend");
      track.sights.push_back(sight);
    }
  }

  static int64_t whole(const Fields& fields, double number) {
    if (number != std::floor(number) || std::abs(number) > kLargestTick)
      fields.refuse(concat(number, " is no whole number"));
    return static_cast<int64_t>(number);
  }

  // The last one against those before.
  void check_track(const std::vector<Track>& tracks, const Timeline& timeline) const {
    const Track& track = tracks.back();
    const auto refuse = [&](std::string_view what) {
      fail(ErrorKind::kData, place_, ": track ", tracks.size(), " (#", track.id, "): ", what);
    };
    if (track.id <= (tracks.size() == 1 ? 0 : tracks[tracks.size() - 2].id))
      refuse("ids do not ascend from 1");
    if (track.time.length() <= 0) refuse("it ends before it begins");
    if (track.time.begin < timeline.film.shown.begin || track.time.end > timeline.film.shown.end)
      refuse("it lies outside of the film");
    if (!timeline.is_film() && track.time.length() != 1) refuse("a face is on one photo");
    for (const Span& seen : seen_spans(track)) {
      if (seen.length() <= 0) refuse("what is hidden is not inside of its time, in order and apart");
    }
    for (const Span& hidden : track.hidden) {
      if (hidden.length() <= 0) refuse("what is hidden ends before it begins");
    }
    const bool shot_exists = track.shot >= 0 && track.shot < static_cast<int64_t>(timeline.shots.size());
    if (timeline.is_film() && !shot_exists) refuse("its shot is none of the film's");
    if (!track.sights.empty() &&
        (track.sights.front().ticks < track.time.begin || track.sights.back().ticks >= track.time.end))
      refuse("a sight lies outside of its time");
  }

  const std::string& place_;
  const std::vector<NumberRows>& rows_;
};

}  // namespace

Timeline parse_timeline(std::string_view text, const std::string& place) {
  const TextWithoutRows parts = take_rows(text, {{"faces", 3}, {"sights", 5}}, place);
  Json json;
  try {
    json = Json::parse(parts.text);
  } catch (const Json::exception& e) {
    fail(ErrorKind::kData, place, ": not valid JSON: ", e.what());
  }
  return Reader(place, parts.taken).run(json);
}

}  // namespace uir
