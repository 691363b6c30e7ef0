// Class sampling against the naive formulation whose labeled softmax is restricted to the sampled classes.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "naive.h"
#include "support/ranks.h"
#include "uir/base/error.h"
#include "uir/head/center_shard.h"
#include "uir/head/class_sample.h"
#include "uir/head/head.h"
// after the torch headers
#include "support/catch.h"

namespace {

using naive::Problem;
using uir::Communicator;
using uir::Head;
using uir::HeadLoss;
using uir::RowRange;
using uir::UirReduction;
using Numbers = std::vector<int64_t>;

constexpr uint64_t kSeed = 5, kKey = 17;

Head head_of(const Problem& p,
             std::shared_ptr<const Communicator> communicator = std::make_shared<Communicator>()) {
  Head head(p.head, p.reduction, p.centers.size(0), p.centers.size(1), kSeed, std::move(communicator),
            at::kCPU);
  head.centers() =
      p.centers.narrow(0, head.range().begin, head.range().size()).clone().set_requires_grad(true);
  return head;
}

HeadLoss run(Head& head, const Problem& p, uint64_t key = kKey) {
  uir::HeadStep step;
  step.num_labeled = p.num_labeled();
  step.uir_weight = p.uir_weight;
  step.sample_key = key;
  return head.loss_and_gradients(p.embeddings, p.labels, step);
}

Numbers numbers_of(const at::Tensor& tensor) {
  return {tensor.data_ptr<int64_t>(), tensor.data_ptr<int64_t>() + tensor.numel()};
}

double error_of(const at::Tensor& value, const at::Tensor& expected) {
  if (expected.numel() == 0) return value.numel() == 0 ? 0 : INFINITY;
  const double size = std::max(1.0, expected.abs().max().item<double>());
  return (value - expected).abs().max().item<double>() / size;
}

Numbers sample_of_rank(const Problem& p, int64_t rank, int64_t ranks) {
  const Numbers labels = numbers_of(p.labels);
  return uir::sample_classes(uir::class_range(p.centers.size(0), rank, ranks), p.head.sample_rate, labels,
                             kSeed, kKey);
}

// All ranks' samples, as class numbers.
at::Tensor sampled_classes(const Problem& p, int64_t ranks) {
  Numbers classes;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    const RowRange range = uir::class_range(p.centers.size(0), rank, ranks);
    for (const int64_t number : sample_of_rank(p, rank, ranks)) classes.push_back(range.begin + number);
  }
  return at::tensor(classes, at::kLong);
}

int64_t count_correct(const Problem& p, const at::Tensor& sampled) {
  const at::Tensor cosines = naive::normalised(p.embeddings).mm(naive::normalised(p.centers).t());
  int64_t correct = 0;
  for (int64_t r = 0; r < p.num_labeled(); ++r) {
    const double target = cosines[r][p.labels[r].item<int64_t>()].item<double>();
    correct += cosines[r].index_select(0, sampled).max().item<double>() <= target;
  }
  return correct;
}

struct RankResult {
  HeadLoss loss;
  at::Tensor centers_gradient, touched;
};

void check_equals_naive(Problem p, const std::vector<RankResult>& results) {
  const auto ranks = static_cast<int64_t>(results.size());
  CAPTURE(ranks, p.centers.size(0), p.num_labeled(), p.head.sample_rate, p.uir_weight,
          static_cast<int>(p.reduction));
  p.sampled = sampled_classes(p, ranks);
  const naive::Result expected = naive::solve(p);
  std::vector<at::Tensor> labeled_gradients, unlabeled_gradients, centers_gradients;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    const RankResult& result = results[rank];
    CHECK(result.loss[uir::kLabeledLoss] == Approx(expected.labeled).epsilon(1e-12).margin(1e-12));
    CHECK(result.loss[uir::kUirLoss] == Approx(expected.uir).epsilon(1e-11).margin(1e-12));
    CHECK(result.loss[uir::kCorrect] == count_correct(p, p.sampled));
    const int64_t labeled = p.num_labeled() / ranks;
    labeled_gradients.push_back(result.loss.embeddings_gradient.narrow(0, 0, labeled));
    unlabeled_gradients.push_back(result.loss.embeddings_gradient.slice(0, labeled));
    centers_gradients.push_back(result.centers_gradient);
    if (p.uir_weight > 0 && p.embeddings.size(0) > p.num_labeled()) {
      CHECK_FALSE(result.touched.defined());
    } else {
      CHECK(numbers_of(result.touched) == (p.num_labeled() > 0 ? sample_of_rank(p, rank, ranks) : Numbers()));
    }
  }
  labeled_gradients.insert(labeled_gradients.end(), unlabeled_gradients.begin(), unlabeled_gradients.end());
  CHECK(error_of(at::cat(labeled_gradients), expected.embeddings_gradient) < 1e-12);
  CHECK(error_of(at::cat(centers_gradients), expected.centers_gradient) < 1e-12);
}

