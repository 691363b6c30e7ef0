// What --estimate reads and says. tests/cli/estimate.sh runs the program.
#include "support/catch.h"
#include "support/errors.h"
#include "uir/plan/estimate.h"

using namespace uir;

namespace {

std::string report(const Experiment& experiment, const DataCounts& data, const std::string& cluster) {
  return estimate_report(experiment, {data, "(given)"}, parse_cluster(cluster));
}
bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

Experiment iresnet50(int64_t labeled, int64_t unlabeled) {
  Experiment experiment;
  experiment.model.backbone = IResNetConfig{.depth = 50};
  experiment.train.batch = {labeled, unlabeled, 1};
  return experiment;
}

}  // namespace

TEST_CASE("machines are described as memory, ranks x memory, or machines x ranks x memory") {
  CHECK(parse_cluster("80GB").memory_bytes == 80e9);
  CHECK(parse_cluster("80GB").ranks() == 1);
  CHECK(parse_cluster("8x80GiB").memory_bytes == 80.0 * 1024 * 1024 * 1024);
  CHECK(parse_cluster("8x80GiB").ranks() == 8);
  const Cluster two = parse_cluster("2x8x1.5TB");
  CHECK(two.machines == 2);
  CHECK(two.ranks_per_machine == 8);
  CHECK(two.memory_bytes == 1.5e12);
  CHECK(parse_cluster("512MiB").memory_bytes == 512.0 * 1024 * 1024);
}

