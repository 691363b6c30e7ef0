// Tail search (tail_search.h) against what one would use instead, on the same vectors and threads: the bare products
// of LibTorch (bfloat16 and float32, at their fastest tile; they write scores and compare nothing), and FAISS's exact
// range search in float32 at the threshold that the tail search found.
//
//   bench_tail_search [threads [rows [columns [rounds [dim]]]]]   threads 0: one per processor
//
// The others see the first 4096 rows only: their rates do not depend on the number of rows, as the tail search's does a
// little (each column is prepared once for up to 65536 rows). Each round times all of them one after the other, so that they see the same machine; ratios are medians over the
// rounds. cpu_ratio compares processor time instead, which other programs disturb less. Targets: 0.7 of the bfloat16
// product, 4 times FAISS. OpenBLAS may not know the processor and then uses slow kernels; the program starts itself
// again with OPENBLAS_CORETYPE=SkylakeX where that is the case, and prints the kernels' name.
#include <dlfcn.h>
#include <time.h>
#include <torch/torch.h>
#include <unistd.h>
#ifdef UIR_HAVE_FAISS
#include <faiss/IndexFlat.h>
#include <faiss/impl/AuxIndexStructures.h>
#endif
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "timing.h"
#include "uir/base/blas.h"
#include "uir/base/json.h"
#include "uir/base/parallel.h"
#include "uir/eval/synthetic_features.h"
#include "uir/eval/tail_search.h"