std::vector<Problem> problems(int64_t ranks) {
  std::vector<Problem> result;
  for (int64_t classes : {2, 7, 30}) {
    for (double rate : {0.01, 0.4, 0.999}) {
      for (const auto& [labeled, unlabeled, weight] :
           {std::tuple{3, 2, 0.1}, std::tuple{3, 2, 0.0}, std::tuple{2, 0, 0.1}, std::tuple{0, 2, 0.1}}) {
        for (UirReduction reduction : {UirReduction::kReleased, UirReduction::kMean}) {
          Problem p = naive::random_problem(labeled * ranks, unlabeled * ranks, classes, 6);
          p.head.sample_rate = rate;
          p.head.class_tile = 4;
          p.reduction = reduction;
          p.uir_weight = weight;
          result.push_back(p);
        }
      }
    }
  }
  return result;
}

}  // namespace

TEST_CASE("sampling: loss and gradients equal the softmax over all ranks' sampled classes") {
  const int64_t ranks = GENERATE(1, 2, 3, 4);
  const std::vector<Problem> all = problems(ranks);
  std::vector<std::vector<RankResult>> results(all.size(), std::vector<RankResult>(ranks));
  run_ranks(ranks, [&](std::shared_ptr<const Communicator> communicator) {
    const int64_t rank = communicator->rank();
    for (size_t i = 0; i < all.size(); ++i) {
      const Problem part = part_of(all[i], rank, ranks);
      Head head = head_of(part, communicator);
      results[i][rank] = {run(head, part), head.centers().grad(), head.touched_rows()->rows()};
    }
  });
  for (size_t i = 0; i < all.size(); ++i) check_equals_naive(all[i], results[i]);
}

TEST_CASE("sampling: the sample is every positive and random others, exactly as many as the rate says") {
  const RowRange range{100, 150};
  const Numbers labels{149, 3, 100, 149, 150, 120};  // 3 and 150 are other ranks'
  for (uint64_t key = 0; key < 200; ++key) {
    const Numbers sample = uir::sample_classes(range, 0.2, labels, 1, key);
    CHECK(sample.size() == 10);
    CHECK(std::is_sorted(sample.begin(), sample.end()));
    const std::set<int64_t> distinct(sample.begin(), sample.end());
    CHECK(distinct.size() == 10);
    for (const int64_t positive : {49, 0, 20}) CHECK(distinct.contains(positive));
    CHECK(*distinct.begin() >= 0);
    CHECK(*distinct.rbegin() < 50);
  }
  CHECK(uir::sample_classes(range, 0.01, labels, 1, 0) ==
        Numbers{0, 20, 49});  // round(0.5) = 1 < 3 positives
  CHECK(uir::sample_classes(range, 0.001, {}, 1, 0).empty());
  CHECK(uir::sample_classes({7, 7}, 0.5, labels, 1, 0).empty());
  CHECK(uir::positions_in_sample(range, {0, 20, 49}, labels) == Numbers{2, -1, 0, 2, -1, 1});
}

TEST_CASE("sampling: every class and every pair of classes is drawn equally often") {
  const RowRange range{20, 32};
  constexpr int kDraws = 20000, kClasses = 12;
  std::vector<std::vector<int>> together(kClasses, std::vector<int>(kClasses));
  for (uint64_t key = 0; key < kDraws; ++key) {
    const Numbers sample = uir::sample_classes(range, 0.25, {}, 3, key);
    for (const int64_t a : sample) {
      for (const int64_t b : sample) ++together[a][b];
    }
  }
  const auto near = [](int count, double p) {
    return std::abs(count - kDraws * p) < 5 * std::sqrt(kDraws * p * (1 - p));
  };
  for (int a = 0; a < kClasses; ++a) {
    for (int b = 0; b < kClasses; ++b) CHECK(near(together[a][b], a == b ? 0.25 : 3.0 / 12 * 2 / 11));
  }
}

