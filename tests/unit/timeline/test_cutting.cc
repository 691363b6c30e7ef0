#include "uir/timeline/cutting.h"

#include "support/catch.h"
#include "support/timelines.h"
#include "uir/timeline/answers.h"

namespace uir {
namespace {

TEST_CASE("copies begin at key frames", "[timeline]") {
  Film film;
  film.ticks_per_second = 1000;
  film.container_start = 5000;
  // As ffprobe prints them, in the order of decoding.
  const auto keys =
      key_frames(film, "5.000000,K_\n5.120000,__\n5.040000,__\nN/A,K_\n9.000000,K__\n\n7.000000,K_");
  CHECK(keys == std::vector<int64_t>{0, 2000, 4000});
  const std::vector<Span> spans = {{0, 10}, {1999, 2500}, {2600, 2700}, {4000, 4100}};
  const std::vector<Span> copied = copied_spans(spans, keys);
  CHECK(copied == std::vector<Span>{{0, 10}, {0, 2500}, {2000, 2700}, {4000, 4100}});
  CHECK(copied_spans(spans, {}) == spans);
  Timeline timeline = made_up_timeline(1);
  CHECK(copied_text(timeline, spans, copied) ==
        "00:00:01.999 begins at the key frame 00:00:00.000, 1.999 s earlier\n"
        "00:00:02.600 begins at the key frame 00:00:02.000, 0.600 s earlier\n");
  CHECK_THAT(copied_text(timeline, spans, spans), contains_text("moves no cut"));
}

TEST_CASE("commands are quoted for the shell", "[timeline]") {
  CHECK(shell_text({"mpv", "a b", "it's", "", "x,y", "$(rm)"}) == "mpv 'a b' 'it'\\''s' '' x,y '$(rm)'");
}

TEST_CASE("what is left out goes from the times, and borders lie in front of the frames", "[timeline]") {
  Film film;
  film.ticks_per_second = 1000;
  film.shown = {0, 60000};
  const Command command = cut_command(film, {{400, 2400}, {18800, 19200}}, "f.mkv", "-out.mkv");
  const std::string text = shell_text(command);
  CHECK_THAT(text, contains_text("gte(t,0.399500)*lt(t,2.399500)+gte(t,18.799500)*lt(t,19.199500)"));
  CHECK_THAT(text, contains_text("(T-0.400000*gte(T,0.399500)-16.400000*gte(T,18.799500))/TB"));
  CHECK(command.back() == "file:-out.mkv");
}

}  // namespace
}  // namespace uir
