// Counter-based randomness: every random choice is a pure function of (seed, purpose, epoch, item), so
// results do not depend on the number of threads or ranks and a resumed run needs no saved generator state.
// The mixing function is SplitMix64's finaliser (Steele et al., OOPSLA 2014). The standard library's engines
// are sequential and its distributions differ between implementations, hence the own code.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace uir {

inline constexpr uint64_t mix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// What a random number is for: streams of different purposes are independent.
enum class RandomPurpose : uint64_t {
  kShuffleLabeled = 1,
  kShuffleUnlabeled,
  kAugment,
  kInit,
  kSynthetic,
  kTest,
  kPack,
  kSampleClasses,
  kSampleScores,
  kSimulation,
  kDropout = kInit  // they began with one number; another one would change every run with dropout
};

// A short stream of random numbers belonging to one item.
class ItemRandom {
 public:
  ItemRandom(uint64_t seed, RandomPurpose purpose, uint64_t epoch, uint64_t item)
      : key_(mix64(mix64(mix64(mix64(seed) ^ static_cast<uint64_t>(purpose)) ^ epoch) ^ item)) {}

  uint64_t next() { return mix64(key_ ^ mix64(counter_++)); }
  // [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // [0, n); the bias is below n / 2^64.
  uint64_t below(uint64_t n) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * n) >> 64);
  }
  bool chance(double probability) { return uniform() < probability; }
  // Standard normal (Box-Muller, one of the pair).
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  uint64_t key_;
  uint64_t counter_ = 0;
};

// A random permutation of [0, n) that is evaluated item by item, without a table: a balanced Feistel network
// of six rounds over the next even number of bits, cycle-walked into range (Black and Rogaway, CT-RSA 2002).
class RandomPermutation {
 public:
  RandomPermutation(uint64_t n, uint64_t seed, RandomPurpose purpose, uint64_t epoch);
  uint64_t size() const { return n_; }
  uint64_t operator()(uint64_t i) const;  // i < n; about 1.5 cycles of 6 mixes on average, at most 4

 private:
  uint64_t n_;
  unsigned half_bits_;
  uint64_t keys_[6];
};

}  // namespace uir
