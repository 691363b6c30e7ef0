// The head against the naive formulation, its identities, and its edges.
#include "uir/head/head.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <functional>

#include "naive.h"
#include "support/ranks.h"
#include "uir/base/error.h"
#include "uir/head/best_classes.h"
// after the torch headers
#include "support/catch.h"

namespace {

using naive::Problem;
using uir::AdaFaceConfig;
using uir::CombinedMarginConfig;
using uir::Communicator;
using uir::Head;
using uir::HeadLoss;
using uir::MarginGradient;
using uir::UirReduction;

using Margin = std::variant<CombinedMarginConfig, AdaFaceConfig>;

// A head in float64 with the problem's class centers.
Head head_of(const Problem& p,
             std::shared_ptr<const Communicator> communicator = std::make_shared<Communicator>()) {
  Head head(p.head, p.reduction, p.centers.size(0), p.centers.size(1), 1, std::move(communicator), at::kCPU);
  head.centers() =
      p.centers.narrow(0, head.range().begin, head.range().size()).clone().set_requires_grad(true);
  return head;
}

at::Tensor best_classes(
    Head& head, const Problem& p,
    const std::shared_ptr<const Communicator>& communicator = std::make_shared<Communicator>()) {
  return uir::best_classes({communicator, head.num_classes(), head.centers(), p.head}, p.embeddings);
}

HeadLoss run(Head& head, const Problem& p) {
  return head.loss_and_gradients(p.embeddings, p.labels, {p.num_labeled(), p.uir_weight});
}

HeadLoss run_and_measure(Head& head, const Problem& p) {
  return head.loss_and_gradients(p.embeddings, p.labels, {p.num_labeled(), p.uir_weight, 1, 1, 0, true});
}

// Relative to the larger of 1 and the expected size.
double error_of(const at::Tensor& value, const at::Tensor& expected) {
  if (expected.numel() == 0) return value.numel() == 0 ? 0 : INFINITY;
  const double size = std::max(1.0, expected.abs().max().item<double>());
  return (value - expected).abs().max().item<double>() / size;
}

Margin arcface(MarginGradient gradient) { return CombinedMarginConfig{1, 0.5, 0, gradient}; }

void check_equals_naive(const Problem& p, double tolerance = 1e-11) {
  Head head = head_of(p);
  const HeadLoss loss = run(head, p);
  const naive::Result expected = naive::solve(p);
  CHECK(loss[uir::kLabeledLoss] == Approx(expected.labeled).epsilon(1e-11).margin(1e-11));
  CHECK(loss[uir::kUirLoss] == Approx(expected.uir).epsilon(1e-9).margin(1e-9));
  CHECK(loss[uir::kTotalLoss] == Approx(loss[uir::kLabeledLoss] + p.uir_weight * loss[uir::kUirLoss]));
  CHECK(error_of(loss.embeddings_gradient, expected.embeddings_gradient) < tolerance);
  CHECK(error_of(head.centers().grad(), expected.centers_gradient) < tolerance);
}

}  // namespace

TEST_CASE("loss and gradients equal autograd through the naive formulation") {
  const int64_t classes = GENERATE(1, 2, 7, 1000);
  const UirReduction reduction = GENERATE(UirReduction::kReleased, UirReduction::kMean, UirReduction::kSum);
  const Margin margin = GENERATE(Margin(CombinedMarginConfig{1, 0.5, 0, MarginGradient::kExact}),
                                 Margin(CombinedMarginConfig{1, 0.5, 0, MarginGradient::kStraightThrough}),
                                 Margin(CombinedMarginConfig{1, 0, 0.4, MarginGradient::kExact}),
                                 Margin(CombinedMarginConfig{1, 0, 0, MarginGradient::kExact}),
                                 Margin(CombinedMarginConfig{1.2, 0.3, 0.1, MarginGradient::kExact}),
                                 Margin(AdaFaceConfig{0.4, 0.333, 0.5}));
  CAPTURE(classes, static_cast<int>(reduction), margin.index());
  Problem p = naive::random_problem(5, 4, classes, 12);
  p.head.margin = margin;
  p.reduction = reduction;
  check_equals_naive(p);
}

