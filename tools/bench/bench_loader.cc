// Loader against raw libjpeg-turbo decoding of the same bytes on the same threads, from a folder and from
// RecordIO.
//
//   bench_loader [threads [rounds [index]]]   threads 0: one per processor; index: folder made by uir-index
//
// Without an index, 8,000 synthetic faces are written as JPEG (quality 90) into a temporary folder, as files
// and as RecordIO. Each round times raw decoding and the loader one after the other, so that both see the
// same machine; the ratio of a round is loader / raw [images/s], and the median over the rounds is what
// counts (target 0.85). Mirroring is on, as in training. cpu_ratio compares the processor time instead, which
// other programs disturb less.
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

Json measure(const fs::path& folder, int threads, int rounds) {
  const Index index = Index::open(folder);
  const EncodedImages images = read_all(index);
  const auto count = static_cast<double>(images.size());
  std::vector<double> raw_rate, loader_rate, ratio, cpu_ratio;
  for (int round = 0; round < rounds; ++round) {
    const Cost raw = cost_of([&] { decode_raw(images, threads); });
    const Cost loader = cost_of([&] { load_all(index, threads); });
    raw_rate.push_back(count / raw.seconds);
    loader_rate.push_back(count / loader.seconds);
    ratio.push_back(raw.seconds / loader.seconds);
    cpu_ratio.push_back(raw.cpu_seconds / loader.cpu_seconds);
  }
  uint64_t bytes = 0;
  for (const auto& image : images) bytes += image.size();
  return {{"images", images.size()},
          {"bytes_per_image", static_cast<double>(bytes) / count},
          {"raw_images_per_s", median(raw_rate)},
          {"loader_images_per_s", median(loader_rate)},
          {"ratio", median(ratio)},
          {"cpu_ratio", median(cpu_ratio)}};
}

// The same faces as files and as RecordIO, both indexed.
void make_data(const fs::path& folder) {
  constexpr int64_t kImages = 8000;
  const ImageSize size{kImageSize, kImageSize};
  create_folders(folder / "faces/a");
  RecordWriter record(folder / "faces.rec", folder / "faces.idx");
  std::vector<uint8_t> rgb(kImageBytes);
  for (int64_t i = 0; i < kImages; ++i) {
    render_synthetic_face({}, i / 10, i % 10, rgb.data());
    const std::vector<std::byte> jpeg = encode_jpeg(rgb.data(), size, 90);
    record.write(static_cast<uint64_t>(i), 0, jpeg);
    OutputFile(folder / concat("faces/a/", i, ".jpg")).write(jpeg);
  }
  record.close();
  const auto build = [&](const char* name, auto kind) {
    DataConfig config;
    config.sources.push_back({.name = name, .role = Role::kUnlabeled, .kind = kind, .exclude = {}});
    build_index(config, folder / name);
  };
  build("folder", FolderSource{{(folder / "faces").string()}, {}});
  build("recordio", RecordIoSource{{(folder / "faces.rec").string()}, {}});
}

void run(int argc, char** argv) {
  const int threads = resolve_threads(argc > 1 ? std::stoi(argv[1]) : 0),
            rounds = argc > 2 ? std::stoi(argv[2]) : 7;
  Json report{{"threads", threads}, {"rounds", rounds}};
  if (argc > 3) {
    report["index"] = measure(argv[3], threads, rounds);
  } else {
    std::string name = (fs::temp_directory_path() / "uir-bench-XXXXXX").string();
    const fs::path folder = ::mkdtemp(name.data());
    make_data(folder);
    for (const char* kind : {"folder", "recordio"}) report[kind] = measure(folder / kind, threads, rounds);
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
