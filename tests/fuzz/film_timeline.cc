// timeline.json and edits.jsonl: read, replayed, taken back, and all texts that are made of them.
#include "target.h"
#include "uir/timeline/answers.h"
#include "uir/timeline/editors.h"
#include "uir/timeline/edits.h"
#include "uir/timeline/players.h"
#include "uir/timeline/tables.h"

UIR_FUZZ_TARGET(film_timeline) {
  const auto [json, log] = uir::fuzz::split<2>(bytes);
  uir::Timeline timeline = uir::parse_timeline(uir::as_text(json), "timeline.json");
  uir::replay(timeline, uir::parse_edits(uir::as_text(log), "edits.jsonl"));
  for (const std::string& person : uir::shown_people(timeline)) {
    const auto spans = uir::layer_of(timeline, uir::Layer::kScenes, person);
    (void)uir::only_text(timeline, spans);
    if (!timeline.is_film()) continue;
    (void)uir::cmx_edl(timeline.film, spans, person);
    (void)uir::kodi_edl(timeline.film, spans);
    (void)uir::mpv_edl(timeline.film, spans, "film.mkv");
  }
  (void)(timeline.is_film() ? uir::timeline_csv(timeline) : uir::photos_csv(timeline));
  (void)uir::at_text(timeline, timeline.film.shown.begin);
  uir::revert(timeline);
  (void)uir::parse_timeline(uir::timeline_text(timeline), "timeline.json");
}