TEST_CASE("the naive formulation at usual and at large scales") {
  const double scale = GENERATE(64.0, 128.0);
  const UirReduction reduction = GENERATE(UirReduction::kReleased, UirReduction::kMean);
  Problem p = naive::random_problem(6, 6, 50, 8);
  p.head.scale = scale;
  p.reduction = reduction;
  // Strangers on a class center, opposite to one, and labeled rows on and opposite to their own.
  p.embeddings[6] = p.centers[3] * 5;
  p.embeddings[7] = -p.centers[4];
  p.embeddings[0] = -p.centers[p.labels[0].item<int64_t>()];
  p.embeddings[1] = p.centers[p.labels[1].item<int64_t>()] + 0.01 * p.centers[0];
  check_equals_naive(p, 1e-9);
}

TEST_CASE("without unlabeled rows, without labeled rows, without weight") {
  SECTION("no unlabeled rows") {
    Problem p = naive::random_problem(5, 0, 7, 6);
    check_equals_naive(p);
    Head head = head_of(p);
    CHECK(run(head, p)[uir::kUirLoss] == 0);
  }
  SECTION("no labeled rows") {
    Problem p = naive::random_problem(0, 5, 7, 6);
    p.uir_weight = 2;
    check_equals_naive(p);
  }
  SECTION("no rows") {
    Problem p = naive::random_problem(0, 0, 7, 6);
    Head head = head_of(p);
    CHECK(run(head, p)[uir::kTotalLoss] == 0);
    CHECK(head.centers().grad().abs().max().item<double>() == 0);
  }
  SECTION("weight 0: the loss is measured, the gradient is the labeled rows'") {
    Problem p = naive::random_problem(5, 4, 7, 6);
    p.reduction = GENERATE(UirReduction::kReleased, UirReduction::kMean);
    p.uir_weight = 0;
    check_equals_naive(p);
    Head head = head_of(p);
    const HeadLoss loss = run(head, p);
    CHECK(loss[uir::kUirLoss] > 0);
    CHECK(loss.embeddings_gradient.narrow(0, 5, 4).abs().max().item<double>() == 0);
  }
}

TEST_CASE("the mean form plus ln C is cross entropy with label smoothing 1") {
  Problem p = naive::random_problem(0, 6, 40, 8);
  p.reduction = UirReduction::kMean;
  Head head = head_of(p);
  const at::Tensor logits =
      p.head.scale * naive::normalised(p.embeddings).mm(naive::normalised(p.centers).t());
  const at::Tensor any_target = at::randint(40, {6}, at::kLong);
  const double smoothed =
      at::cross_entropy_loss(logits, any_target, {}, at::Reduction::Mean, -100, 1.0).item<double>();
  CHECK(run(head, p)[uir::kUirLoss] + std::log(40.0) == Approx(smoothed).epsilon(1e-13));
}

TEST_CASE("the sum form is C times the mean form, with gradient C p - 1 by the logits") {
  Problem p = naive::random_problem(0, 1, 9, 9);
  p.reduction = UirReduction::kSum;
  p.uir_weight = 1;
  p.centers =
      at::eye(9, at::kDouble);  // cosines are the normalised embedding itself: dL/dcos projects onto dL/dx
  Head head = head_of(p);
  const HeadLoss loss = run(head, p);
  const at::Tensor x = naive::normalised(p.embeddings)[0];
  const at::Tensor by_cosine = p.head.scale * (9 * (p.head.scale * x).softmax(0) - 1);
  const at::Tensor expected = (by_cosine - by_cosine.dot(x) * x) / p.embeddings[0].norm();
  CHECK(error_of(loss.embeddings_gradient[0], expected) < 1e-13);
  p.reduction = UirReduction::kMean;
  Head mean_head = head_of(p);
  CHECK(loss[uir::kUirLoss] == Approx(9 * run(mean_head, p)[uir::kUirLoss]));
}

