#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>

#include "support/ranks.h"
#include "uir/dist/gradient_reducer.h"
// after the torch headers
#include "support/catch.h"

using namespace uir;

namespace {

// y = x w1 w2, short binary fractions as gradients so that sums are exact in any order.
struct Network {
  explicit Network(at::ScalarType type = at::kDouble) {
    const auto options = at::TensorOptions().dtype(type);
    first = at::ones({3, 700}, options).set_requires_grad(true);
    second = at::ones({700, 2}, options).set_requires_grad(true);
  }
  std::vector<at::Tensor> parameters() const { return {first, second}; }
  void backward(int64_t rank, int64_t part) const {
    const at::Tensor x =
        at::full({4, 3}, 1.00390625 + static_cast<double>(rank * 10 + part), first.options());
    at::mm(at::mm(x, first), second).backward(at::ones({4, 2}, first.options()));
  }
  void zero() const {
    for (const at::Tensor& p : parameters())
      if (p.grad().defined()) p.grad().zero_();
  }
  at::Tensor first, second;
};

}  // namespace

TEST_CASE("gradients of all ranks and micro-batches are summed, not averaged, in every step") {
  const int64_t size = GENERATE(1, 2, 3);
  const double bucket_mb = GENERATE(25.0, 0.01);  // one bucket, several
  const bool overlaps = GENERATE(true, false);
  Network expected;
  std::vector<Network> networks(static_cast<size_t>(size));
  for (int64_t rank = 0; rank < size; ++rank)
    for (int64_t part = 0; part < 2; ++part) expected.backward(rank, part);
  std::vector<int> equal(static_cast<size_t>(size));
  run_ranks(size, [&](std::shared_ptr<const Communicator> c) {
    const Network& mine = networks[static_cast<size_t>(c->rank())];
    GradientReducer reducer(mine.parameters(), c, {bucket_mb, false, overlaps});
    for (int step = 0; step < 3; ++step) {
      mine.zero();
      reducer.run(GradientReducer::Sync::kAccumulate, [&] { mine.backward(c->rank(), 0); });
      reducer.run(GradientReducer::Sync::kReduce, [&] { mine.backward(c->rank(), 1); });
      equal[static_cast<size_t>(c->rank())] += at::equal(mine.first.grad(), expected.first.grad()) &&
                                               at::equal(mine.second.grad(), expected.second.grad());
    }
  });
  for (const int count : equal) CHECK(count == 3);
}

TEST_CASE("compressed gradients are the sums of bf16 roundings") {
  const bool overlaps = GENERATE(true, false);
  std::vector<Network> networks{Network(at::kFloat), Network(at::kFloat)};
  run_ranks(2, [&](std::shared_ptr<const Communicator> c) {
    const Network& mine = networks[static_cast<size_t>(c->rank())];
    GradientReducer reducer(mine.parameters(), c, {25, true, overlaps});
    for (int step = 0; step < 2; ++step) {
      mine.zero();
      reducer.run(GradientReducer::Sync::kReduce, [&] { mine.backward(c->rank(), 0); });
    }
  });
  Network a(at::kFloat), b(at::kFloat);
  a.backward(0, 0);
  b.backward(1, 0);
  const auto rounded = [](const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kFloat); };
  const at::Tensor sum = rounded(a.first.grad()) + rounded(b.first.grad());
  CHECK_FALSE(at::equal(sum, a.first.grad() + b.first.grad()));
  CHECK(at::equal(networks[0].first.grad(), sum));
  CHECK(at::equal(networks[1].first.grad(), sum));
}

TEST_CASE("a second group of the same ranks works beside the first") {
  std::vector<double> sums(3);
  run_ranks(3, [&](std::shared_ptr<const Communicator> c) {
    const auto other = c->another(), third = c->another();
    at::Tensor one = at::full({1}, static_cast<double>(c->rank() + 1)), two = one * 10;
    other->all_reduce_sum(one);
    third->all_reduce_sum(two);
    sums[static_cast<size_t>(c->rank())] = (one + two).item<double>();
  });
  for (const double sum : sums) CHECK(sum == 66);
}
