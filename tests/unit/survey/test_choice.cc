// From a survey to an experiment that can be read.
#include "uir/survey/choice.h"

#include <algorithm>
#include <set>

#include "support/catch.h"
#include "support/errors.h"
#include "uir/base/error.h"

using namespace uir;

namespace {

const Machine kLaptop{.processors = 4, .memory_bytes = 16e9};

FoundSource people(const std::string& path, Role role, int64_t people, int64_t images_each) {
  FoundSource found;
  found.path = path;
  found.source.role = role;
  found.source.kind = FolderSource{{path}, {}};
  found.what = "folder of people";
  found.people = people;
  found.images = people * images_each;
  found.people_of_two = images_each >= 2 ? people : 0;
  found.images_of_three = images_each >= 3 ? found.images : 0;
  for (int64_t i = 0; i < people; ++i) found.in_folders.push_back({"p" + std::to_string(i), images_each});
  return found;
}

FoundSource strangers(const std::string& path, int64_t images) {
  FoundSource found;
  found.path = path;
  found.source.role = Role::kUnlabeled;
  found.source.kind = FolderSource{{path}, {}};
  found.what = "folder of images";
  found.images = images;
  return found;
}

// The experiment as uir-train would read it.
Experiment experiment_of(const Choice& choice, const Machine& machine = kLaptop) {
  return parse_experiment(experiment_text(choice, machine, "/data/exp.yaml"), "exp.yaml", "/data");
}

bool measures(const Choice& choice, const std::string& options) {
  return std::ranges::any_of(choice.protocols, [&](const PlannedProtocol& p) {
    return p.options.find(options) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("Without test data people are spared, and nobody is in both lists", "[survey]") {
  const Choice choice = choose_experiment(
      {{people("/data/faces", Role::kLabeled, 40, 10), strangers("/data/web", 500)}, {}, {}}, kLaptop,
      "/data/exp.yaml");
  REQUIRE(choice.lists.size() == 2);
  CHECK(choice.lists[0].path == "/data/exp.faces.lst");
  CHECK(choice.lists[1].path == "/data/exp.faces_test.lst");
  std::set<std::string> all(choice.lists[0].people.begin(), choice.lists[0].people.end());
  CHECK(all.size() == 32);
  all.insert(choice.lists[1].people.begin(), choice.lists[1].people.end());
  CHECK(all.size() == 40);
  const Experiment experiment = experiment_of(choice);
  REQUIRE(experiment.data.sources.size() == 3);
  CHECK(std::get<ListSource>(experiment.data.sources[0].kind).root.value == "/data/faces");
  CHECK(experiment.data.sources[0].held_out > 0);
  CHECK(experiment.paths.run.value == "/data/runs/exp");
  CHECK(experiment.train.batch.unlabeled > 0);
  CHECK(experiment.train.batch.labeled <= choice.train_images);
  CHECK(measures(choice, "all_pairs, set: faces_test"));
  CHECK(measures(choice, "known: [faces.held_out], strangers: [faces_test]"));
  CHECK(choice.seconds > 0);
  CHECK(choice_report(choice, "exp.yaml")
            .find("uir-train exp.yaml && uir-extract exp.yaml && uir-eval exp.yaml") != std::string::npos);
}

TEST_CASE("The experiment says what was chosen, whatever the data", "[survey]") {
  for (const int64_t count : {2, 9, 50, 2000, 30'000, 200'000}) {
    for (const bool cuda : {false, true}) {
      const Machine machine{.processors = 2, .memory_bytes = 8e9, .cuda = cuda};
      const Choice choice = choose_experiment(
          {{people("/my faces/\"x\"", Role::kLabeled, count, 5), people("/data/test", Role::kTest, 20, 4)},
           {},
           {}},
          machine, "/data/exp.yaml");
      CHECK(choice.lists.empty());
      const Experiment experiment = experiment_of(choice, machine);
      CHECK(std::get<FolderSource>(experiment.data.sources[0].kind).root.value == "/my faces/\"x\"");
      CHECK(std::get<FolderSource>(experiment.data.sources[1].kind).root.value == "/data/test");
      CHECK(experiment.model == choice.settings.model);
      CHECK(experiment.head.scale == choice.settings.head.scale);
      CHECK(experiment.train.epochs == choice.settings.train.epochs);
      CHECK(experiment.train.batch.labeled == choice.settings.train.batch.labeled);
      CHECK(experiment.train.batch.unlabeled == 0);
      CHECK(experiment.train.schedule.base_lr == choice.settings.train.schedule.base_lr);
      CHECK(experiment.train.batch.labeled <= choice.train_images);
      if (!cuda) CHECK(choice.memory_bytes <= 8e9);
      CHECK((choice.seconds == 0) == cuda);
    }
  }
}

TEST_CASE("Too few people to spare some: held-out images, and a word about it", "[survey]") {
  const Choice choice =
      choose_experiment({{people("/data/faces", Role::kLabeled, 4, 30)}, {}, {}}, kLaptop, "/data/exp.yaml");
  CHECK(choice.lists.empty());
  CHECK(measures(choice, "set: faces.held_out"));
  REQUIRE(choice.notes.size() == 1);
  CHECK(experiment_text(choice, kLaptop, "/data/exp.yaml").find("kinder than those of strangers") !=
        std::string::npos);
}

TEST_CASE("Nobody is spared whom another folder trains on", "[survey]") {
  const Choice choice = choose_experiment(
      {{people("/data/a", Role::kLabeled, 40, 10), people("/data/b", Role::kLabeled, 15, 3)}, {}, {}},
      kLaptop, "/data/exp.yaml");
  REQUIRE(choice.lists.size() == 2);
  for (const std::string& person : choice.lists[1].people) CHECK(std::stoi(person.substr(1)) >= 15);
}

TEST_CASE("What could not be measured is refused before it is trained", "[survey]") {
  const auto error = error_of([] {
    choose_experiment({{people("/data/faces", Role::kLabeled, 2, 3)}, {}, {}}, kLaptop, "/data/exp.yaml");
  });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
}

TEST_CASE("Networks: ours are trained on, others embed", "[survey]") {
  const FoundNetwork other{"/data/y1.onnx", "y1.onnx: ONNX network", {}};
  const FoundNetwork ours{"/data/net.onnx", "net.onnx: ONNX network",
                          ModelConfig{MobileFaceNetConfig{.embedding_size = 32}}};
  const std::vector<FoundSource> photos{people("/data/faces", Role::kLabeled, 40, 10),
                                        strangers("/data/web", 50)};
  const Choice embeds = choose_experiment({photos, {other}, {}}, kLaptop, "/data/exp.yaml");
  CHECK_FALSE(embeds.trains);
  CHECK(experiment_of(embeds).extract.weights.value == "/data/y1.onnx");
  REQUIRE(experiment_of(embeds).data.sources.size() == 2);  // strangers too, for thresholds
  CHECK(experiment_of(embeds).data.sources[1].role == Role::kTest);
  CHECK(choice_report(embeds, "/data/exp.yaml")
            .find("calibrate /data/exp.yaml --known faces --strangers web") != std::string::npos);
  CHECK(embeds.notes.size() == 1);
  const Choice starts = choose_experiment({photos, {other, ours}, {}}, kLaptop, "/data/exp.yaml");
  CHECK(starts.trains);
  CHECK(experiment_of(starts).train.init.from.value == "/data/net.onnx");
  CHECK(experiment_of(starts).model == *ours.config);
  const Choice tests =
      choose_experiment({{people("/data/test", Role::kTest, 5, 5)}, {ours}, {}}, kLaptop, "/data/exp.yaml");
  CHECK_FALSE(tests.trains);
}

TEST_CASE("What nothing can be made of is refused", "[survey]") {
  const auto choose = [](Survey survey) { choose_experiment(std::move(survey), kLaptop, "/data/exp.yaml"); };
  CHECK(fails_with(ErrorKind::kData, [&] { choose({{strangers("/data/web", 50)}, {}, {}}); }));
  CHECK(fails_with(ErrorKind::kData, [&] { choose(Survey{}); }));
  const FoundNetwork network{"/data/y1.onnx", "y1.onnx", {}};
  CHECK(fails_with(ErrorKind::kData, [&] {
    choose({{people("/data/a", Role::kLabeled, 9, 1)}, {network}, {}});
  }));
  const Choice odd =
      choose_experiment({{people("/data/\xe9", Role::kLabeled, 4, 30)}, {}, {}}, kLaptop, "/data/exp.yaml");
  CHECK(fails_with(ErrorKind::kData, [&] { experiment_text(odd, kLaptop, "/data/exp.yaml"); }));
}