TEST_CASE("equal class centers: no UIR loss and no gradient, to rounding") {
  const UirReduction reduction = GENERATE(UirReduction::kReleased, UirReduction::kMean, UirReduction::kSum);
  const bool single = GENERATE(false, true);
  CAPTURE(static_cast<int>(reduction), single);
  Problem p = naive::random_problem(0, 5, 3000, 16);
  p.head.scale = 64;
  p.head.class_tile = 700;
  p.reduction = reduction;
  p.uir_weight = 1;
  p.centers = p.centers[0].expand({3000, 16}).clone();
  if (single) {
    p.centers = p.centers.to(at::kFloat);
    p.embeddings = p.embeddings.to(at::kFloat);
  }
  Head head = head_of(p);
  const HeadLoss loss = run(head, p);
  // float32 products round the 3000 equal logits of a row alike within a tile width of the product's kernel;
  // what is left is 64 · 1e-7 of a logit. The sum form is C times as large.
  const double rounding = (single ? 1e-5 : 1e-12) * (reduction == UirReduction::kSum ? 3000 : 1);
  CHECK(std::abs(loss[uir::kUirLoss]) < rounding);
  CHECK(loss.embeddings_gradient.abs().max().item<double>() < 64 * rounding);
  CHECK(head.centers().grad().abs().max().item<double>() < 64 * rounding);
}

TEST_CASE("tiles of any size give the same result") {
  const UirReduction reduction = GENERATE(UirReduction::kReleased, UirReduction::kMean);
  Problem p = naive::random_problem(5, 4, 23, 6);
  p.reduction = reduction;
  Head whole = head_of(p);
  const HeadLoss expected = run(whole, p);
  for (int64_t tile : {1, 7, 23, 1000}) {
    CAPTURE(tile);
    p.head.class_tile = tile;
    Head head = head_of(p);
    const HeadLoss loss = run(head, p);
    CHECK(loss[uir::kTotalLoss] == Approx(expected[uir::kTotalLoss]).epsilon(1e-13));
    CHECK(loss[uir::kCorrect] == expected[uir::kCorrect]);
    CHECK(error_of(loss.embeddings_gradient, expected.embeddings_gradient) < 1e-12);
    CHECK(error_of(head.centers().grad(), whole.centers().grad()) < 1e-12);
    CHECK(at::equal(best_classes(head, p), best_classes(whole, p)));
  }
}

TEST_CASE("results do not depend on the number of threads") {
  const UirReduction reduction = GENERATE(UirReduction::kReleased, UirReduction::kMean);
  Problem p = naive::random_problem(5, 4, 3000, 16);
  p.reduction = reduction;
  p.embeddings = p.embeddings.to(at::kFloat);
  p.centers = p.centers.to(at::kFloat);
  const int before = at::get_num_threads();
  std::vector<at::Tensor> results;
  for (int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    Head head = head_of(p);
    const HeadLoss loss = run(head, p);
    results.push_back(at::cat({at::tensor({loss[uir::kLabeledLoss], loss[uir::kUirLoss]}),
                               loss.embeddings_gradient.flatten(), head.centers().grad().flatten(),
                               best_classes(head, p).flatten()}));
  }
  at::set_num_threads(before);
  CHECK(at::equal(results[0], results[1]));
  CHECK(at::equal(results[0], results[2]));
}

