#include "uir/experiment/experiment.h"

#include <algorithm>
#include <map>
#include <set>

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
    if constexpr (std::is_same_v<T, ConfigPath>) {
      if (!value.empty()) value.value = absolute_in(config_folder_, value.value).string();
    } else if constexpr (std::is_same_v<T, DataPath>) {
      if (!value.empty()) value.value = absolute_in(data_root_, value.value).string();
    }
  }
  template <class Section>
  void section(std::string_view, Section& value, std::string_view) {
    describe(*this, value);
  }
  template <class Item>
  void list(std::string_view, std::vector<Item>& items, std::string_view) {
    for (Item& item : items) describe(*this, item);
  }
  template <class Variant>
  void variant(std::string_view, Variant& value, std::string_view) {
    std::visit([&](auto& alternative) { describe(*this, alternative); }, value);
  }

 private:
  fs::path config_folder_, data_root_;
};

// Names become names of files.
bool is_plain_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
}

bool is_file_name(std::string_view name) {
  return name.find('/') == std::string_view::npos && !name.starts_with('.');
}

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
  explicit CrossChecks(const Experiment& experiment) : experiment_(experiment) {
    sources();
    batch();
    depth();
    device();
    models();
    submission();
    protocols();
    sets(experiment.extract.sets, "extract.sets");
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

  void sources() {
    for (size_t i = 0; i < experiment_.data.sources.size(); ++i) {
      const SourceConfig& source = experiment_.data.sources[i];
      const std::string place = concat("data.sources.", i, " (", source.name, "): ");
      if (!is_plain_name(source.name)) problem(place, "name may hold letters, digits, _ and - only");
      if (!sources_.emplace(source.name, &source).second) problem(place, "another source has this name");
      if (std::holds_alternative<BinSource>(source.kind) && source.role != Role::kTest) {
        problem(place, "a .bin source has role test, since its images carry no identities");
      }
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
    constexpr int64_t kDepths[] = {18, 34, 50, 100, 200};
    if (iresnet && std::find(std::begin(kDepths), std::end(kDepths), iresnet->depth) == std::end(kDepths)) {
      problem("model.depth: is ", iresnet->depth, ", expected 18, 34, 50, 100 or 200");
    }
  }

  void device() {
    const std::string& device = experiment_.train.device;
    if (device != "auto" && device != "cpu" && device != "cuda" && !device.starts_with("cuda:")) {
      problem("train.device: is '", device, "', expected auto, cpu, cuda or cuda:N");
    }
  }

  void models() {
    std::set<std::string> names;
    for (const EvalModel& model : experiment_.eval.models) {
      const std::string place = "eval.models (" + model.name + ")";
      if (!is_plain_name(model.name)) problem(place, ": name may hold letters, digits, _ and - only");
      if (!names.insert(model.name).second) problem(place, ": another model has this name");
      if (model.run.empty() && model.sets.empty()) problem(place, ": needs a run or sets");
      std::set<std::string> sets;
      for (const SetFiles& files : model.sets) {
        if (!sets.insert(files.set).second) problem(place, ": set '", files.set, "' is given twice");
      }
    }
  }

  void protocols() {
    std::set<std::string> verifications, names;
    for (const ProtocolConfig& protocol : experiment_.eval.protocols) {
      const std::string place = "eval.protocols (" + protocol.name + ")";
      if (!names.insert(protocol.name).second) problem(place, ": another protocol has this name");
      if (protocol.name.empty() || !is_file_name(protocol.name))
        problem(place, ": name: it becomes names of files, so it may hold no / nor begin with a dot");
      if (std::holds_alternative<VerificationProtocol>(protocol.kind)) verifications.insert(protocol.name);
      std::visit([&](const auto& kind) { protocol_sets(kind, place); }, protocol.kind);
    }
    for (const std::string& name : experiment_.train.verification.protocols) {
      if (!verifications.contains(name)) {
        problem("train.verification.protocols: '", name, "' is no verification protocol of the eval section");
      }
    }
  }
  void protocol_sets(const VerificationProtocol& p, const std::string& place) {
    sets({p.set}, place + ": set");
    const auto source = sources_.find(p.set);
    const bool bin = source != sources_.end() && std::holds_alternative<BinSource>(source->second->kind);
    if (p.pairs.empty() && p.bin.empty() && source != sources_.end() && !bin)
      problem(place, ": pairs: missing (only a .bin source brings its own)");
    if (!p.pairs.empty() && bin) problem(place, ": pairs: a .bin source brings its own");
    if (!p.bin.empty() && bin) problem(place, ": bin: the set is a .bin source, which brings its own pairs");
    if (!p.pairs.empty() && !p.bin.empty()) problem(place, ": pairs and bin exclude each other");
  }
  void protocol_sets(const MegaFaceProtocol& p, const std::string& place) {
    sets({p.probes}, place + ": probes");
    sets({p.distractors}, place + ": distractors");
    if (p.probes == p.distractors) problem(place, ": probes and distractors are the same set");
  }
  void protocol_sets(const AllPairsProtocol& p, const std::string& place) { sets({p.set}, place + ": set"); }
  void protocol_sets(const OpenSetProtocol& p, const std::string& place) {
    sets({p.set}, place + ": set");
    if (p.gallery.empty() != p.probe.empty())
      problem(place, ": gallery and probe are given together or not at all");
  }
  void protocol_sets(const SeparationProtocol&, const std::string&) {}
  void protocol_sets(const TrillionPairsProtocol& p, const std::string& place) {
    sets({p.set}, place + ": set");
    if (p.fpr.empty() && p.identification_fpr.empty()) problem(place, ": names no rate");
  }
  void protocol_sets(const RejectionProtocol& p, const std::string& place) {
    sets(p.known, place + ": known");
    sets(p.strangers, place + ": strangers");
  }
  void protocol_sets(const IjbVerificationProtocol& p, const std::string& place) {
    sets({p.set}, place + ": set");
  }
  void protocol_sets(const IjbIdentificationProtocol& p, const std::string& place) {
    sets({p.set}, place + ": set");
  }

  void protocol_sets(const VideoVerificationProtocol& p, const std::string& place) {
    sets({p.set}, place + ": set");
    if (p.fpr.empty()) problem(place, ": names no rate");
    aggregation(p.frames, place);
  }
  void protocol_sets(const VideoRetrievalProtocol& p, const std::string& place) {
    aggregation(p.frames, place);
    if (!p.submission.empty() && !is_file_name(p.submission)) {
      problem(place, ": submission: '", p.submission, "' is no name of a file in the report folder");
    }
    if (!p.submission_in.empty()) {
      if (p.ground_truth.empty())
        problem(place, ": submission_in needs a ground_truth to be measured against");
      if (!p.set.empty()) problem(place, ": set and submission_in exclude each other");
      return;
    }
    if (p.set.empty() || p.gallery.empty()) problem(place, ": needs set and gallery, or submission_in");
    if (!p.set.empty()) sets({p.set}, place + ": set");
    if (!p.gallery_set.empty()) sets({p.gallery_set}, place + ": gallery_set");
  }

  void aggregation(const FrameAggregation& frames, const std::string& place) {
    const bool weighted = frames.aggregation == Aggregation::kQualityWeighted;
    if (weighted && frames.quality.empty()) problem(place, ": quality_weighted needs a list quality");
    if (!weighted && !frames.quality.empty())
      problem(place, ": quality is for aggregation: quality_weighted");
  }

  void submission() {
    aggregation(experiment_.submission.frames, "submission");
    if (!is_plain_name(experiment_.submission.suffix)) {
      problem("submission.suffix may hold letters, digits, _ and - only");
    }
  }

  // Without a data section, or with models from elsewhere, sets name embeddings and are checked where those are opened.
  void sets(const std::vector<std::string>& names, const std::string& place) {
    constexpr std::string_view kHeldOutSuffix = ".held_out";
    for (const std::string& name : names) {
      if (sources_.empty() || !experiment_.eval.models.empty()) return;
      const bool held_out = name.ends_with(kHeldOutSuffix);
      const auto source =
          sources_.find(held_out ? name.substr(0, name.size() - kHeldOutSuffix.size()) : name);
      if (source == sources_.end()) {
        problem(place, ": '", name, "' is no source of the data section");
      } else if (held_out && source->second->held_out == 0) {
        problem(place, ": '", name, "': the source has held_out: 0, so nothing is held out");
      }
    }
  }

  const Experiment& experiment_;
  std::map<std::string, const SourceConfig*> sources_;
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
