// The report of several models from measured results: IJB-C 1:1 in all variants and 1:N, whose numbers have
// intervals over people. Seconds and bytes of each of the three files; measuring is left out.
//
//   bench_report FOLDER [models, default 5 [threads, default 2]]
//
// FOLDER gets data of IJB-C's layout and size (vectors of 64 values: a report does not depend on them),
// unless they are there, and the report. The models are these features with some noise of their own, so that
// every number differs.
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "support/ijb_synthetic.h"
#include "timing.h"
#include "uir/base/json_text.h"
#include "uir/eval/ijb_identification.h"
#include "uir/eval/ijb_verification.h"
#include "uir/report/html_report.h"
#include "uir/report/report.h"
#include "uir/store/embedding_store.h"

namespace uir {
namespace {

std::vector<float> with_noise(MatrixView view, int model) {
  std::vector<float> values(view.data, view.data + view.rows * view.cols);
  std::minstd_rand random(static_cast<unsigned>(model + 1));
  std::uniform_real_distribution<float> noise(-1, 1);
  for (float& value : values) value += .2F * static_cast<float>(model) * noise(random);
  return values;
}

ModelReport measure(const EmbeddingStore& set, const DataPath& meta, int model, int threads) {
  const EmbeddingStore noisy =
      set.with_embeddings(with_noise(set.embeddings(), model), with_noise(*set.mirrored(), model + 100),
                          set.embeddings().cols, {});
  IjbVerificationProtocol verification;
  verification.meta = meta;
  IjbIdentificationProtocol identification;
  identification.meta = meta;
  ModelReport report{
      "model " + std::to_string(model), {}, run_ijb_verification("ijbc", noisy, verification, threads)};
  for (ProtocolResult& result : run_ijb_identification("ijbc_1n", noisy, identification, threads))
    report.results.push_back(std::move(result));
  return report;
}

template <class Make>
void time(const char* what, Make&& make) {
  std::string text;
  const Cost cost = cost_of([&] { text = make(); });
  const Json line{
      {"file", what}, {"seconds", cost.seconds}, {"cpu_seconds", cost.cpu_seconds}, {"bytes", text.size()}};
  std::cout << line.dump() << std::endl;
}

void run(const std::string& folder, int models, int threads) {
  if (!fs::exists(folder + "/embeddings.npy")) write_ijb_synthetic({.dim = 64}, folder, threads);
  const EmbeddingStore set = EmbeddingStore::open({folder + "/embeddings.npy",
                                                   folder + "/embeddings_mirrored.npy",
                                                   folder + "/meta/ijbc_name_5pts_score.txt",
                                                   {}},
                                                  threads);
  Report report;
  for (int m = 0; m < models; ++m) report.models.push_back(measure(set, {folder + "/meta"}, m, threads));
  time("report.json", [&] { return json_text(to_json(report), 1); });
  time("report.txt", [&] { return to_text(report); });
  time("report.html", [&] { return to_html(report); });
  time("all, written", [&] {
    write_report(folder, report);
    return std::string();
  });
}

}  // namespace
}  // namespace uir

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: bench_report FOLDER [models [threads]]\n";
    return 64;
  }
  uir::run(argv[1], argc > 2 ? std::atoi(argv[2]) : 5, argc > 3 ? std::atoi(argv[3]) : 2);
}
