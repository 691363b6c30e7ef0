// Tail search (tail_search.h) against what one would use instead, on the same vectors and threads: the bare
// products of LibTorch (bfloat16 and float32, at their fastest tile; they write scores and compare nothing),
// and FAISS's exact range search in float32 at the threshold that the tail search found.
//
//   bench_tail_search [threads [rows [columns [rounds [dim [kernel [device [spectrum [fpr]]]]]]]]]
//
// threads 0: one per processor; spectrum (synthetic_features.h): falling (default), face, flat; fpr: the
// share of the pairs that is looked for.
//
// On another device than the CPU the filter is LibTorch's products (search_device/torch_filter.h), the bare
// products run there too, and FAISS is left out; `kernel` is then "".
//
// `kernel` is one of filter_kernels(); default: the processor's fastest. To see what processors with AVX2
// alone gain, name "int8 avx2" and hold OpenBLAS, which FAISS uses, to AVX2 as well:
// OPENBLAS_CORETYPE=Haswell.
//
// The others see the first 4096 rows only, slow ones fewer: their rates do not depend on the number of rows,
// as the tail search's does a little (each column is prepared once for up to 65536 rows). Each round times
// all of them one after the other, so that they see the same machine; ratios are medians over the rounds.
// cpu_ratio compares processor time instead, which other programs disturb less. Targets: 0.7 of the bfloat16
// product, 4 times FAISS. OpenBLAS may not know the processor and then uses slow kernels; the program starts
// itself again with OPENBLAS_CORETYPE=SkylakeX where that is the case, and prints the kernels' name.
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
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/synthetic_features.h"
#include "timing.h"
#include "uir/base/blas.h"
#include "uir/base/error.h"
#include "uir/base/json.h"
#include "uir/base/parallel.h"
#include "uir/device/use_device.h"
#include "uir/search/tail_search.h"
#include "uir/search_device/torch_filter.h"

namespace uir {
namespace {

std::string openblas_core() {
  using Name = char* (*)();
  const auto name = reinterpret_cast<Name>(::dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  return name ? name() : "no OpenBLAS";
}

// The product of all rows with all columns, in tiles of rows; the scores of a tile are thrown away. Ends when
// the device has done it.
void product(const torch::Tensor& rows, const torch::Tensor& columns, int64_t tile) {
  constexpr int64_t kColumns = 16384;
  for (int64_t c = 0; c < columns.size(0); c += kColumns) {
    const torch::Tensor strip = columns.slice(0, c, std::min(c + kColumns, columns.size(0))).t();
    for (int64_t r = 0; r < rows.size(0); r += tile)
      torch::mm(rows.slice(0, r, std::min(r + tile, rows.size(0))), strip);
  }
  if (!rows.is_cpu()) torch::zeros({1}, rows.options()).item<float>();
}

struct Options {
  int threads = 0;
  int64_t rows = 65536, columns = 32768;
  int rounds = 3;
  int64_t dim = 512;
  std::string kernel;
  torch::Device device = torch::kCPU;
  Spectrum spectrum = Spectrum::kFalling;
  double fpr = 2e-7;

  int64_t kept() const {
    return 1 + static_cast<int64_t>(fpr * static_cast<double>(rows) * static_cast<double>(columns));
  }
};

struct Contestant {
  int64_t rows;
  std::function<void()> run;
};
using Contestants = std::map<std::string, Contestant>;
using Rates = std::map<std::string, std::vector<double>>;

// Gallery and distractors: raw values, and the same as unit vectors.
struct Features {
  explicit Features(const Options& o, int threads)
      : options(o), set{o.rows, std::max<int64_t>(o.rows / 48, 1), o.columns, o.dim, 1, o.spectrum} {
    values.resize(static_cast<size_t>(set.rows() * set.dim));
    parallel_blocks(set.rows(), 64, threads, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        set.write(i, {values.data() + i * set.dim, static_cast<size_t>(set.dim)});
    });
    unit = canonical_vectors({values.data(), set.rows(), set.dim}, std::nullopt, threads);
  }
  MatrixView rows() const { return {unit.values.data(), options.rows, options.dim}; }
  MatrixView columns() const { return {unit.row(options.rows).data(), options.columns, options.dim}; }

  const Options& options;
  SyntheticFeatures set;
  std::vector<float> values;
  CanonicalVectors unit;
};

struct Found {
  std::vector<TailPair> best;
  ScanCounts counts;
  size_t by_faiss = 0;
};

// For a block of 2^20 rows and a product of 4096 x 4096 on every thread (eval.memory_mb).
constexpr int64_t kDeviceMemory = int64_t{16} << 30;

// What filters the pairs: a kernel, or products on a device.
struct Filter {
  explicit Filter(const Options& options);
  std::string name() const { return on_device ? on_device->name() : std::string(kernel->name); }