TEST_CASE("sampling: the draw depends on seed, key and class number alone") {
  const RowRange range{0, 1000};
  const Numbers sample = uir::sample_classes(range, 0.1, {}, 1, 2);
  CHECK(uir::sample_classes(range, 0.1, {}, 1, 2) == sample);
  CHECK(uir::sample_classes(range, 0.1, {}, 1, 3) != sample);
  CHECK(uir::sample_classes(range, 0.1, {}, 2, 2) != sample);

  // Another rank's range that shares classes takes the same ones of these first.
  Numbers shared;
  for (const int64_t number : sample) {
    if (number >= 300 && number < 800) shared.push_back(number - 300);
  }
  CHECK(uir::sample_classes({300, 800}, static_cast<double>(shared.size()) / 500, {}, 1, 2) == shared);

  // Another micro-batch of the step differs by no more than its positives.
  const Numbers labels{5, 6, 7, 8};
  const Numbers other = uir::sample_classes(range, 0.1, labels, 1, 2);
  Numbers common;
  std::set_intersection(sample.begin(), sample.end(), other.begin(), other.end(), std::back_inserter(common));
  CHECK(other.size() == 100);
  CHECK(common.size() >= 96);
}

TEST_CASE("sampling: the unlabeled rows' loss and gradient are those without sampling") {
  Problem p = naive::random_problem(4, 5, 300, 8);
  p.reduction = GENERATE(UirReduction::kReleased, UirReduction::kMean, UirReduction::kSum);
  Head whole = head_of(p);
  const HeadLoss expected = run(whole, p);
  p.head.sample_rate = 0.1;
  Head head = head_of(p);
  const HeadLoss loss = run(head, p);
  CHECK(loss[uir::kUirLoss] == Approx(expected[uir::kUirLoss]).epsilon(1e-13));
  CHECK(error_of(loss.embeddings_gradient.slice(0, 4), expected.embeddings_gradient.slice(0, 4)) < 1e-13);
  CHECK(loss[uir::kLabeledLoss] < expected[uir::kLabeledLoss]);
  CHECK_FALSE(whole.touched_rows());
}

TEST_CASE("sampling: squared gradient norms are of the sampled classes and of all") {
  Problem p = naive::random_problem(4, 5, 300, 8);
  p.head.sample_rate = 0.1;
  Head labeled = head_of(p), both = head_of(p);
  labeled.loss_and_gradients(p.embeddings, p.labels, {4, 0, 1, 1, kKey});
  const HeadLoss loss = both.loss_and_gradients(p.embeddings, p.labels, {4, p.uir_weight, 1, 1, kKey, true});
  const at::Tensor of_labeled = labeled.centers().grad();
  const at::Tensor expected =
      at::stack({of_labeled, both.centers().grad() - of_labeled}).square().sum({1, 2});
  CHECK(error_of(loss.gradient_squares.slice(0, uir::kCentersLabeled), expected) < 1e-12);
}

TEST_CASE("sampling: touched rows add up over micro-batches and nothing else has a gradient") {
  Problem p = naive::random_problem(4, 0, 200, 8);
  p.head.sample_rate = 0.05;
  Head head = head_of(p);
  CHECK(head.touched_rows()->rows().numel() == 0);
  run(head, p, 1);
  run(head, p, 2);
  std::set<int64_t> expected;
  for (uint64_t key : {1, 2}) {
    const Numbers sample = uir::sample_classes({0, 200}, 0.05, numbers_of(p.labels), kSeed, key);
    expected.insert(sample.begin(), sample.end());
  }
  const Numbers touched = numbers_of(head.touched_rows()->rows());
  CHECK(touched == Numbers(expected.begin(), expected.end()));
  const at::Tensor has_gradient = (head.centers().grad() != 0).any(1).nonzero().flatten();
  CHECK(numbers_of(has_gradient) == touched);
  head.touched_rows()->clear();
  CHECK(head.touched_rows()->rows().numel() == 0);
}

TEST_CASE("sampling: float32 results do not depend on the number of threads") {
  Problem p = naive::random_problem(6, 3, 30000, 16);
  p.head.sample_rate = 0.3;
  p.embeddings = p.embeddings.to(at::kFloat);
  p.centers = p.centers.to(at::kFloat);
  const int before = at::get_num_threads();
  std::vector<at::Tensor> results;
  for (int threads : {1, 3}) {
    at::set_num_threads(threads);
    Head head = head_of(p);
    const HeadLoss loss = run(head, p);
    results.push_back(at::cat({loss.embeddings_gradient.flatten(), head.centers().grad().flatten()}));
  }
  at::set_num_threads(before);
  CHECK(at::equal(results[0], results[1]));
}

TEST_CASE("sampling: rates outside (0, 1] are refused") {
  for (const double rate : {0.0, -0.1, 1.1, std::nan("")}) {
    uir::HeadConfig config;
    config.sample_rate = rate;
    CHECK_THROWS_AS(Head(config, UirReduction::kMean, 5, 6, 1, std::make_shared<Communicator>(), at::kCPU),
                    uir::Error);
  }
}
