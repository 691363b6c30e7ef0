// Index of many generated rows: time and memory of building, building again, opening and reporting.
//
//   bench_index [millions of rows, default 10 [folder]]
//
// Synthetic rows are hashed from (seed, person, image), so nothing is rendered: this measures the index
// itself. The index of a tenth of the rows comes first: anonymous memory (what the program holds, without
// mapped files that the kernel can drop) may grow with the identities only, here one per ten rows.
#include <atomic>
#include <chrono>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

#include "uir/base/json.h"
#include "uir/data/index.h"
#include "uir/data/index_builder.h"

namespace uir {
namespace {

using Clock = std::chrono::steady_clock;

double anonymous_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::stod(line.substr(8)) / 1024;
  }
  return 0;
}

// Runs the work; seconds and the highest anonymous memory that a sampling thread saw.
template <class Work>
Json measure(Work&& work) {
  std::atomic<bool> done{false};
  double peak = 0;
  std::thread sampler([&] {
    while (!done) {
      peak = std::max(peak, anonymous_mib());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  const auto start = Clock::now();
  work();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  done = true;
  sampler.join();
  return {{"seconds", seconds}, {"peak_anonymous_mib", peak}};
}

Json measure_rows(int64_t rows, const fs::path& folder) {
  constexpr int64_t kImagesPerIdentity = 10;
  DataConfig config;
  config.sources.resize(1);
  config.sources[0].name = "drawn";
  config.sources[0].kind = SyntheticSource{rows / kImagesPerIdentity, kImagesPerIdentity, 0, 1};
  Json json{{"rows", rows}};
  json["build"] = measure([&] { build_index(config, folder); });
  json["open"] = measure([&] { Index::open(folder); });
  json["open_checking_everything"] = measure([&] { Index::open(folder, Index::Check::kFull); });
  json["report"] = measure([&] { make_index_report(Index::open(folder)); });
  json["training_rows"] = measure([&] { Index::open(folder).training_rows(Role::kLabeled); });
  fs::remove_all(folder);
  return json;
}

}  // namespace
}  // namespace uir

int main(int argc, char** argv) {
  const int64_t rows = static_cast<int64_t>((argc > 1 ? std::stod(argv[1]) : 10) * 1e6);
  const uir::fs::path folder =
      argc > 2 ? uir::fs::path(argv[2]) : uir::fs::temp_directory_path() / "uir-bench-index";
  const uir::Json json = {uir::measure_rows(rows / 10, folder), uir::measure_rows(rows, folder)};
  std::cout << json.dump(2) << "\n";
}