TEST_CASE("any other description is refused, naming the forms") {
  for (const char* text : {"",
                           "x",
                           "8x",
                           "80",
                           "x80GB",
                           "8*80GB",
                           "0x80GB",
                           "-1x80GB",
                           "8x-1GB",
                           "8x0GB",
                           "infGB",
                           "nanGB",
                           "1x2x3x4GB",
                           "8x80gb",
                           "8x80G",
                           "8x80 GB",
                           " 80GB",
                           "80GB ",
                           "1.5x80GB",
                           "9999999x80GB",
                           "99999999999999999999x80GB",
                           "1048576x2x1GB"}) {
    INFO(text);
    const auto error = error_of([&] { parse_cluster(text); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::kUsage);
    CHECK(holds(error->what(), std::string("'") + text + "'"));
    CHECK(holds(error->what(), "8x80GB (ranks x memory of each) or 2x8x80GB"));
  }
}

TEST_CASE("what fits is said to fit, what does not gets advice that does") {
  const DataCounts data{1'000'000, 20'000'000, 0};
  const std::string small = report(iresnet50(1024, 256), data, "8x80GB");
  CHECK(holds(small, "  fits: "));
  CHECK(holds(small, "8 ranks of 80.0 GB, CUDA devices (train.device: auto)"));
  CHECK(holds(small, "19,531 steps an epoch, 20 epochs: 390,620 steps"));
  CHECK_FALSE(holds(small, "what would help"));

  Experiment large = iresnet50(1024, 256);
  large.train.precision = Precision::kFloat32;
  const std::string tight = report(large, data, "8x8GB");
  CHECK(holds(tight, "DOES NOT FIT"));
  CHECK(holds(tight, "train.precision=bf16"));
  CHECK(holds(tight, "ranks of this memory"));
  // The advice is true: applied, it fits.
  const std::string name = "train.batch.accumulation=";
  REQUIRE(holds(tight, name));
  large.train.batch.accumulation = std::stoll(tight.substr(tight.find(name) + name.size()));
  CHECK(large.train.batch.accumulation > 1);
  CHECK(holds(report(large, data, "8x8GB"), "  fits"));
}

TEST_CASE("what only more ranks with a larger batch can hold is told so") {
  const std::string text = report(iresnet50(16, 0), {50'000'000, 100'000'000, 0}, "8x10GB");
  CHECK(holds(text, "DOES NOT FIT"));
  const std::string what = " ranks of this memory, with a batch of ";
  REQUIRE(holds(text, what));
  const size_t line = text.rfind('\n', text.find(what)) + 1;
  const int64_t ranks = std::stoll(text.substr(line));
  CHECK(
      holds(report(iresnet50(2 * ranks, 0), {50'000'000, 100'000'000, 0}, concat(ranks, "x10GB")), "  fits"));
  CHECK(holds(report(iresnet50(2 * ranks - 2, 0), {50'000'000, 100'000'000, 0}, concat(ranks - 1, "x10GB")),
              "DOES NOT FIT"));
}

TEST_CASE("a batch that the ranks cannot divide is told") {
  const std::string text = report(iresnet50(96, 32), {1000, 20'000, 0}, "10x80GB");
  CHECK(holds(text, "train.batch.labeled: 96 rows cannot be shared evenly by 10 ranks"));
  CHECK(holds(text, "90 or 100 can"));
  CHECK(holds(text, "train.batch.unlabeled: 32 rows"));
  CHECK(holds(report(iresnet50(1024, 0), {1000, 20, 0}, "1x80GB"), "no step: a batch of 1024 labeled rows"));
}

TEST_CASE("on CPUs there is one memory; of several devices it is said what stands behind the numbers") {
  Experiment experiment = iresnet50(96, 32);
  CHECK(holds(report(experiment, {1000, 20'000, 0}, "8x80GB"), "a device a rank (--nproc-per-node"));
  CHECK(holds(report(experiment, {1000, 20'000, 0}, "8x80GB"), "host memory of a rank"));
  experiment.train.device = "cpu";
  const std::string text = report(experiment, {1000, 20'000, 0}, "2x16GB");
  CHECK_FALSE(holds(text, "host memory"));
  CHECK_FALSE(holds(text, "a device a rank"));
  CHECK(holds(text, "(estimate, ± 15 %: at most "));
  CHECK(holds(report(iresnet50(96, 32), {1000, 20'000, 0}, "80GB"),
              "± 15 % on CPUs, on devices not yet measured"));
  CHECK(holds(text, "activations of 4 bytes"));
}

TEST_CASE("numbers that are given replace those of the index, which is not asked when none is missing") {
  int asked = 0;
  const auto index = [&] {
    ++asked;
    return DataCounts{10, 200, 30};
  };
  const PlannedData given = planned_data({5, 60}, index);
  CHECK(asked == 0);
  CHECK(given.from == "(as given)");
  CHECK(given.counts.classes == 5);
  CHECK(given.counts.labeled_images == 60);
  CHECK(given.counts.unlabeled_images == 0);
  const PlannedData both = planned_data({5, 0}, index);
  CHECK(asked == 1);
  CHECK(both.from == "(index, and as given)");
  CHECK(both.counts.classes == 5);
  CHECK(both.counts.labeled_images == 200);
  CHECK(both.counts.unlabeled_images == 30);
  CHECK(planned_data({0, 60}, index).counts.labeled_images == 60);
  CHECK(planned_data({}, index).from == "(index)");
}

TEST_CASE("data without labeled faces is refused") {
  CHECK(fails_with(ErrorKind::kConfig, [] { report(iresnet50(96, 32), {0, 0, 70}, "80GB"); }));
}

TEST_CASE("before a training starts: it fits, may not fit, cannot fit") {
  const TrainingPlan plan = training_plan(iresnet50(96, 32), {1'000'000, 10'000'000, 0}, 1);
  const double centers = 1e6 * 512 * 4 * 3, all = total(memory_of_rank(plan).device);
  CHECK(class_center_bytes(plan) == centers);
  CHECK(memory_warning(plan, "cuda:1", all).empty());
  const std::string warning = memory_warning(plan, "cuda:1", 0.9 * all);
  CHECK(holds(warning, "of cuda:1, which has"));
  CHECK(holds(warning, "ranks"));  // of the advice
  const auto refusal = error_of([&] { memory_warning(plan, "cuda:1", 0.9 * centers); });
  REQUIRE(refusal);
  CHECK(refusal->kind() == ErrorKind::kConfig);
  CHECK(holds(refusal->what(), "take 6.14 GB of a rank, but cuda:1 has 5.53 GB free"));
}
