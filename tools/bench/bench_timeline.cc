// What a correction costs: the timeline of a film of two hours (1,500 shots, 4,000 tracks, 60 sights each),
// written and read.
//
//   bench_timeline [FOLDER]
//
// Prints the medians of nine rounds. FOLDER: gets its timeline.json, for uir-identify at, only and name.
#include <iostream>

#include "support/timelines.h"
#include "timing.h"
#include "uir/base/error.h"

int main(int argc, char** argv) {
  try {
    const uir::Timeline timeline = made_up_timeline(
        1, {.seconds = 7200, .shots = 1500, .tracks = 4000, .sights = 60, .ticks_per_second = 90000});
    std::vector<double> writing, reading;
    std::string text;
    for (int round = 0; round < 9; ++round) {
      writing.push_back(uir::cost_of([&] { text = uir::timeline_text(timeline); }).seconds);
      reading.push_back(uir::cost_of([&] { uir::parse_timeline(text, "timeline.json"); }).seconds);
    }
    const uir::Json report{
        {"bytes", text.size()}, {"write_s", uir::median(writing)}, {"read_s", uir::median(reading)}};
    std::cout << report.dump(2) << "\n";
    if (argc < 2) return 0;
    uir::create_folders(argv[1]);
    uir::write_file_atomically(uir::fs::path(argv[1]) / "timeline.json", text);
  } catch (const uir::Error& error) {
    std::cerr << error.what() << "\n";
    return error.exit_code();
  }
}
