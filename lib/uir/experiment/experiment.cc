#include "uir/experiment/experiment.h"

#include <algorithm>
#include <set>

#include "uir/config/names.h"
#include "uir/config/reader.h"
#include "uir/config/reference.h"
#include "uir/config/writer.h"

namespace uir {
namespace {

fs::path absolute_in(const fs::path& folder, const std::string& path) {
  return (folder / path).lexically_normal();
}

// The visitor that makes every path of a config absolute.
class PathResolver {
 public:
  PathResolver(fs::path config_folder, fs::path data_root)
      : config_folder_(std::move(config_folder)), data_root_(std::move(data_root)) {}

  template <class T, class... Rules>
  void field(std::string_view, T& value, std::string_view, const Rules&...) {
    resolve(value);
  }
  template <class Section, class... Marks>
  void section(std::string_view, Section& value, std::string_view, const Marks&...) {
    describe(*this, value);
  }
  template <class Item, class... Marks>
  void list(std::string_view, std::vector<Item>& items, std::string_view, const Marks&...) {
    for (Item& item : items) describe(*this, item);
  }
  template <class Variant>
  void variant(std::string_view, Variant& value, std::string_view) {
    std::visit([&](auto& alternative) { describe(*this, alternative); }, value);
  }

 private:
  template <class T>
  void resolve(T& value) {
    if constexpr (std::is_same_v<T, ConfigPath>) {
      if (!value.empty()) value.value = absolute_in(config_folder_, value.value).string();
    } else if constexpr (std::is_same_v<T, DataPath>) {
      if (!value.empty()) value.value = absolute_in(data_root_, value.value).string();
    } else if constexpr (config_detail::IsSequence<T>::value) {
      for (auto& item : value) resolve(item);
    }
  }

  fs::path config_folder_, data_root_;
};

void resolve_paths(Experiment& experiment, const fs::path& folder) {
  const fs::path config_folder = fs::absolute(folder);
  PathResolver resolver(config_folder, absolute_in(config_folder, experiment.paths.data_root.value));
  describe(resolver, experiment);
  if (experiment.paths.index.empty())
    experiment.paths.index.value = (experiment.run_folder() / "index").string();
}

// Collects what is wrong between the sections; the reader has checked each value by itself.
class CrossChecks {
 public:
  explicit CrossChecks(const Experiment& experiment)
      : experiment_(experiment), sources_(known_sources(experiment)) {
    sources();
    batch();
    depth();
    device();
    graphs();
    models();
    submission();
    protocols();
    all("", sources_.problems_of_sets({{"extract.sets", experiment.extract.sets}}));
  }
  void throw_problems(const std::string& name) const {
    std::string text;
    for (const std::string& problem : problems_) text += (text.empty() ? "" : "\n") + name + ": " + problem;
    if (!text.empty()) fail(ErrorKind::kConfig, text);
  }

 private:
  template <class... Parts>
  void problem(const Parts&... parts) {
    problems_.push_back(concat(parts...));
  }
  void all(const std::string& place, const std::vector<std::string>& problems) {
    for (const std::string& text : problems) problem(place, text);
  }

  void sources() {
    std::set<std::string> names;
    for (size_t i = 0; i < experiment_.data.sources.size(); ++i) {
      const SourceConfig& source = experiment_.data.sources[i];
      const std::string place = concat("data.sources.", i, " (", source.name, "): ");
      if (!is_plain_name(source.name)) problem(place, "name may hold letters, digits, _ and - only");
      if (!names.insert(source.name).second) problem(place, "another source has this name");
      if (std::holds_alternative<BinSource>(source.kind) && source.role != Role::kTest) {
        problem(place, "a .bin source has role test, since its images carry no identities");
      }
      if (!source.label_map.empty() && source.role == Role::kUnlabeled)
        problem(place, "label_map is for sources with identities, not for unlabeled ones");
      if (source.held_out > 0 && source.role == Role::kTest)
        problem(place, "held_out is for training sources");
    }
  }

  void batch() {
    const BatchConfig& batch = experiment_.train.batch;
    if (batch.labeled % batch.accumulation != 0 || batch.unlabeled % batch.accumulation != 0) {
      problem("train.batch: accumulation ", batch.accumulation, " must divide labeled ", batch.labeled,
              " and unlabeled ", batch.unlabeled);
    }
  }

  void depth() {
    const auto* iresnet = std::get_if<IResNetConfig>(&experiment_.model.backbone);
    if (iresnet && !find_iresnet_depth(iresnet->depth))
      problem("model.depth: is ", iresnet->depth, ", expected ", iresnet_depths());
  }

  void device() {
    const std::string& device = experiment_.train.device;
    if (device != "auto" && device != "cpu" && device != "cuda" && !device.starts_with("cuda:")) {
      problem("train.device: is '", device, "', expected auto, cpu, cuda or cuda:N");
    }
  }

  void graphs() {
    const TrainConfig& train = experiment_.train;
    if (train.cuda_graphs && train.ranks.batch_norm == BatchNormStatistics::kSynchronized) {
      problem(
          "train.cuda_graphs: passes with train.ranks.batch_norm: synchronized talk to other ranks, "
          "which cannot be recorded; use local, or no graphs");
    }
  }

