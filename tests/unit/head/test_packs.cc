#include "uir/head/packs.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/catch.h"

namespace {

using uir::packs::kWidth;
using uir::packs::load;
using uir::packs::Pack;

enum class Function { kExp, kExpm1, kExcess };

UIR_EVERY_CPU void evaluate(Function function, const float* in, float* out, int64_t n) {
  uir::packs::for_each_pack<float>(
      0, n, [&](int64_t i, int64_t count) __attribute__((always_inline)) {
        const Pack<float> x = load(in + i, count);
        uir::packs::store(out + i,
                          function == Function::kExcess
                              ? uir::packs::exp_excess<float>(x)
                              : uir::packs::exp_or_expm1(x, function == Function::kExpm1),
                          count);
      });
}

std::vector<float> evaluate(Function function, const std::vector<float>& in) {
  std::vector<float> out(in.size());
  evaluate(function, in.data(), out.data(), static_cast<int64_t>(in.size()));
  return out;
}

// Every magnitude between 1e-30 and `limit`, both signs, and a dense grid.
std::vector<float> arguments(float low, float high) {
  std::vector<float> values;
  for (int i = 0; i <= 400000; ++i) values.push_back(low + (high - low) * static_cast<float>(i) / 400000);
  for (float x = 1e-30f; x < high; x *= 1.01f) values.insert(values.end(), {x, std::max(-x, low)});
  return values;
}

double units_in_last_place(float value, double exact) {
  const float rounded = static_cast<float>(exact);
  const double unit = std::abs(static_cast<double>(std::nextafter(rounded, 1e30f)) - rounded);
  return std::abs(value - exact) / std::max(unit, static_cast<double>(std::numeric_limits<float>::min()));
}

double worst(Function function, const std::vector<float>& in, double (*exact)(double)) {
  const std::vector<float> out = evaluate(function, in);
  double result = 0;
  for (size_t i = 0; i < in.size(); ++i) result = std::max(result, units_in_last_place(out[i], exact(in[i])));
  return result;
}

}  // namespace

TEST_CASE("exp and expm1 of packs: two units in the last place") {
  CHECK(worst(Function::kExp, arguments(-87, 88), [](double x) { return std::exp(x); }) <= 2);
  CHECK(worst(Function::kExpm1, arguments(-87, 88), [](double x) { return std::expm1(x); }) <= 2);
}

TEST_CASE("the excess of exp over its tangent keeps its digits near 0") {
  // Four units: a product of three factors. The oracle is the series in long double, since exp(q) − 1 − q
  // cancels.
  const auto exact = [](double q) {
    long double term = static_cast<long double>(q) * q / 2, sum = 0;
    for (int k = 3; k < 40; ++k) {
      sum += term;
      term *= static_cast<long double>(q) / k;
    }
    return static_cast<double>(sum);
  };
  std::vector<float> in = arguments(-1, 1);
  in.erase(std::remove_if(in.begin(), in.end(), [](float x) { return std::abs(x) < 1e-15f; }), in.end());
  CHECK(worst(Function::kExcess, in, exact) <= 4);
}

TEST_CASE("exp of packs beyond the range of float: clamped, NaN stays NaN") {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> out = evaluate(Function::kExp, {-infinity, -1000, 1000, infinity, std::nanf("")});
  CHECK(out[0] == Approx(std::exp(-87.0f)));
  CHECK(out[1] == out[0]);
  CHECK(out[2] == Approx(std::exp(88.0f)));
  CHECK(out[3] == out[2]);
  CHECK(std::isnan(out[4]));
}

TEST_CASE("packs at the end of an array: exactly the elements that exist") {
  for (int64_t n : {0, 1, 15, 16, 17, 33}) {
    std::vector<float> in(n, 1.0f), out(n + 1, -7.0f);
    evaluate(Function::kExp, in.data(), out.data(), n);
    for (int64_t i = 0; i < n; ++i) CHECK(out[i] == Approx(std::exp(1.0f)));
    CHECK(out[n] == -7.0f);
  }
  const float values[3] = {1, 5, 3};
  const Pack<float> pack = load(values, 3, Pack<float>{} - 9.0f);
  CHECK(uir::packs::sum<float>(pack) == 9 - 9 * (kWidth<float> - 3));
  CHECK(uir::packs::largest<float>(pack) == 5);
}
