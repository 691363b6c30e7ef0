// Writes data of IJB-C's layout and size, made of random directions, for bench_ijb and for trying the
// protocols.
//
//   make_ijbc FOLDER [share of the full size, default 1] [--any-templates]
//
// --any-templates: as many pairs, but of any two templates (23,124 on both sides), as other lists have them.
// FOLDER/meta holds the benchmark's lists, FOLDER/embeddings.npy and FOLDER/embeddings_mirrored.npy the
// features of all images and of their mirror images. Full size: 2.2 GB.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "support/ijb_synthetic.h"
#include "uir/base/error.h"

int main(int argc, char** argv) {
  uir::IjbSyntheticConfig config;
  config.any_templates = argc > 2 && std::string_view(argv[argc - 1]) == "--any-templates";
  argc -= config.any_templates ? 1 : 0;
  const double share = argc > 2 ? std::atof(argv[2]) : 1;
  if (argc < 2 || argc > 3 || !(share > 0 && share <= 1)) {
    std::cerr << "usage: make_ijbc FOLDER [share of the full size, in (0, 1]] [--any-templates]\n";
    return 64;
  }
  if (share < 1) {
    for (int64_t* count :
         {&config.images, &config.gallery1, &config.gallery2, &config.probes, &config.genuine_pairs})
      *count = std::max<int64_t>(static_cast<int64_t>(static_cast<double>(*count) * share), 2);
    config.pairs =
        static_cast<int64_t>(static_cast<double>(config.pairs) * share * share) + config.genuine_pairs;
  }
  try {
    uir::write_ijb_synthetic(config, argv[1]);
  } catch (const uir::Error& error) {
    std::cerr << "make_ijbc: " << error.what() << "\n";
    return error.exit_code();
  }
}