TEST_CASE("float32 stays close to float64, also beyond e^88") {
  const double scale = GENERATE(64.0, 128.0);
  const UirReduction reduction = GENERATE(UirReduction::kReleased, UirReduction::kMean);
  CAPTURE(scale, static_cast<int>(reduction));
  Problem p = naive::random_problem(8, 8, 3000, 32);
  p.head.scale = scale;
  p.reduction = reduction;
  p.uir_weight = 1;
  p.embeddings[9] = p.centers[5];  // logits up to the scale itself
  p.embeddings[1] = p.centers[p.labels[1].item<int64_t>()];
  Head exact = head_of(p);
  const HeadLoss expected = run(exact, p);
  p.embeddings = p.embeddings.to(at::kFloat);
  p.centers = p.centers.to(at::kFloat);
  Head head = head_of(p);
  const HeadLoss loss = run(head, p);
  CHECK(loss[uir::kLabeledLoss] == Approx(expected[uir::kLabeledLoss]).epsilon(1e-5));
  CHECK(loss[uir::kUirLoss] == Approx(expected[uir::kUirLoss]).epsilon(1e-5));
  CHECK(error_of(loss.embeddings_gradient.to(at::kDouble), expected.embeddings_gradient) < 1e-4);
  CHECK(error_of(head.centers().grad().to(at::kDouble), exact.centers().grad()) < 1e-4);
}

TEST_CASE("93,431 classes: finite") {
  const UirReduction reduction = GENERATE(UirReduction::kReleased, UirReduction::kMean, UirReduction::kSum);
  uir::HeadConfig config;
  at::manual_seed(1);
  Head head(config, reduction, 93431, 8, 1, std::make_shared<Communicator>(), at::kCPU);
  const at::Tensor embeddings = at::randn({6, 8});
  embeddings[4] = head.centers()[77].detach();
  embeddings[5] = 0;  // no direction at all
  const HeadLoss loss =
      head.loss_and_gradients(embeddings, at::tensor({0, 50000, 93430}, at::kLong), {3, 0.1});
  CHECK(std::isfinite(loss[uir::kTotalLoss]));
  CHECK(loss[uir::kLabeledLoss] > 0);
  CHECK(loss[uir::kUirLoss] > 0);
  CHECK(loss.embeddings_gradient.isfinite().all().item<bool>());
  CHECK(head.centers().grad().isfinite().all().item<bool>());
  CHECK(loss.embeddings_gradient[5].abs().max().item<float>() == 0);
}

TEST_CASE("a broken row makes the loss NaN instead of passing unseen") {
  Problem p = naive::random_problem(3, 3, 20, 6);
  const int64_t row = GENERATE(0, 4);
  p.embeddings[row][2] = std::nan("");
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    p.embeddings = p.embeddings.to(type);
    p.centers = p.centers.to(type);
    Head head = head_of(p);
    CHECK(std::isnan(run(head, p)[uir::kTotalLoss]));
  }
}

TEST_CASE("the margin's warm-up, the gradient's scale, accumulation") {
  Problem p = naive::random_problem(5, 4, 7, 6);
  Head head = head_of(p);
  const HeadLoss once = run(head, p);
  const at::Tensor gradient = head.centers().grad().clone();

  const HeadLoss again = head.loss_and_gradients(p.embeddings, p.labels, {5, p.uir_weight, 1, 0.25});
  CHECK(again[uir::kTotalLoss] == once[uir::kTotalLoss]);
  CHECK(error_of(again.embeddings_gradient, 0.25 * once.embeddings_gradient) < 1e-15);
  CHECK(error_of(head.centers().grad(), 1.25 * gradient) < 1e-14);

  Problem plain = p;
  plain.head.margin = CombinedMarginConfig{1, 0, 0};
  Head plain_head = head_of(plain);
  const HeadLoss without = head.loss_and_gradients(p.embeddings, p.labels, {5, p.uir_weight, 0, 1});
  CHECK(without[uir::kLabeledLoss] == Approx(run(plain_head, plain)[uir::kLabeledLoss]).epsilon(1e-14));
  CHECK(without[uir::kLabeledLoss] < once[uir::kLabeledLoss]);
}