  std::optional<FilterKernel> kernel;
  std::unique_ptr<BlockFilter> on_device;
};

// As a protocol would: the rows are normalised when they are read.
void tail_search(const Features& features, int threads, const Filter& filter, Found& found) {
  const UnitRows all(MatrixView{features.values.data(), features.set.rows(), features.set.dim});
  std::vector<int64_t> gallery(static_cast<size_t>(features.options.rows)),
      distractors(static_cast<size_t>(features.options.columns));
  std::iota(gallery.begin(), gallery.end(), int64_t{0});
  std::iota(distractors.begin(), distractors.end(), features.options.rows);
  TailSearch search(features.options.kept(), "bench");
  ScanOptions scan;
  scan.resources.threads = threads;
  scan.kernel = filter.kernel ? &*filter.kernel : nullptr;
  scan.resources.device = filter.on_device.get();
  if (filter.on_device) scan.resources.memory = kDeviceMemory;
  found.counts =
      scan_pairs(all.subset(gallery), all.subset(distractors), PairsOf::kRowsAndColumns, search, scan);
  found.best = search.pairs();
}

// The others score fewer rows: their rate does not depend on the number.
int64_t other_rows(const Options& options) {
  return std::min<int64_t>(options.rows, options.device.is_cpu() ? 4096 : 65536);
}

std::vector<int64_t> tiles_of(torch::Device device) {
  return device.is_cpu() ? std::vector<int64_t>{64, 256, 1024} : std::vector<int64_t>{4096, 16384};
}

// As many tiles of rows as take about two seconds: bfloat16 products of processors without it are very slow.
int64_t rows_in_time(const torch::Tensor& rows, const torch::Tensor& columns, int64_t tile) {
  const int64_t first = std::min(tile, rows.size(0));
  const double seconds = cost_of([&] { product(rows.slice(0, 0, first), columns, tile); }).seconds;
  return std::min(rows.size(0), first * std::max<int64_t>(1, static_cast<int64_t>(2 / seconds)));
}

void add_products(const Features& features, Contestants& contestants) {
  const auto tensor = [](MatrixView view, int64_t rows) {
    return torch::from_blob(const_cast<float*>(view.data), {rows, view.cols}, torch::kFloat32);
  };
  const torch::Device device = features.options.device;
  const torch::Tensor rows32 = tensor(features.rows(), other_rows(features.options)).to(device),
                      columns32 = tensor(features.columns(), features.options.columns).to(device);
  const torch::Tensor rows16 = rows32.to(torch::kBFloat16), columns16 = columns32.to(torch::kBFloat16);
  for (const int64_t tile : tiles_of(device)) {
    const auto add = [&](const std::string& name, const torch::Tensor& rows, const torch::Tensor& columns) {
      const torch::Tensor some = rows.slice(0, 0, rows_in_time(rows, columns, tile));
      contestants[concat(name, "_product_", tile)] = {some.size(0), [=] { product(some, columns, tile); }};
    };
    add("bf16", rows16, columns16);
    add("float32", rows32, columns32);
  }
}

#ifdef UIR_HAVE_FAISS
void add_faiss(const Features& features, Found& found, Contestants& contestants) {
  const auto index = std::make_shared<faiss::IndexFlatIP>(static_cast<int>(features.options.dim));
  index->add(features.options.columns, features.columns().data);
  const int64_t rows = other_rows(features.options);
  contestants["faiss_range_search"] = {
      rows, [=, &features, &found] {
        faiss::RangeSearchResult result(static_cast<size_t>(rows));
        index->range_search(rows, features.rows().data, static_cast<float>(found.best.back().score), &result);
        found.by_faiss = result.lims[rows];
      }};
}
#endif

// Pairs per second and per second of processor time, of every contestant in every round.
std::pair<Rates, Rates> measure(const Contestants& contestants, const Options& options) {
  Rates rate, cpu_rate;
  for (int round = 0; round < options.rounds; ++round) {
    for (const auto& [name, contestant] : contestants) {
      const double pairs = static_cast<double>(contestant.rows) * static_cast<double>(options.columns);
      const Cost cost = cost_of(contestant.run);
      rate[name].push_back(pairs / cost.seconds);
      cpu_rate[name].push_back(pairs / cost.cpu_seconds);
    }
  }
  return {rate, cpu_rate};
}

// Of the tail search to the fastest contestant whose name starts so.
Json ratio(const Rates& rates, const std::string& prefix) {
  double fastest = 0;
  for (const auto& [name, values] : rates) {
    if (name.starts_with(prefix)) fastest = std::max(fastest, median(values));
  }
  return fastest > 0 ? Json(median(rates.at("tail_search")) / fastest) : Json();
}

FilterKernel kernel_named(const std::string& name) {
  std::string names;
  for (const FilterKernel& kernel : filter_kernels()) {
    if (name.empty() || kernel.name == name) return kernel;
    names += concat(names.empty() ? "" : ", ", kernel.name);
  }
  fail(ErrorKind::kUsage, "no kernel \"", name, "\" here; there are: ", names);
}

Spectrum spectrum_named(const std::string& name) {
  if (name == "falling") return Spectrum::kFalling;
  if (name == "face") return Spectrum::kFace;
  if (name == "flat") return Spectrum::kFlat;
  fail(ErrorKind::kUsage, "no spectrum \"", name, "\"; there are falling, face, flat");
}

Filter::Filter(const Options& options) {
  if (options.device.is_cpu()) {
    kernel = kernel_named(options.kernel);
    return;
  }
  use_device(options.device);
  on_device = fastest_torch_filter(options.device);
}

int run(const Options& options) {
  const int threads = resolve_threads(options.threads);
  torch::NoGradGuard no_grad;
  torch::set_num_threads(threads);
  omp_set_num_threads(threads);

  const Filter filter(options);  // first: a device may not be there
  const Features features(options, threads);
  Found found;
  Contestants contestants;
  contestants["tail_search"] = {options.rows, [&] { tail_search(features, threads, filter, found); }};
  add_products(features, contestants);
  Json faiss = "skipped: built without FAISS";
#ifdef UIR_HAVE_FAISS
  if (options.device.is_cpu()) add_faiss(features, found, contestants);
#endif
  contestants["tail_search"].run();  // finds the threshold for FAISS
  const auto [rate, cpu_rate] = measure(contestants, options);
#ifdef UIR_HAVE_FAISS
  faiss = {{"found", found.by_faiss}};
  if (!options.device.is_cpu()) faiss = "skipped: on a device";
#endif

  Json rates = Json::object(), ratios = Json::object();
  for (const auto& [name, values] : rate) {
    rates[name] = {{"pairs_per_s", median(values)}, {"pairs_per_cpu_s", median(cpu_rate.at(name))}};
  }
  for (const char* other : {"bf16_product", "float32_product", "faiss_range_search"}) {
    ratios[other] = {{"ratio", ratio(rate, other)}, {"cpu_ratio", ratio(cpu_rate, other)}};
  }
  std::cout << Json{{"benchmark", "tail_search"},
                    {"threads", threads},
                    {"rows", options.rows},
                    {"columns", options.columns},
                    {"dim", options.dim},
                    {"device", options.device.str()},
                    {"kernel", filter.name()},
                    {"openblas_core", openblas_core()},
                    {"mkldnn_bf16", "at::mm of LibTorch " TORCH_VERSION},
                    {"kept", found.best.size()},
                    {"fpr", options.fpr},
                    {"threshold", found.best.back().score},
                    {"rescored", found.counts.rescored},
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
  options.kernel = argc > 6 ? argv[6] : "";
  if (argc > 7) options.device = torch::Device(argv[7]);
  if (argc > 9) options.fpr = std::stod(argv[9]);
  if (!options.device.is_cpu() && !options.device.has_index()) options.device.set_index(0);
  try {
    if (argc > 8) options.spectrum = uir::spectrum_named(argv[8]);
    return uir::run(options);
  } catch (const uir::Error& error) {
    std::cerr << "bench_tail_search: " << error.what() << "\n";
    return error.exit_code();
  }
}
