// An experiment as commented YAML, and what was chosen as lines for people.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "uir/base/quoting.h"
#include "uir/base/text.h"
#include "uir/survey/choice.h"
#include "uir/survey/collected.h"

namespace uir {
namespace {

constexpr size_t kShownLeftOut = 5;

// A path or a name in YAML: as it is, or in double quotes.
std::string yaml_text(const std::string& text) {
  if (!is_utf8(text))
    fail(ErrorKind::kData, readable(text),
         ": this name is no UTF-8, which YAML files are made of; rename it");
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos && text[0] != '-') return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

// "about 4 min"
std::string duration(double seconds) {
  if (seconds < 90) return "about a minute";
  if (seconds < 5400) return concat("about ", std::lround(seconds / 60), " min");
  if (seconds < 2 * 86400) return concat("about ", std::lround(seconds / 3600), " h");
  return concat("about ", std::lround(seconds / 86400), " days");
}

std::string network_name(const ModelConfig& model) {
  if (const auto* iresnet = std::get_if<IResNetConfig>(&model.backbone))
    return concat("IResNet-", iresnet->depth, ", embeddings of ", iresnet->embedding_size);
  const auto& mobile = std::get<MobileFaceNetConfig>(model.backbone);
  return concat("MobileFaceNet of width ", number(mobile.width), ", embeddings of ", mobile.embedding_size);
}

std::string model_section(const ModelConfig& model) {
  if (const auto* iresnet = std::get_if<IResNetConfig>(&model.backbone)) {
    return concat("{type: iresnet, depth: ", iresnet->depth, ", width: ", number(iresnet->width),
                  ", embedding_size: ", iresnet->embedding_size, "}");
  }
  const auto& mobile = std::get<MobileFaceNetConfig>(model.backbone);
  return concat("{type: mobilefacenet, ", mobile.large ? "large: true, " : "",
                "width: ", number(mobile.width), ", embedding_size: ", mobile.embedding_size, "}");
}

class Text {
 public:
  Text(const Choice& choice, const Machine& machine, const fs::path& file)
      : choice_(choice), machine_(machine), folder_(file.parent_path()), run_(file.stem().string()) {}

  std::string write() {
    head();
    for (const std::string& words : choice_.notes) comment("Note: " + words);
    line("paths: {run: ", yaml_text("runs/" + run_), "}");
    data();
    if (choice_.trains) training();
    if (!choice_.trains) extraction();
    measurements();
    return std::move(text_);
  }

 private:
  template <class... Parts>
  void line(const Parts&... parts) {
    text_ += concat(parts...) + "\n";
  }
  void comment(const std::string& words, const char* indent = "") { line(indent, "# ", readable(words)); }

  // Relative to the file where it lies below its folder.
  std::string path(const fs::path& path) const {
    const fs::path relative = path.lexically_relative(folder_);
    const bool below = !relative.empty() && *relative.begin() != "..";
    return yaml_text((below ? relative : path).string());
  }

  void head() {
    comment(
        "Written by uir-index new from what it found. All options: docs/config.md; its rules: docs/new.md.");
    const std::string machine = concat(count_of(machine_.processors, "processor", "processors"), ", ",
                                       std::lround(machine_.memory_bytes / 1e9), " GB of memory",
                                       machine_.cuda ? ", a CUDA device" : "");
    if (!choice_.trains) return comment("Nothing is trained: uir-extract and uir-eval read this file.");
    comment(concat("Training here (", machine, "): ", count_of(choice_.steps, "step", "steps"), ", ",
                   choice_.seconds > 0 ? duration(choice_.seconds) + " (within a factor of two)"
                                       : std::string("the time on this device is not known"),
                   ", ", number(choice_.memory_bytes / 1e9), " GB of memory."));
  }

  void data() {
    text_ += "\n";
    line("data:");
    line("  sources:");
    for (const FoundSource& found : choice_.sources) source(found);
    for (const std::string& words : choice_.left_out) comment("left out: " + words, "  ");
  }

  void source(const FoundSource& found) {
    comment(found.what + (found.guess.empty() ? "" : ": " + found.guess), "    ");
    std::string options = concat("name: ", found.source.name, ", role: ", enum_name(found.source.role), ", ");
    std::visit([&](const auto& kind) { options += options_of(kind); }, found.source.kind);
    if (found.source.held_out > 0) options += ", held_out: " + number(found.source.held_out);
    line("    - {", options, "}");
  }

  std::string options_of(const FolderSource& c) const { return "type: folder, root: " + path(c.root.value); }
  std::string options_of(const ListSource& c) const {
    return concat("type: list, list: ", path(c.list.value), ", root: ", path(c.root.value),
                  ", format: ", enum_name(c.format));
  }
  std::string options_of(const RecordIoSource& c) const {
    return "type: recordio, rec: " + path(c.rec.value);
  }
  std::string options_of(const BinSource& c) const { return "type: bin, file: " + path(c.file.value); }
  std::string options_of(const VideosSource& c) const {
    return concat("type: videos, root: ", path(c.root.value), ", frames_per_second: ", c.frames_per_second);
  }
  std::string options_of(const WebdatasetSource& c) const {
    return concat("type: webdataset, shards: ", path(c.shards.value), ", label: ", enum_name(c.label),
                  c.label == SampleLabel::kJson ? ", json_field: " + yaml_text(c.json_field) : "");
  }
  template <class Other>
  std::string options_of(const Other&) const {
    fail(ErrorKind::kInternal, "a survey finds no ", Other::kType);
  }