TEST_CASE("squared gradient norms of both losses equal those of the losses by themselves") {
  Problem p = naive::random_problem(5, 4, 37, 6);
  p.reduction = GENERATE(UirReduction::kReleased, UirReduction::kMean, UirReduction::kSum);
  p.head.class_tile = 10;
  Head labeled = head_of(p), both = head_of(p), measured = head_of(p);
  labeled.loss_and_gradients(p.embeddings, p.labels, {5, 0});
  const HeadLoss loss = both.loss_and_gradients(p.embeddings, p.labels, {5, p.uir_weight});
  const auto square = [](const at::Tensor& gradient) { return gradient.square().sum().item<double>(); };
  CHECK(square(loss.gradient_squares) == 0);  // not asked for

  const HeadLoss again =
      measured.loss_and_gradients(p.embeddings, p.labels, {5, p.uir_weight, 1, 0.5, 0, true});
  const auto is = [&](uir::GradientSquare which, const at::Tensor& gradient) {
    return again.gradient_squares[which].item<double>() == Approx(square(gradient)).epsilon(1e-10);
  };
  CHECK(is(uir::kEmbeddingsLabeled, loss.embeddings_gradient.slice(0, 0, 5)));
  CHECK(is(uir::kEmbeddingsUir, loss.embeddings_gradient.slice(0, 5)));
  CHECK(is(uir::kCentersLabeled, labeled.centers().grad()));
  CHECK(is(uir::kCentersUir, both.centers().grad() - labeled.centers().grad()));
  CHECK(at::equal(again.embeddings_gradient * 2, loss.embeddings_gradient));
  CHECK(at::equal(measured.centers().grad() * 2, both.centers().grad()));
}

TEST_CASE("accuracy with and without the margin equals counting") {
  Problem p = naive::random_problem(200, 0, 5, 3);
  p.head.margin = GENERATE(arcface(MarginGradient::kExact), Margin(CombinedMarginConfig{1, 0, 0.4}));
  const at::Tensor cosines = naive::normalised(p.embeddings).mm(naive::normalised(p.centers).t());
  int64_t correct = 0, correct_with_margin = 0;
  for (int64_t r = 0; r < 200; ++r) {
    const int64_t label = p.labels[r].item<int64_t>();
    const at::Tensor target = cosines[r][label].clone();
    const auto* margin = std::get_if<CombinedMarginConfig>(&p.head.margin);
    const at::Tensor others = cosines[r].index_fill(0, p.labels[r], -9);
    correct += !(others.max() > target).item<bool>();
    correct_with_margin += !(others.max() > naive::combined_margin(*margin, target)).item<bool>();
  }
  p.head.class_tile = 2;
  Head head = head_of(p);
  const HeadLoss loss = run(head, p);
  CHECK(loss[uir::kCorrect] == correct);
  CHECK(loss[uir::kCorrectWithMargin] == correct_with_margin);
  CHECK(correct_with_margin < correct);
  CHECK(loss.num_labeled == 200);
  CHECK(loss.num_unlabeled == 0);
}

TEST_CASE("a tie counts as correct") {
  Problem p = naive::random_problem(1, 0, 4, 6);
  p.centers = p.centers[0].expand({4, 6}).clone();
  p.head.margin = CombinedMarginConfig{1, 0, 0};
  Head head = head_of(p);
  CHECK(run(head, p)[uir::kCorrect] == 1);
}

TEST_CASE("AdaFace keeps running statistics of the labeled rows' norms") {
  Problem p = naive::random_problem(4, 3, 7, 6);
  p.head.margin = AdaFaceConfig{};
  Head head = head_of(p);
  CHECK(at::equal(head.margin_state(), at::tensor({20.0, 100.0}, at::kDouble)));
  run(head, p);
  const at::Tensor norms = p.embeddings.narrow(0, 0, 4).norm(2, {1});
  CHECK(head.margin_state()[0].item<double>() == Approx(0.99 * 20 + 0.01 * norms.mean().item<double>()));
  CHECK(head.margin_state()[1].item<double>() == Approx(0.99 * 100 + 0.01 * norms.std().item<double>()));

  Problem other = naive::random_problem(4, 3, 7, 6);
  Head without = head_of(other);
  CHECK_FALSE(without.margin_state().defined());
}

