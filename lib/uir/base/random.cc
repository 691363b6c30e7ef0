#include "uir/base/random.h"

#include <bit>

#include "uir/base/error.h"

namespace uir {

RandomPermutation::RandomPermutation(uint64_t n, uint64_t seed, RandomPurpose purpose, uint64_t epoch)
    : n_(n) {
  ensure(n > 0 && n < (uint64_t{1} << 62), "0 < permutation size < 2^62");
  half_bits_ = (static_cast<unsigned>(std::bit_width(n - 1)) + 1) / 2;
  if (half_bits_ == 0) half_bits_ = 1;
  ItemRandom random(seed, purpose, epoch, n);
  for (uint64_t& key : keys_) key = random.next();
}

uint64_t RandomPermutation::operator()(uint64_t i) const {
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  do {
    uint64_t left = i >> half_bits_;
    uint64_t right = i & mask;
    for (const uint64_t key : keys_) {
      const uint64_t mixed = left ^ (mix64(right ^ key) & mask);
      left = right;
      right = mixed;
    }
    i = (left << half_bits_) | right;
  } while (i >= n_);
  return i;
}

}  // namespace uir