  void training() {
    const TrainConfig& train = choice_.settings.train;
    text_ += "\n";
    if (choice_.network.empty())
      comment(concat("For ", count_of(choice_.train_images, "image", "images"), " of ",
                     count_of(choice_.train_people, "person", "people"), machine_.cuda ? "" : " on CPUs",
                     ": larger networks want more."));
    else
      comment("The network of the file that training starts from.");
    line("model: ", model_section(choice_.settings.model));
    losses();
    line("train:");
    if (!choice_.network.empty())
      line("  init: {from: ", path(choice_.network), "}  # hence a learning rate of a tenth");
    line("  epochs: ", train.epochs);
    line("  batch: {labeled: ", train.batch.labeled, ", unlabeled: ", train.batch.unlabeled, "}",
         train.batch.unlabeled == 0 ? "  # no strangers were found: no UIR loss" : "");
    line("  schedule: {type: ",
         std::holds_alternative<CosineDecay>(train.schedule.decay) ? "cosine" : "linear",
         ", base_lr: ", number(train.schedule.base_lr), ", warmup_epochs: 1}");
    comment("precision: auto (the default) is the fastest that is safe on the machine that trains.", "  ");
    if (!choice_.watched.empty()) {
      comment("Seen while training; test sets do not choose the checkpoint.", "  ");
      std::string names;
      for (const std::string& name : choice_.watched) names += (names.empty() ? "" : ", ") + name;
      line("  verification: {every_steps: ", train.verification.every_steps, ", protocols: [", names, "]}");
    }
    line("  checkpoint: {every_steps: ", train.checkpoint.every_steps, "}");
  }

  void losses() {
    const auto& margin = std::get<CombinedMarginConfig>(choice_.settings.head.margin);
    if (margin.m2 != CombinedMarginConfig{}.m2) {
      comment("A smaller margin and scale than the defaults, which are for tens of thousands of people.");
      line("head: {type: combined, m2: ", number(margin.m2), ", scale: ", number(choice_.settings.head.scale),
           "}");
    }
    if (choice_.settings.uir.weight != UirConfig{}.weight && choice_.settings.train.batch.unlabeled > 0)
      line("uir: {weight: ", number(choice_.settings.uir.weight), "}");
  }

  void extraction() {
    text_ += "\n";
    comment(choice_.network_what);
    line("extract: {weights: ", path(choice_.network), "}");
  }

  void measurements() {
    text_ += "\n";
    line("eval:");
    line("  protocols:");
    for (const PlannedProtocol& protocol : choice_.protocols) {
      line("    - {name: ", yaml_text(protocol.name), ", ", protocol.options,
           protocol.key.empty() ? "" : concat(", ", protocol.key, ": ", path(protocol.path)), "}");
    }
  }

  const Choice& choice_;
  const Machine& machine_;
  fs::path folder_;
  std::string run_;
  std::string text_;
};

// Of a network that is not trained: people whom it does not know, and strangers to them; empty: none.
std::pair<std::string, std::string> sets_of_thresholds(const Choice& choice) {
  std::string known, strangers;
  for (const FoundSource& found : choice.sources) {
    if (choice.trains || !found.protocols.empty()) continue;
    std::string& set = found.people_of_two >= 2 ? known : strangers;
    if (set.empty()) set = found.source.name;
  }
  return {known, strangers};
}

}  // namespace

std::string experiment_text(const Choice& choice, const Machine& machine, const fs::path& file) {
  return Text(choice, machine, file).write();
}

std::string choice_report(const Choice& choice, const fs::path& file) {
  std::string text;
  const auto line = [&text](const auto&... parts) { text += readable(concat(parts...)) + "\n"; };
  for (const FoundSource& found : choice.sources)
    line("found     ", found.path.string(), ": ", found.what, " -> ", enum_name(found.source.role));
  for (const FoundSource& found : choice.sources) {
    if (!found.guess.empty()) line("guessed   ", found.path.string(), ": ", found.guess);
  }
  for (const std::string& note : choice.notes) line("note      ", note);
  for (size_t i = 0; i < std::min(kShownLeftOut, choice.left_out.size()); ++i)
    line("left out  ", choice.left_out[i]);
  if (choice.left_out.size() > kShownLeftOut)
    line("left out  ", choice.left_out.size() - kShownLeftOut, " more: see the comments in the file");
  if (!choice.network.empty()) line("network   ", choice.network_what);
  if (choice.trains) {
    const TrainConfig& train = choice.settings.train;
    line("chosen    ", network_name(choice.settings.model), "; ", train.batch.labeled, " + ",
         train.batch.unlabeled, " faces a step, ", train.epochs, " epochs");
    line("expected  ", count_of(choice.steps, "step", "steps"), ", ",
         choice.seconds > 0 ? duration(choice.seconds) : std::string("time not known"), ", ",
         number(choice.memory_bytes / 1e9), " GB");
  }
  for (const PlannedList& list : choice.lists) line("wrote     ", list.path.string());
  line("wrote     ", file.string());
  const std::string of_file = " " + shell_quoted(file.string());
  line("next      ", choice.trains ? concat("uir-train", of_file, " && ") : "", "uir-extract", of_file,
       " && uir-eval", of_file);
  const auto [known, strangers] = sets_of_thresholds(choice);
  if (!known.empty() && !strangers.empty())
    line("then      uir-eval calibrate", of_file, " --known ", known, " --strangers ", strangers,
         " (docs/thresholds.md)");
  return text;
}

}  // namespace uir