TEST_CASE("centers start at N(0, 0.01), a function of seed and class alone") {
  Head head({}, UirReduction::kMean, 500, 64, 3, std::make_shared<Communicator>(), at::kCPU);
  Head smaller({}, UirReduction::kMean, 20, 64, 3, std::make_shared<Communicator>(), at::kCPU);
  Head other({}, UirReduction::kMean, 20, 64, 4, std::make_shared<Communicator>(), at::kCPU);
  const at::Tensor centers = head.centers().detach();
  CHECK(centers.sizes() == at::IntArrayRef({500, 64}));
  CHECK(centers.mean().item<float>() == Approx(0).margin(2e-4));
  CHECK(centers.std().item<float>() == Approx(0.01).epsilon(0.02));
  CHECK(at::equal(centers.narrow(0, 0, 20), smaller.centers().detach()));
  CHECK_FALSE(at::equal(other.centers().detach(), smaller.centers().detach()));
  CHECK(head.num_classes() == 500);
}

TEST_CASE("what the head refuses") {
  const auto refusal = [](const std::function<void()>& call, uir::ErrorKind kind) -> std::string {
    try {
      call();
    } catch (const uir::Error& error) {
      CHECK(error.kind() == kind);
      return error.what();
    }
    return "accepted";
  };
  using uir::ErrorKind;
  const auto alone = std::make_shared<Communicator>();
  Problem p = naive::random_problem(3, 2, 7, 6);
  Head head = head_of(p);
  const auto with_label = [&](int64_t label) {
    p.labels[1] = label;
    run(head, p);
  };
  CHECK_THAT(refusal([&] { with_label(7); }, ErrorKind::kData),
             contains_text("row 1 of the batch: label 7 is outside [0, 7)"));
  CHECK_THAT(refusal([&] { with_label(-1); }, ErrorKind::kData), contains_text("label -1 is outside [0, 7)"));
  CHECK_FALSE(head.centers().grad().defined());
  p.labels[1] = 0;

  const auto step = [&](const at::Tensor& x, const at::Tensor& labels, int64_t count) {
    return [=, &head] { head.loss_and_gradients(x, labels, {count, 0.1}); };
  };
  CHECK_THAT(refusal(step(p.embeddings.to(at::kFloat), p.labels, 3), ErrorKind::kInternal),
             contains_text("one type"));
  CHECK_THAT(refusal(step(p.embeddings.narrow(1, 0, 5), p.labels, 3), ErrorKind::kInternal),
             contains_text("[B, D]"));
  CHECK_THAT(refusal(step(p.embeddings, p.labels, 2), ErrorKind::kInternal), contains_text("[num_labeled]"));
  CHECK_THAT(refusal(step(p.embeddings.narrow(0, 0, 2), p.labels, 3), ErrorKind::kInternal),
             contains_text("at most"));

  CHECK_THAT(refusal([&] { Head({}, UirReduction::kMean, 0, 6, 1, alone, at::kCPU); }, ErrorKind::kData),
             contains_text("no labeled class"));
  uir::HeadConfig steep;
  steep.scale = 700;
  CHECK_THAT(refusal([&] { Head(steep, UirReduction::kMean, 5, 6, 1, alone, at::kCPU); }, ErrorKind::kConfig),
             contains_text("head.scale: 700"));
}

TEST_CASE("class ranges cover all classes, the first ranks one more") {
  for (int64_t classes : {1, 2, 7, 12}) {
    for (int64_t ranks : {1, 2, 3, 4}) {
      int64_t begin = 0;
      for (int64_t rank = 0; rank < ranks; ++rank) {
        const uir::RowRange range = uir::class_range(classes, rank, ranks);
        CHECK(range.begin == begin);
        CHECK(range.size() == classes / ranks + (rank < classes % ranks));
        begin = range.end;
      }
      CHECK(begin == classes);
    }
  }
}

