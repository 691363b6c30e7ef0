#include "uir/survey/choice.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "uir/base/quoting.h"
#include "uir/plan/cost_model.h"
#include "uir/survey/collected.h"
#include "uir/survey/names.h"
#include "uir/survey/protocols_of.h"
#include "uir/survey/test_people.h"

namespace uir {
namespace {

// What a processor sustains in training, measured on those of docs/results.md within a factor of two.
constexpr double kOperationsPerSecond = 50e9;
constexpr double kMostSeconds =
    12 * 3600;  // of a training on CPUs; slower networks give way to narrower ones
constexpr double kShareOfMemory = 0.7;
constexpr int64_t kManyPeople = 10'000;  // from here on the recipes of large public sets
constexpr int64_t kSeenImages = 40'000;  // labeled ones in a whole training of few

struct Batch {
  int64_t from_images, labeled, unlabeled;
  double rate;
};
constexpr std::array kBatches{Batch{5000, 96, 32, 0.1}, Batch{1000, 48, 16, 0.1}, Batch{100, 24, 8, 0.05},
                              Batch{0, 8, 4, 0.02}};

class Chooser {
 public:
  Chooser(Survey survey, const Machine& machine, const fs::path& file)
      : survey_(std::move(survey)), machine_(machine), file_(file) {
    choice_.sources = std::move(survey_.sources);
    choice_.left_out = std::move(survey_.left_out);
  }

  Choice choose() {
    network();
    roles();
    if (choice_.trains && std::ranges::none_of(choice_.sources, can_be_measured))
      split_off_test_people(choice_);
    names();
    write_lists();
    choose_protocols(choice_);
    if (choice_.protocols.empty()) refuse_without_numbers();
    if (std::ranges::all_of(choice_.protocols, &PlannedProtocol::is_of_centers)) refuse_few_images();
    if (choice_.trains) training();
    sizes();
    return std::move(choice_);
  }

 private:
  Experiment& settings() { return choice_.settings; }
  TrainConfig& train() { return choice_.settings.train; }

  bool has_role(Role role) const {
    return std::ranges::any_of(choice_.sources,
                               [role](const FoundSource& f) { return f.source.role == role; });
  }

  // The first one that can be trained, else the first; others are left out.
  void network() {
    std::vector<FoundNetwork>& networks = survey_.networks;
    if (networks.empty()) return;
    const auto trainable =
        std::ranges::find_if(networks, [](const FoundNetwork& n) { return n.config.has_value(); });
    const auto chosen =
        trainable != networks.end() && has_role(Role::kLabeled) ? trainable : networks.begin();
    choice_.network = chosen->path;
    choice_.network_what = chosen->what;
    choice_.trains = chosen->config && has_role(Role::kLabeled);
    if (choice_.trains) settings().model = *chosen->config;
    if (!chosen->config && has_role(Role::kLabeled))
      note(concat(
          chosen->path.string(),
          ": none of our networks, so it embeds the people and nothing is trained; to train, leave it out"));
    for (auto other = networks.begin(); other != networks.end(); ++other) {
      if (other != chosen) leave_out(other->path, "another network is taken; name one at a time");
    }
  }

  void leave_out(const fs::path& path, const std::string& why) {
    choice_.left_out.push_back(concat(path.string(), ": ", why));
  }

  void roles() {
    if (choice_.trains && !has_role(Role::kLabeled)) refuse_without_people();
    if (choice_.trains) return;
    for (FoundSource& found : choice_.sources) {
      if (found.source.role == Role::kUnlabeled) test_strangers(found);
      found.source.role = Role::kTest;
    }
  }

  // Nobody trains with them, but thresholds are found on them. A folder of test people is one of folders.
  static void test_strangers(FoundSource& found) {
    if (!std::holds_alternative<FolderSource>(found.source.kind)) return;
    found.to_write = ListToWrite::kImages;
    found.source.kind = ListSource{{}, {found.path.string()}, ListFormat::kPath, {}};
  }

