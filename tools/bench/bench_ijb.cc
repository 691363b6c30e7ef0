// IJB-C from stored embeddings, as uir-eval measures it: opening the features, parsing the meta files,
// templates, scores and curves; seconds and peak anonymous memory (what the program holds, without mapped
// files).
//
//   make_ijbc FOLDER && bench_ijb FOLDER [threads, default 2 [quick: one variant of 1:1 only]]
//
// Each case runs in a process of its own. The features are read once before, so that they are in the page
// cache. What this leaves out of a run of uir-eval is the start of LibTorch (0.4 s) and the report.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <thread>

#include "uir/base/json.h"
#include "uir/eval/ijb_identification.h"
#include "uir/eval/ijb_verification.h"
#include "uir/eval/roc.h"
#include "uir/eval/sort.h"
#include "uir/eval/template_pairs.h"
#include "uir/report/report.h"

namespace uir {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Of all threads: what the work costs on a machine that others use too.
double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double anonymous_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::stod(line.substr(8)) / 1024;
  }
  return 0;
}

// Prints {"case": …, "seconds": …, "cpu_seconds": …, "peak_anonymous_mib": …} of the work and what it
// returns.
void measure(const std::string& name, const std::function<Json()>& work) {
  std::cout.flush();
  const pid_t child = ::fork();
  if (child != 0) {
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) std::exit(1);
    return;
  }
  std::atomic<bool> done{false};
  double peak = 0;
  std::thread sampler([&] {
    while (!done) {
      peak = std::max(peak, anonymous_mib());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  const auto start = Clock::now();
  Json json{{"case", name}};
  int code = 0;
  try {
    const Json result = work();
    json["seconds"] = seconds_since(start);
    json["cpu_seconds"] = cpu_seconds();
    json["result"] = result;
  } catch (const Error& error) {
    std::cerr << "bench_ijb: " << error.what() << "\n";
    code = error.exit_code();
  }
  done = true;
  sampler.join();
  json["peak_anonymous_mib"] = peak;
  std::cout << json.dump() << std::endl;
  std::_Exit(code);
}

Json numbers_of(const std::vector<ProtocolResult>& results) {
  Json json = Json::object();
  for (const ProtocolResult& result : results) {
    for (const Measurement& number : result.numbers) json[result.name][number.name] = number.value;
  }
  return json;
}

// The steps of one variant, one after the other.
Json steps(const EmbeddingFiles& features, const std::string& meta, int threads) {
  Json seconds = Json::object();
  auto last = Clock::now();
  double last_cpu = cpu_seconds();
  const auto lap = [&](const char* step) {
    seconds[step] = {{"seconds", seconds_since(last)}, {"cpu_seconds", cpu_seconds() - last_cpu}};
    last = Clock::now();
    last_cpu = cpu_seconds();
  };
  const EmbeddingStore set = EmbeddingStore::open(features, threads);
  lap("open");
  const IjbFiles files = ijb_files(meta, IjbBenchmark::kIjbc);
  const IjbImages images = read_ijb_images(files, threads);
  const std::vector<int64_t> rows = ijb_rows(images, set);
  lap("images");
  std::vector<IjbPair> list = read_ijb_pairs(files.pairs, images.templates, threads);
  lap("pairs");
  const PairGroups pairs(list, images.templates.size());
  list = {};
  lap("group_pairs");
  const TemplateVariant variant;
  const std::vector<CanonicalVectors> templates =
      build_templates(images, rows, set.embeddings(), set.mirrored(), std::span(&variant, 1), threads);
  lap("templates");
  PairScores scores = by_kind(score_pairs(templates.front(), pairs, threads), pairs);
  lap("scores");
  sort_descending(scores.genuine, threads);
  sort_descending(scores.impostor, threads);
  lap("sort");
  kept_points(scores.genuine, scores.impostor);
  lap("kept_points");
  return seconds;
}

void run(const std::string& folder, int threads, bool quick) {
  const EmbeddingFiles features{folder + "/embeddings.npy",
                                folder + "/embeddings_mirrored.npy",
                                folder + "/meta/ijbc_name_5pts_score.txt",
                                {}};
  const auto set = [&] { return EmbeddingStore::open(features, threads); };
  const DataPath meta{folder + "/meta"};
  measure("open (warms the page cache)", [&] { return Json(set().size()); });
  measure("steps of one variant", [&] { return steps(features, meta.value, threads); });
  IjbVerificationProtocol verification;
  verification.meta = meta;
  verification.variants = {TemplateProperty::kFlip, TemplateProperty::kNormKept, TemplateProperty::kScore};
  measure("1:1, one variant",
          [&] { return numbers_of(run_ijb_verification("ijbc", set(), verification, threads)); });
  if (quick) return;
  verification.variants.clear();
  measure("1:1, all variants",
          [&] { return numbers_of(run_ijb_verification("ijbc", set(), verification, threads)); });
  IjbIdentificationProtocol identification;
  identification.meta = meta;
  measure("1:N", [&] { return numbers_of(run_ijb_identification("ijbc", set(), identification, threads)); });
}

}  // namespace
}  // namespace uir

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: bench_ijb FOLDER [threads [quick]]\n";
    return 64;
  }
  uir::run(argv[1], argc > 2 ? std::atoi(argv[2]) : 2, argc > 3 && std::string(argv[3]) == "quick");
}