namespace {

// What each rank got, by rank.
struct RankResults {
  explicit RankResults(int64_t ranks)
      : losses(ranks), centers_gradients(ranks), states(ranks), bests(ranks) {}
  std::vector<HeadLoss> losses;
  std::vector<at::Tensor> centers_gradients, states, bests;
};

// The rows of all ranks' [B, …] tensors in the order of the whole problem.
at::Tensor joined(const std::vector<at::Tensor>& parts, int64_t labeled) {
  std::vector<at::Tensor> blocks;
  for (const at::Tensor& part : parts) blocks.push_back(part.narrow(0, 0, labeled));
  for (const at::Tensor& part : parts) blocks.push_back(part.narrow(0, labeled, part.size(0) - labeled));
  return at::cat(blocks);
}

std::vector<Problem> sharded_problems(int64_t ranks) {
  std::vector<Problem> problems;
  for (int64_t classes : {2, 7, 30}) {
    for (const auto& [labeled, unlabeled] : {std::array{3, 2}, std::array{2, 0}, std::array{0, 2}}) {
      for (UirReduction reduction : {UirReduction::kReleased, UirReduction::kMean}) {
        for (const Margin& margin :
             {arcface(MarginGradient::kExact), Margin(AdaFaceConfig{0.4, 0.333, 0.5})}) {
          Problem p = naive::random_problem(labeled * ranks, unlabeled * ranks, classes, 6);
          p.head.margin = margin;
          p.head.class_tile = 4;
          p.reduction = reduction;
          problems.push_back(p);
        }
      }
    }
  }
  return problems;
}

void check_shards(const Problem& p, const RankResults& results, int64_t ranks) {
  CAPTURE(ranks, p.centers.size(0), p.num_labeled(), static_cast<int>(p.reduction), p.head.margin.index());
  Head whole = head_of(p);
  const HeadLoss expected = run_and_measure(whole, p);
  std::vector<at::Tensor> gradients;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    const HeadLoss& loss = results.losses[rank];
    CHECK(loss[uir::kLabeledLoss] == Approx(expected[uir::kLabeledLoss]).epsilon(1e-12).margin(1e-12));
    CHECK(loss[uir::kUirLoss] == Approx(expected[uir::kUirLoss]).epsilon(1e-12).margin(1e-12));
    CHECK(loss[uir::kCorrect] == expected[uir::kCorrect]);
    CHECK(loss[uir::kCorrectWithMargin] == expected[uir::kCorrectWithMargin]);
    CHECK(loss.num_labeled == expected.num_labeled);
    CHECK(loss.num_unlabeled == expected.num_unlabeled);
    CHECK(error_of(loss.gradient_squares, expected.gradient_squares) < 1e-12);
    gradients.push_back(loss.embeddings_gradient);
    if (whole.margin_state().defined()) CHECK(error_of(results.states[rank], whole.margin_state()) < 1e-13);
  }
  const int64_t labeled = p.num_labeled() / ranks;
  CHECK(error_of(joined(gradients, labeled), expected.embeddings_gradient) < 1e-12);
  CHECK(error_of(at::cat(results.centers_gradients), whole.centers().grad()) < 1e-12);
  CHECK(at::allclose(joined(results.bests, labeled), best_classes(whole, p), 1e-6));
}

}  // namespace

TEST_CASE("shards: same loss and same gradients as one rank") {
  const int64_t ranks = GENERATE(1, 2, 3, 4);  // of 2, 7 and 30 classes
  const std::vector<Problem> problems = sharded_problems(ranks);
  std::vector<RankResults> results(problems.size(), RankResults(ranks));
  run_ranks(ranks, [&](std::shared_ptr<const Communicator> communicator) {
    const int64_t rank = communicator->rank();
    for (size_t i = 0; i < problems.size(); ++i) {
      const Problem part = part_of(problems[i], rank, ranks);
      Head head = head_of(part, communicator);
      results[i].losses[rank] = run_and_measure(head, part);
      results[i].bests[rank] = best_classes(head, part, communicator);
      results[i].centers_gradients[rank] = head.centers().grad();
      results[i].states[rank] = head.margin_state();
    }
  });
  for (size_t i = 0; i < problems.size(); ++i) check_shards(problems[i], results[i], ranks);
}
