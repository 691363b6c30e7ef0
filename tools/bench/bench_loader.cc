// Loader against raw libjpeg-turbo decoding of the same bytes on the same threads, from a folder, from
// RecordIO and from a tar shard.
//
//   bench_loader [threads [rounds [index]]]   threads 0: one per processor; index: folder made by uir-index
//
// Without an index, 8,000 synthetic faces are written as JPEG (quality 90) into a temporary folder in all
// three ways. Each round times raw decoding and the loader on each of them one after the other, so that all
// see the same machine; the ratio of a round is loader / raw [images/s], and the median over the rounds is
// what counts (target 0.85; of the tar 0.9 of RecordIO's rate, of_recordio). Mirroring is on, as in training.
// cpu_ratio and cpu_of_recordio compare the processor time instead, which other programs disturb less.
#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include <jpeglib.h>  // needs <cstdio>

#include "support/tar_archive.h"
#include "timing.h"
#include "uir/base/file.h"
#include "uir/base/json.h"
#include "uir/base/parallel.h"
#include "uir/data/image_source.h"
#include "uir/data/index_builder.h"
#include "uir/data/loader.h"
#include "uir/data/synthetic.h"
#include "uir/formats/recordio.h"
#include "uir/images/decode.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

constexpr int64_t kBatch = 128;

using EncodedImages = std::vector<std::vector<std::byte>>;

// One decoder for many images; libjpeg ends the program on an error.
struct RawDecoder {
  RawDecoder() {
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
  }
  ~RawDecoder() { jpeg_destroy_decompress(&jpeg); }

  void decode(const std::vector<std::byte>& image, uint8_t* rgb) {
    jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(image.data()), image.size());
    jpeg_read_header(&jpeg, TRUE);
    if (jpeg.image_width != kImageSize || jpeg.image_height != kImageSize)
      fail(ErrorKind::kData, "not a 112x112 JPEG");
    jpeg.out_color_space = JCS_RGB;
    jpeg_start_decompress(&jpeg);
    while (jpeg.output_scanline < jpeg.output_height) {
      JSAMPROW row = rgb + jpeg.output_scanline * size_t{3} * kImageSize;
      jpeg_read_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_decompress(&jpeg);
  }

  jpeg_error_mgr errors{};
  jpeg_decompress_struct jpeg{};
};

// The reference: nothing but libjpeg into memory that is in the cache, one decoder per thread.
void decode_raw(const EncodedImages& images, int threads) {
  parallel_blocks(static_cast<int64_t>(images.size()), 64, threads, [&](int64_t begin, int64_t end) {
    thread_local RawDecoder decoder;
    thread_local std::vector<uint8_t> rgb(kImageBytes);
    for (int64_t i = begin; i < end; ++i) decoder.decode(images[static_cast<size_t>(i)], rgb.data());
  });
}

void load_all(const Index& index, int threads) {
  LoaderOptions options;
  options.config.threads = threads;
  options.training = true;
  options.num_batches = index.size() / kBatch;
  const BatchPlan plan = [](int64_t batch) {
    std::vector<Sample> samples;
    for (int64_t row = batch * kBatch; row < (batch + 1) * kBatch; ++row) samples.push_back({row, -1, 0});
    return samples;
  };
  Loader loader(index, plan, options);
  Batch batch;
  while (loader.next(batch)) {
  }
}

EncodedImages read_all(const Index& index) {
  const ImageSource source(index);
  EncodedImages images;
  for (int64_t row = 0; row < index.size() / kBatch * kBatch; ++row) images.push_back(source.encoded(row));
  return images;
}

// Raw decoding and the loader on several indexes of the same images, in turns: round by round.
class Rounds {
 public:
  using Indexes = std::vector<std::pair<std::string, fs::path>>;
  Rounds(const Indexes& indexes, int threads) : threads_(threads) {
    for (const auto& [name, folder] : indexes) loaded_.push_back({name, Index::open(folder), {}});
    images_ = read_all(loaded_.front().index);
  }

  void run(int round) {
    raw_.push_back(cost_of([&] { decode_raw(images_, threads_); }));
    for (size_t i = 0; i < loaded_.size(); ++i) {  // another one first in each round
      Loaded& loaded = loaded_[(i + static_cast<size_t>(round)) % loaded_.size()];
      loaded.costs.push_back(cost_of([&] { load_all(loaded.index, threads_); }));
    }
  }

