// Writes data of IJB-C's layout and size, made of random directions, for bench_ijb and for trying the
// protocols.
//
//   make_ijbc FOLDER [share of the full size, default 1]
//
// FOLDER/meta holds the benchmark's lists, FOLDER/embeddings.npy and FOLDER/embeddings_mirrored.npy the
// features of all images and of their mirror images. Full size: 2.2 GB.
#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "support/ijb_synthetic.h"
#include "uir/base/error.h"

int main(int argc, char** argv) {
  const double share = argc > 2 ? std::atof(argv[2]) : 1;
  if (argc < 2 || argc > 3 || !(share > 0 && share <= 1)) {
    std::cerr << "usage: make_ijbc FOLDER [share of the full size, in (0, 1]]\n";
    return 64;
  }
  uir::IjbSyntheticConfig config;
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