namespace uir {
namespace {

std::string openblas_core() {
  using Name = char* (*)();
  const auto name = reinterpret_cast<Name>(::dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  return name ? name() : "no OpenBLAS";
}

// The product of all rows with all columns, in tiles of rows; the scores of a tile are thrown away.
void product(const torch::Tensor& rows, const torch::Tensor& columns, int64_t tile) {
  constexpr int64_t kColumns = 16384;
  for (int64_t c = 0; c < columns.size(0); c += kColumns) {
    const torch::Tensor strip = columns.slice(0, c, std::min(c + kColumns, columns.size(0))).t();
    for (int64_t r = 0; r < rows.size(0); r += tile)
      torch::mm(rows.slice(0, r, std::min(r + tile, rows.size(0))), strip);
  }
}

struct Options {
  int threads = 0;
  int64_t rows = 65536, columns = 32768;
  int rounds = 3;
  int64_t dim = 512;
};

int run(const Options& options) {
  const int threads = resolve_threads(options.threads);
  torch::NoGradGuard no_grad;
  torch::set_num_threads(threads);
  omp_set_num_threads(threads);

  const SyntheticFeatures set{options.rows, std::max<int64_t>(options.rows / 48, 1), options.columns,
                              options.dim, 1};
  std::vector<float> values(static_cast<size_t>(set.rows() * set.dim));
  parallel_blocks(set.rows(), 64, threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      set.write(i, {values.data() + i * set.dim, static_cast<size_t>(set.dim)});
  });
  const CanonicalVectors unit =
      canonical_vectors({values.data(), set.rows(), set.dim}, std::nullopt, threads);
  const MatrixView row_view{unit.values.data(), options.rows, options.dim};
  const MatrixView column_view{unit.row(options.rows).data(), options.columns, options.dim};
  const auto tensor = [&](MatrixView view) {
    return torch::from_blob(const_cast<float*>(view.data), {view.rows, view.cols}, torch::kFloat32);
  };
  const int64_t other_rows = std::min<int64_t>(options.rows, 4096);
  const torch::Tensor rows32 = tensor({row_view.data, other_rows, options.dim}),
                      columns32 = tensor(column_view);
  const torch::Tensor rows16 = rows32.to(torch::kBFloat16), columns16 = columns32.to(torch::kBFloat16);

  std::vector<ScoreCount> best;
  ScanCounts counts;
  std::map<std::string, std::function<void()>> contestants;
  contestants["tail_search"] = [&] {
    // As a protocol would: the rows are normalised when they are read.
    const UnitRows all(MatrixView{values.data(), set.rows(), set.dim});
    std::vector<int64_t> gallery(static_cast<size_t>(options.rows)),
        distractors(static_cast<size_t>(options.columns));
    for (int64_t i = 0; i < options.rows; ++i) gallery[i] = i;
    for (int64_t i = 0; i < options.columns; ++i) distractors[i] = options.rows + i;
    TailSearch search(435, "bench");
    ScanOptions scan;
    scan.resources.threads = threads;
    counts = scan_pairs(all.subset(gallery), all.subset(distractors), PairsOf::kRowsAndColumns, search, scan);
    best = search.scores();
  };
  for (const int64_t tile : {64, 256, 1024}) {
    contestants[concat("bf16_product_", tile)] = [&, tile] { product(rows16, columns16, tile); };
    contestants[concat("float32_product_", tile)] = [&, tile] { product(rows32, columns32, tile); };
  }
#ifdef UIR_HAVE_FAISS
  faiss::IndexFlatIP index(static_cast<int>(options.dim));
  index.add(options.columns, column_view.data);
  size_t faiss_found = 0;
  contestants["faiss_range_search"] = [&] {
    faiss::RangeSearchResult result(static_cast<size_t>(other_rows));
    index.range_search(other_rows, row_view.data, static_cast<float>(best.back().score), &result);
    faiss_found = result.lims[other_rows];
  };
#endif

  contestants["tail_search"]();  // finds the threshold for FAISS
  std::map<std::string, std::vector<double>> rate, cpu_rate;
  for (int round = 0; round < options.rounds; ++round) {
    for (const auto& [name, body] : contestants) {
      const int64_t rows = name == "tail_search" ? options.rows : other_rows;
      const double pairs = static_cast<double>(rows) * static_cast<double>(options.columns);
      const Cost cost = cost_of(body);
      rate[name].push_back(pairs / cost.seconds);
      cpu_rate[name].push_back(pairs / cost.cpu_seconds);
    }
  }

  Json rates = Json::object();
  for (const auto& [name, values_of] : rate) {
    rates[name] = {{"pairs_per_s", median(values_of)}, {"pairs_per_cpu_s", median(cpu_rate[name])}};
  }
  // Of the tail search to the fastest contestant whose name starts so, by either measure.
  const auto ratio = [&](const std::string& prefix, std::map<std::string, std::vector<double>>& of) {
    double fastest = 0;
    for (const auto& [name, values_of] : of) {
      if (name.starts_with(prefix)) fastest = std::max(fastest, median(values_of));
    }
    return fastest > 0 ? Json(median(of["tail_search"]) / fastest) : Json();
  };
  Json ratios = Json::object();
  for (const char* other : {"bf16_product", "float32_product", "faiss_range_search"}) {
    ratios[other] = {{"ratio", ratio(other, rate)}, {"cpu_ratio", ratio(other, cpu_rate)}};
  }
  Json faiss = "skipped: built without FAISS";
#ifdef UIR_HAVE_FAISS
  faiss = {{"found", faiss_found}};
#endif
  std::cout << Json{{"benchmark", "tail_search"},
                    {"threads", threads},
                    {"rows", options.rows},
                    {"columns", options.columns},
                    {"dim", options.dim},
                    {"kernel", filter_kernels().front().name},
                    {"openblas_core", openblas_core()},
                    {"mkldnn_bf16", "at::mm of LibTorch " TORCH_VERSION},
                    {"kept", best.size()},
                    {"threshold", best.back().score},
                    {"rescored", counts.rescored},
                    {"faiss", faiss},
                    {"rates", rates},
                    {"ratios", ratios}}
                   .dump(1)
            << "\n";
  return 0;
}

}  // namespace
}  // namespace uir

int main(int argc, char** argv) {
  uir::choose_blas_kernels(argv);
  const auto number = [&](int i, int64_t otherwise) { return argc > i ? std::stoll(argv[i]) : otherwise; };
  uir::Options options;
  options.threads = static_cast<int>(number(1, options.threads));
  options.rows = number(2, options.rows);
  options.columns = number(3, options.columns);
  options.rounds = static_cast<int>(number(4, options.rounds));
  options.dim = number(5, options.dim);
  return uir::run(options);
}