  Json report() const {
    uint64_t bytes = 0;
    for (const auto& image : images_) bytes += image.size();
    Json report{{"images", images_.size()},
                {"bytes_per_image", static_cast<double>(bytes) / count()},
                {"raw_images_per_s", count() / median_of(raw_, &Cost::seconds)}};
    for (const Loaded& loaded : loaded_) {
      report[loaded.name] = {{"loader_images_per_s", count() / median_of(loaded.costs, &Cost::seconds)},
                             {"ratio", ratio(raw_, loaded.costs, &Cost::seconds)},
                             {"cpu_ratio", ratio(raw_, loaded.costs, &Cost::cpu_seconds)}};
    }
    return report;
  }

  // How many times as fast one index is as another one, in the median round.
  double speed(std::string_view name, std::string_view than, double Cost::*of) const {
    return ratio(costs_of(than), costs_of(name), of);
  }

 private:
  struct Loaded {
    std::string name;
    Index index;
    std::vector<Cost> costs;
  };

  double count() const { return static_cast<double>(images_.size()); }

  static double median_of(const std::vector<Cost>& costs, double Cost::*of) {
    std::vector<double> values;
    for (const Cost& cost : costs) values.push_back(cost.*of);
    return median(std::move(values));
  }

  // The costs of an index by its name.
  const std::vector<Cost>& costs_of(std::string_view name) const {
    return std::ranges::find(loaded_, name, &Loaded::name)->costs;
  }

  // How many times as fast `b` is, in the median round.
  static double ratio(const std::vector<Cost>& a, const std::vector<Cost>& b, double Cost::*of) {
    std::vector<double> ratios;
    for (size_t i = 0; i < a.size(); ++i) ratios.push_back(a[i].*of / (b[i].*of));
    return median(std::move(ratios));
  }

  const int threads_;
  std::vector<Loaded> loaded_;
  EncodedImages images_;
  std::vector<Cost> raw_;
};

// The same faces as files, as RecordIO and in a tar, all indexed.
void make_data(const fs::path& folder) {
  constexpr int64_t kImages = 8000;
  const ImageSize size{kImageSize, kImageSize};
  create_folders(folder / "faces/a");
  RecordWriter record(folder / "faces.rec", folder / "faces.idx");
  TarArchive tar;
  std::vector<uint8_t> rgb(kImageBytes);
  for (int64_t i = 0; i < kImages; ++i) {
    render_synthetic_face({}, i / 10, i % 10, rgb.data());
    const std::vector<std::byte> jpeg = encode_jpeg(rgb.data(), size, 90);
    record.write(static_cast<uint64_t>(i), 0, jpeg);
    tar.add(concat(i, ".jpg"), as_text(jpeg));
    OutputFile(folder / concat("faces/a/", i, ".jpg")).write(jpeg);
  }
  record.close();
  tar.end();
  OutputFile(folder / "faces.tar").write(tar.text);
  const auto build = [&](const char* name, auto kind) {
    DataConfig config;
    config.sources.push_back({.name = name, .role = Role::kUnlabeled, .kind = kind, .exclude = {}});
    build_index(config, folder / name);
  };
  build("folder", FolderSource{{(folder / "faces").string()}, {}});
  build("recordio", RecordIoSource{{(folder / "faces.rec").string()}, {}});
  build("webdataset", WebdatasetSource{{(folder / "faces.tar").string()}});
}

void run(int argc, char** argv) {
  const int threads = resolve_threads(argc > 1 ? std::stoi(argv[1]) : 0),
            rounds = argc > 2 ? std::stoi(argv[2]) : 7;
  Json report{{"threads", threads}, {"rounds", rounds}};
  const auto measure = [&](const Rounds::Indexes& indexes) {
    Rounds measured(indexes, threads);
    for (int round = 0; round < rounds; ++round) measured.run(round);
    report.update(measured.report());
    return measured;
  };
  if (argc > 3) {
    measure({{"index", argv[3]}});
  } else {
    std::string name = (fs::temp_directory_path() / "uir-bench-XXXXXX").string();
    const fs::path folder = ::mkdtemp(name.data());
    make_data(folder);
    const Rounds measured = measure({{"folder", folder / "folder"},
                                     {"recordio", folder / "recordio"},
                                     {"webdataset", folder / "webdataset"}});
    report["webdataset"]["of_recordio"] = measured.speed("webdataset", "recordio", &Cost::seconds);
    report["webdataset"]["cpu_of_recordio"] = measured.speed("webdataset", "recordio", &Cost::cpu_seconds);
    fs::remove_all(folder);
  }
  std::cout << report.dump(2) << "\n";
}

}  // namespace
}  // namespace uir

int main(int argc, char** argv) {
  try {
    uir::run(argc, argv);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_loader: " << error.what() << "\n";
    return 1;
  }
}