  void models() {
    if (!experiment_.eval.calibration.empty() && !experiment_.eval.models.empty())
      problem("eval.calibration is of this run; with eval.models each has a calibration of its own");
    std::set<std::string> names;
    for (const EvalModel& model : experiment_.eval.models) {
      const std::string place = "eval.models (" + model.name + ")";
      if (!is_plain_name(model.name)) problem(place, ": name may hold letters, digits, _ and - only");
      if (!names.insert(model.name).second) problem(place, ": another model has this name");
      if (!model.concatenates.empty())
        concatenated(place, model);
      else if (model.run.empty() && model.sets.empty())
        problem(place, ": needs a run or sets, or models that it concatenates");
      std::set<std::string> sets;
      for (const SetFiles& files : model.sets) {
        if (!sets.insert(files.set).second) problem(place, ": set '", files.set, "' is given twice");
      }
    }
  }

  void concatenated(const std::string& place, const EvalModel& model) {
    if (!model.run.empty() || !model.sets.empty())
      problem(place, ": concatenates other models, so it has no run and no sets of its own");
    for (const std::string& name : model.concatenates) {
      const auto part = std::ranges::find(experiment_.eval.models, name, &EvalModel::name);
      if (part == experiment_.eval.models.end() || !part->concatenates.empty())
        problem(place, ": concatenates '", name, "', which is no model with a run or sets");
    }
  }

  void protocols() {
    std::set<std::string> measurable, names;
    for (const ProtocolConfig& protocol : experiment_.eval.protocols) {
      const std::string place = "eval.protocols (" + protocol.name + ")";
      if (!names.insert(protocol.name).second) problem(place, ": another protocol has this name");
      if (protocol.name.empty() || !is_file_name(protocol.name))
        problem(place, ": name: it becomes names of files, so it may hold no / nor begin with a dot");
      const auto* all_pairs = std::get_if<AllPairsProtocol>(&protocol.kind);
      if (std::holds_alternative<VerificationProtocol>(protocol.kind) ||
          (all_pairs && !all_pairs->far.empty()))
        measurable.insert(protocol.name);
      all(place + ": ", problems_of(protocol, sources_));
    }
    const std::vector<std::string>& wanted = experiment_.train.verification.protocols;
    for (const std::string& name : wanted) {
      if (!measurable.contains(name))
        problem(
            "train.verification.protocols: '", name,
            "' is no protocol of type verification or all_pairs (with a rate in far) of the eval section");
    }
    const std::string& best_by = experiment_.train.checkpoint.best_by;
    if (!best_by.empty() && std::ranges::find(wanted, best_by) == wanted.end())
      problem("train.checkpoint.best_by: '", best_by, "' is none of train.verification.protocols");
  }

  void submission() {
    all("submission: ", problems_of(experiment_.submission.frames));
    if (!is_plain_name(experiment_.submission.suffix)) {
      problem("submission.suffix may hold letters, digits, _ and - only");
    }
  }

  const Experiment& experiment_;
  const KnownSources sources_;
  std::vector<std::string> problems_;
};

Experiment read_experiment(const ConfigDocument& document, const std::string& name, const fs::path& folder) {
  Experiment experiment;
  ConfigReader::read(document, experiment);
  resolve_paths(experiment, folder);
  CrossChecks(experiment).throw_problems(name);
  return experiment;
}

}  // namespace

KnownSources known_sources(const Experiment& experiment) {
  std::vector<KnownSource> sources;
  for (const SourceConfig& source : experiment.data.sources) {
    const auto* bin = std::get_if<BinSource>(&source.kind);
    sources.push_back({source.name, source.held_out != 0});
    if (bin) sources.back().bin = bin->file.value;
  }
  const bool sets_are_sources = !sources.empty() && experiment.eval.models.empty();
  return {std::move(sources), sets_are_sources};
}

Experiment load_experiment(const fs::path& file, const std::vector<std::string>& overrides) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  return read_experiment(ConfigDocument::load(file, overrides), file.string(), folder);
}

Experiment parse_experiment(const std::string& text, const std::string& name, const fs::path& folder,
                            const std::vector<std::string>& overrides) {
  return read_experiment(ConfigDocument::parse(text, name, overrides), name, folder);
}

std::string resolved_config(const Experiment& experiment) { return ConfigWriter::write(experiment); }

std::string config_reference() {
  return "# Options of an experiment file\n\nMade by `uir-train --describe-config`; a test keeps it current. "
         "Numbers are "
         "decimal (`010` and `0x10` are errors, `1e3` is a number but no integer), only `true` and `false` "
         "are booleans, "
         "unknown and repeated keys are errors. Precedence: default, then file, then `--set a.b=v` (list "
         "entries by number: "
         "`--set data.sources.0.held_out=0.1`). Relative paths are relative to the file, paths in data_root "
         "to "
         "`paths.data_root`; those of `--set` are relative to the current folder, as the shell completes "
         "them.\n" +
         ConfigReference::write<Experiment>();
}

}  // namespace uir
