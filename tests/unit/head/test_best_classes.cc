#include "uir/head/best_classes.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <memory>

#include "naive.h"
// after the torch headers
#include "support/catch.h"

namespace {

using naive::Problem;

at::Tensor best_of(const Problem& p) {
  return uir::best_classes({std::make_shared<uir::Communicator>(), p.centers.size(0), p.centers, p.head},
                           p.embeddings);
}

}  // namespace

TEST_CASE("best classes equal brute force") {
  Problem p = naive::random_problem(0, 20, 50, 6);
  p.head.class_tile = GENERATE(0, 8);
  const at::Tensor logits =
      p.head.scale * naive::normalised(p.embeddings).mm(naive::normalised(p.centers).t());
  const auto [best, classes] = logits.max(1);
  const at::Tensor result = best_of(p);
  CHECK(result.scalar_type() == at::kFloat);
  CHECK(at::equal(result.select(1, 0).to(at::kLong), classes));
  CHECK(at::allclose(result.select(1, 1).to(at::kDouble), best / p.head.scale, 1e-6));
  CHECK(at::allclose(result.select(1, 2).to(at::kDouble), logits.softmax(1).amax(1), 1e-6));
  const at::Tensor others = logits.scatter(1, classes.unsqueeze(1), -INFINITY);
  CHECK(at::allclose(result.select(1, 3).to(at::kDouble), best - others.logsumexp(1), 1e-6, 1e-5));
}

TEST_CASE("log odds tell faces apart whose probability is 1") {
  Problem p = naive::random_problem(0, 6, 50, 6);
  p.head.scale = 400;
  p.embeddings = p.centers.narrow(0, 3, 6) + 0.01 * p.embeddings;
  const at::Tensor result = best_of(p);
  const at::Tensor logits =
      p.head.scale * naive::normalised(p.embeddings).mm(naive::normalised(p.centers).t());
  const auto [best, classes] = logits.max(1);
  const at::Tensor others = logits.scatter(1, classes.unsqueeze(1), -INFINITY);
  const at::Tensor odds = best - others.logsumexp(1);
  REQUIRE(odds.min().item<double>() > 20);
  CHECK(at::equal(result.select(1, 2), at::ones({6}, at::kFloat)));
  CHECK(at::allclose(result.select(1, 3).to(at::kDouble), odds, 1e-6));
}

TEST_CASE("the odds of a single class are the largest float32") {
  Problem p = naive::random_problem(0, 2, 1, 6);
  const at::Tensor result = best_of(p);
  CHECK(at::equal(result.select(1, 2), at::ones({2}, at::kFloat)));
  CHECK(result[0][3].item<float>() == std::numeric_limits<float>::max());
}