  [[noreturn]] void refuse_without_people() const {
    std::string found;
    for (const FoundSource& source : choice_.sources)
      found +=
          concat("; ", source.path.string(), " is a ", source.what, " (", enum_name(source.source.role), ")");
    for (const std::string& left_out : choice_.left_out) found += "; left out " + left_out;
    fail(ErrorKind::kData, "no people to train on, and no network to embed with",
         found.empty() ? std::string("; nothing was found in the data") : found,
         ". Name a folder with one folder per person, or an ONNX network, or say of a path what it is: --as "
         "labeled PATH");
  }

  [[noreturn]] static void refuse_few_images() {
    fail(ErrorKind::kData,
         "nothing could be measured: there is no test set, and too few images to hold some out for one (of "
         "people with three or more, some tens are needed); add images, or a folder of other people, named "
         "test");
  }

  [[noreturn]] static void refuse_without_numbers() {
    fail(ErrorKind::kData,
         "nothing can be measured: there are no people with two or more images, and no published test set; "
         "name a folder with one folder per person");
  }

  static std::string stem_of(const FoundSource& found) {
    const bool is_file = std::holds_alternative<RecordIoSource>(found.source.kind) ||
                         std::holds_alternative<BinSource>(found.source.kind) ||
                         std::holds_alternative<WebdatasetSource>(found.source.kind) ||
                         (std::holds_alternative<ListSource>(found.source.kind) &&
                          found.path.has_extension() && found.to_write == ListToWrite::kNone);
    if (!is_file) return found.path.filename().string();
    const std::string stem = found.path.stem().string();
    if (stem == "train") return found.path.parent_path().filename().string();
    if (std::holds_alternative<WebdatasetSource>(found.source.kind))
      return stem.substr(0, stem.find_last_not_of("0123456789-_.") + 1);
    return stem.substr(0, stem.find("-00000-of-"));
  }

  void names() {
    std::set<std::string> taken;
    for (FoundSource& found : choice_.sources) {
      const bool spared = found.to_write == ListToWrite::kPeople && found.source.role == Role::kTest;
      const std::string name = source_name(stem_of(found) + (spared ? "_test" : ""));
      found.source.name = name;
      for (int i = 2; !taken.insert(found.source.name).second; ++i) found.source.name = concat(name, '_', i);
    }
  }

  void write_lists() {
    for (FoundSource& found : choice_.sources) {
      if (found.to_write == ListToWrite::kNone) continue;
      auto& list = std::get<ListSource>(found.source.kind);
      fs::path path = file_;
      path.replace_extension(found.source.name + ".lst");
      list.list.value = path.string();
      PlannedList planned{path, found.to_write, list.root.value};
      for (const FoundPerson& person : found.in_folders) planned.people.push_back(person.name);
      choice_.lists.push_back(std::move(planned));
    }
  }

  // --- Training --------------------------------------------------------------------------------------------

  void count_training() {
    double images = 0, strangers = 0;
    for (const FoundSource& found : choice_.sources) {
      const double held_out = found.source.held_out;
      if (found.source.role == Role::kLabeled) {
        images += static_cast<double>(found.images) - held_out * static_cast<double>(found.images_of_three);
        choice_.train_people += found.people;
      } else if (found.source.role == Role::kUnlabeled) {
        strangers += static_cast<double>(found.images) * (1 - held_out);
      }
    }
    choice_.train_images = static_cast<int64_t>(images);
    choice_.strangers = static_cast<int64_t>(strangers);
  }

  void training() {
    count_training();
    train().device = machine_.cuda ? "cuda" : "cpu";  // of the estimate; the file says auto
    batch();
    schedule();
    losses();
    if (choice_.network.empty()) choose_model();
    fit_memory();
    const TrainingPlan plan = this->plan();
    choice_.steps = std::max<int64_t>(plan.steps_per_epoch(), 1) * train().epochs;
    choice_.memory_bytes = total(memory_of_rank(plan).device);
    choice_.seconds = machine_.cuda ? 0 : seconds_of(plan);
    watch();
  }

  TrainingPlan plan() const {
    return training_plan(choice_.settings, {choice_.train_people, choice_.train_images, choice_.strangers},
                         1);
  }

  double seconds_of(const TrainingPlan& plan) const {
    const double rate = kOperationsPerSecond * static_cast<double>(machine_.processors);
    const double steps = static_cast<double>(plan.steps_per_epoch() * plan.epochs);
    return total(operations_of_rank(plan)) / rate * steps;
  }

  bool many() const { return choice_.train_people >= kManyPeople; }

  void batch() {
    const auto fitting = std::ranges::find_if(
        kBatches, [this](const Batch& b) { return choice_.train_images >= b.from_images; });
    train().batch.labeled = std::min(fitting->labeled, std::max<int64_t>(choice_.train_images / 2, 2));
    train().batch.unlabeled = choice_.strangers > 0 ? fitting->unlabeled : 0;
    train().schedule.base_lr = fitting->rate;
    if (many() && machine_.cuda) train().batch.labeled = 128;
    if (many()) train().schedule.base_lr = 0.02;
    if (!choice_.network.empty()) train().schedule.base_lr /= 10;
  }

  void schedule() {
    if (!many()) train().schedule.decay = CosineDecay{};
    train().schedule.warmup_epochs = 1;
    const int64_t passes = kSeenImages / std::max<int64_t>(choice_.train_images, 1);
    train().epochs = many() && machine_.cuda ? 20 : std::clamp<int64_t>(passes, 10, 40);
  }

  void losses() {
    if (many()) return;
    settings().head.margin = CombinedMarginConfig{.m2 = 0.3};
    settings().head.scale = 32;
    settings().uir.weight = 1;
  }

  void use_width(double width) {
    const int64_t size = width >= 1 ? 512 : width >= 0.5 ? 256 : 128;
    settings().model.backbone = MobileFaceNetConfig{.width = width, .embedding_size = size};
  }

  void choose_model() {
    const int64_t images = choice_.train_images;
    if (machine_.cuda && images >= 500'000) {
      settings().model.backbone = IResNetConfig{.depth = images >= 3'000'000 ? 100 : 50};
      return;
    }
    for (const double width : {1.0, 0.5, 0.25}) {
      if (images < (width == 1 ? 20'000 : width == 0.5 ? 2'000 : 0)) continue;
      use_width(width);
      if (machine_.cuda || seconds_of(plan()) <= kMostSeconds) return;
    }
  }

  void fit_memory() {
    if (machine_.cuda || machine_.memory_bytes <= 0) return;
    BatchConfig& batch = train().batch;
    while (total(memory_of_rank(plan()).device) > kShareOfMemory * machine_.memory_bytes &&
           batch.labeled >= 8 && batch.labeled % 2 == 0 && batch.unlabeled % 2 == 0) {
      batch.labeled /= 2;
      batch.unlabeled /= 2;
    }
  }

  // About ten verifications and four checkpoints in a run.
  void watch() {
    train().verification.protocols = choice_.watched;
    if (!choice_.watched.empty()) train().verification.every_steps = std::max<int64_t>(choice_.steps / 10, 1);
    train().checkpoint.every_steps = std::clamp<int64_t>(choice_.steps / 4, 1, 2000);
  }

  void note(const std::string& words) {
    if (std::ranges::find(choice_.notes, words) == choice_.notes.end()) choice_.notes.push_back(words);
  }

  void sizes() {
    for (const FoundSource& found : choice_.sources) {
      if (!found.size || *found.size == ImageSize{112, 112}) continue;
      const auto [width, height] = *found.size;
      note(concat(
          found.path.string(), ": images of ", width, "x", height,
          " are stretched to 112x112; unless they are that crop in another size, align them first, and name "
          "what comes out: uir-index align ",
          shell_quoted(found.path.string()), " --detector yunet.onnx --out ",
          shell_quoted((found.path.parent_path() / (found.path.filename().string() + "_112")).string()),
          " (where detectors come from: docs/curation.md)"));
    }
  }

  Survey survey_;
  const Machine& machine_;
  fs::path file_;
  Choice choice_;
};

}  // namespace

Choice choose_experiment(Survey survey, const Machine& machine, const fs::path& file) {
  return Chooser(std::move(survey), machine, file).choose();
}

}  // namespace uir
