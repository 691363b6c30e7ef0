#include "uir/plan/estimate.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <functional>
#include <optional>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/progress.h"

namespace uir {
namespace {

// Of a total, from the runs that docs/distributed.md ("Planning") lists.
constexpr double kMemoryError = 0.15;
constexpr int64_t kMostRanks = 1 << 20;

// --- The description of the machines ----------------------------------------------------------------------

[[noreturn]] void refuse_cluster(std::string_view text, const std::string& why) {
  fail(ErrorKind::kUsage, "--estimate: '", text, "': ", why,
       "; expected 80GB (one rank), 8x80GB (ranks x memory of each) or 2x8x80GB (machines x ranks x memory), "
       "with MB, GB, TB, MiB, GiB or TiB");
}

std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  for (size_t end = text.find('x'); end != std::string_view::npos; end = text.find('x')) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

int64_t parse_count(std::string_view text, std::string_view whole) {
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) {
    refuse_cluster(whole, concat("'", text, "' is no number of ranks or machines"));
  }
  if (count < 1 || count > kMostRanks) {
    refuse_cluster(whole, concat(text, " ranks or machines are not in [1, ", kMostRanks, "]"));
  }
  return count;
}

double parse_memory(std::string_view text, std::string_view whole) {
  struct Unit {
    std::string_view name;
    double bytes;
  };
  constexpr std::array<Unit, 6> kUnits{{{"MB", 1e6},
                                        {"GB", 1e9},
                                        {"TB", 1e12},
                                        {"MiB", 1048576.0},
                                        {"GiB", 1073741824.0},
                                        {"TiB", 1099511627776.0}}};
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  const auto* known =
      std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return u.name == unit; });
  if (error != std::errc() || known == kUnits.end() || !(value > 0) || !std::isfinite(value)) {
    refuse_cluster(whole, concat("'", text, "' is no amount of memory"));
  }
  return value * known->bytes;
}

// --- Text -------------------------------------------------------------------------------------------------

// Three digits and a prefix: "43.6 M", "1.02 T".
std::string quantity(double value, const std::string& unit) {
  constexpr const char* kPrefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  size_t prefix = 0;
  while (value >= 999.5 && prefix + 1 < std::size(kPrefixes)) {
    value /= 1000;
    ++prefix;
  }
  const int decimals = prefix == 0 && value == std::floor(value) ? 0
                       : value < 9.995                           ? 2
                       : value < 99.95                           ? 1
                                                                 : 0;
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f %s%s", decimals, value, kPrefixes[prefix], unit.c_str());
  std::string result = text;
  if (result.back() == ' ') result.pop_back();
  return result;
}

std::string seconds_text(double seconds) {
  return seconds < 1 ? quantity(1000 * seconds, "ms") : quantity(seconds, "s");
}

std::string grouped(int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<int64_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<size_t>(at), 1, ',');
  return digits;
}

void append_row(std::string& text, const std::string& what, const std::string& value) {
  text += concat("  ", what, std::string(what.size() < 46 ? 46 - what.size() : 1, ' '),
                 std::string(value.size() < 9 ? 9 - value.size() : 0, ' '), value, "\n");
}

void append_table(std::string& text, const std::string& title, const std::vector<Amount>& amounts,
                  const std::string& unit) {
  text += concat("\n", title, "\n");
  for (const Amount& amount : amounts) append_row(text, amount.what, quantity(amount.value, unit));
  append_row(text, "total", quantity(total(amounts), unit));
}

std::string network_name(const ModelConfig& model) {
  const auto width = [](double width) { return width == 1 ? std::string() : concat(", width ", width); };
  if (const auto* iresnet = std::get_if<IResNetConfig>(&model.backbone)) {
    return concat("iresnet ", iresnet->depth, width(iresnet->width));
  }
  const auto& mobile = std::get<MobileFaceNetConfig>(model.backbone);
  return concat("mobilefacenet", mobile.large ? ", large" : "", width(mobile.width));
}

// --- What to change ---------------------------------------------------------------------------------------

double memory_of(const TrainingPlan& plan) { return total(memory_of_rank(plan).device); }

bool divides(const TrainingPlan& plan) {
  const int64_t parts = plan.ranks * plan.accumulation;
  return plan.labeled % parts == 0 && plan.unlabeled % parts == 0;
}

class Advice {
 public:
  Advice(const TrainingPlan& plan, double memory) : plan_(plan), memory_(memory) {}

  std::vector<std::string> all() {
    accumulation();
    precision();
    optimizer();
    tile();
    batch();
    more_ranks();
    if (lines_.empty()) {
      lines_.emplace_back(
          "nothing of this fits by itself: combine more ranks, fewer rows of a batch and a smaller network");
    }
    return lines_;
  }

 private:
  bool fits(const TrainingPlan& plan) const { return memory_of(plan) <= memory_; }
  // "name: 12.3 GB", if it helps; says so if it is not enough.
  void offer(const std::string& what, const TrainingPlan& changed) {
    const double bytes = memory_of(changed);
    if (bytes > 0.99 * memory_of(plan_)) return;
    lines_.push_back(
        concat(what, ": ", quantity(bytes, "B"), bytes <= memory_ ? ", fits" : ", not enough alone"));
  }

  // The first of the changed plans that fits.
  static std::optional<TrainingPlan> first_that_fits(
      const TrainingPlan& plan, int64_t limit, const std::function<void(TrainingPlan&, int64_t)>& change,
      const std::function<bool(const TrainingPlan&)>& good) {
    for (int64_t i = 2; i <= limit; ++i) {
      TrainingPlan changed = plan;
      change(changed, i);
      if (good(changed)) return changed;
    }
    return std::nullopt;
  }

  void accumulation() {
    const auto changed = first_that_fits(
        plan_, 1024, [](TrainingPlan& p, int64_t i) { p.accumulation = i; },
        [&](const TrainingPlan& p) { return p.accumulation > plan_.accumulation && divides(p) && fits(p); });
    if (changed) {
      offer(concat("train.batch.accumulation=", changed->accumulation, " (the same batch in ",
                   changed->accumulation, " parts, batch norms over ", changed->rows(), " rows)"),
            *changed);
    }
  }
  void precision() {
    if (plan_.activation_bytes == 2) return;
    TrainingPlan changed = plan_;
    changed.activation_bytes = 2;
    offer("train.precision=bf16", changed);
  }
  void optimizer() {
    if (plan_.optimizer_states == 1) return;
    TrainingPlan changed = plan_;
    changed.optimizer_states = 1;
    offer("train.optimizer.type=sgd", changed);
  }
  // On devices the tile of the head's walk may be the largest piece of work space.
  void tile() {
    constexpr int64_t kSmallTile = 2048;
    if (!plan_.cuda || (plan_.class_tile > 0 && plan_.class_tile <= kSmallTile)) return;
    TrainingPlan changed = plan_;
    changed.class_tile = kSmallTile;
    offer(concat("head.class_tile=", kSmallTile), changed);
  }
  // The largest batch of the same shares that the ranks can divide.
  void batch() {
    const int64_t parts = plan_.ranks * plan_.accumulation;
    const auto with = [&](int64_t labeled) {
      const double unlabeled = static_cast<double>(labeled * parts) * static_cast<double>(plan_.unlabeled) /
                               static_cast<double>(plan_.labeled);
      TrainingPlan changed = plan_;
      changed.labeled = labeled * parts;
      changed.unlabeled = std::llround(unlabeled / static_cast<double>(parts)) * parts;
      return changed;
    };
    int64_t fitting = 0, too_large = plan_.labeled / parts;
    while (too_large - fitting > 1) {
      const int64_t middle = fitting + (too_large - fitting) / 2;
      (fits(with(middle)) ? fitting : too_large) = middle;
    }
    const TrainingPlan changed = with(fitting);
    if (fitting == 0 || changed.rows() < 2) return;
    offer(concat("train.batch.labeled=", changed.labeled, " train.batch.unlabeled=", changed.unlabeled),
          changed);
  }
  // Of the same batch if they can divide it; else with as many rows each as now.
  void more_ranks() {
    constexpr int64_t kLimit = 1 << 14;
    const auto more_and_fits = [&](const TrainingPlan& p) { return p.ranks > plan_.ranks && fits(p); };
    const auto same_batch = first_that_fits(
        plan_, kLimit, [](TrainingPlan& p, int64_t i) { p.ranks = i; },
        [&](const TrainingPlan& p) { return divides(p) && p.rows() >= 2 && more_and_fits(p); });
    if (same_batch) {
      return offer(concat(same_batch->ranks, " ranks of this memory (the same batch, ", same_batch->rows(),
                          " rows each)"),
                   *same_batch);
    }
    const int64_t labeled = plan_.micro_rows(plan_.labeled) * plan_.accumulation;
    const int64_t unlabeled = plan_.micro_rows(plan_.unlabeled) * plan_.accumulation;
    const auto same_rows = first_that_fits(
        plan_, kLimit,
        [&](TrainingPlan& p, int64_t i) {
          p.ranks = i;
          p.labeled = labeled * i;
          p.unlabeled = unlabeled * i;
        },
        more_and_fits);
    if (same_rows) {
      offer(concat(same_rows->ranks, " ranks of this memory, with a batch of ", same_rows->labeled, " + ",
                   same_rows->unlabeled, " (as many rows each)"),
            *same_rows);
    }
  }

  TrainingPlan plan_;
  double memory_;
  std::vector<std::string> lines_;
};

std::string remedies_text(const TrainingPlan& plan, double memory) {
  std::string text = "What would help, each by itself (with --set, or in the file):";
  for (const std::string& line : Advice(plan, memory).all()) text += concat("\n    ", line);
  return text;
}

// --- The report -------------------------------------------------------------------------------------------

void append_division(std::string& text, const TrainingPlan& plan) {
  const int64_t parts = plan.ranks * plan.accumulation;
  const auto check = [&](const char* name, int64_t rows) {
    if (rows % parts == 0) return;
    text += concat("  train.batch.", name, ": ", rows, " rows cannot be shared evenly by ", plan.ranks,
                   " ranks times ", plan.accumulation,
                   " accumulation steps, so uir-train would refuse to start; ",
                   rows < parts ? "" : concat(rows / parts * parts, " or "), (rows / parts + 1) * parts,
                   " can (below: rounded up)\n");
  };
  check("labeled", plan.labeled);
  check("unlabeled", plan.unlabeled);
  if (plan.rows() < 2) {
    text +=
        "  a rank has one row: batch norms need at least 2 in training; use fewer ranks or a larger batch\n";
  }
}

void append_head(std::string& text, const Experiment& experiment, const TrainingPlan& plan,
                 const std::string& counts_from, const Cluster& cluster) {
  const std::string where = plan.cuda ? "CUDA device" : "CPU";
  text += concat("estimate for ", cluster.ranks(), cluster.ranks() == 1 ? " rank" : " ranks", " of ",
                 quantity(cluster.memory_bytes, "B"),
                 cluster.machines > 1 ? concat(" on ", cluster.machines, " machines") : "", ", ", where,
                 plan.cuda && plan.ranks > 1 ? "s" : "", " (train.device: ", experiment.train.device,
                 "), activations of ", plan.activation_bytes, " bytes; nothing was started\n");
  if (plan.cuda && plan.ranks > 1) {
    text +=
        "  a device a rank (--nproc-per-node, torchrun, mpirun or srun); no run on several devices stands "
        "behind these numbers yet\n";
  }
  text +=
      concat("\nnetwork   ", network_name(experiment.model), ": ",
             quantity(static_cast<double>(plan.network.parameters()), ""), " parameters, ",
             quantity(static_cast<double>(plan.network.multiply_adds()), ""), " multiply-adds an image\n");
  text += concat("data      ", grouped(plan.data.classes), " classes, ", grouped(plan.data.labeled_images),
                 " labeled images ", counts_from, "; ", grouped(plan.classes_of_rank()), " classes a rank\n");
  text += concat("step      ", plan.labeled, " labeled + ", plan.unlabeled, " unlabeled rows; a rank has ",
                 plan.micro_rows(plan.labeled), " + ", plan.micro_rows(plan.unlabeled),
                 plan.accumulation == 1 ? "\n" : concat(" in each of ", plan.accumulation, " passes\n"));
  append_division(text, plan);
  const int64_t steps = plan.steps_per_epoch();
  if (steps == 0) {
    text += concat("run       no step: a batch of ", plan.labeled, " labeled rows cannot be filled by ",
                   plan.data.labeled_images, " images\n");
  } else {
    text += concat("run       ", grouped(steps), " steps an epoch, ", plan.epochs,
                   " epochs: ", grouped(steps * plan.epochs), " steps\n");
  }
}

void append_verdict(std::string& text, double bytes, double memory, bool cuda) {
  const double most = bytes * (1 + kMemoryError);
  const std::string band =
      concat(" (estimate, ± ", std::lround(kMemoryError * 100), " %",
             cuda ? " on CPUs, on devices not yet measured" : "", ": at most ", quantity(most, "B"), ")");
  const std::string share = concat(std::lround(100 * bytes / memory), " % of ", quantity(memory, "B"));
  if (most <= memory) {
    text += concat("  fits: ", share, band, "\n");
  } else if (bytes <= memory) {
    text += concat("  fits, but barely: ", share, band, "\n");
  } else {
    text += concat("  DOES NOT FIT: ", share, band, "\n");
  }
}

void append_memory(std::string& text, const TrainingPlan& plan, const Cluster& cluster) {
  const MemoryEstimate memory = memory_of_rank(plan);
  append_table(text, plan.cuda ? "device memory of a rank" : "memory of a rank", memory.device, "B");
  append_verdict(text, total(memory.device), cluster.memory_bytes, plan.cuda);
  if (total(memory.device) > cluster.memory_bytes) {
    text += "  what would help, each by itself:\n";
    for (const std::string& line : Advice(plan, cluster.memory_bytes).all())
      text += concat("    ", line, "\n");
  }
  if (memory.host.empty()) return;
  append_table(text, "host memory of a rank", memory.host, "B");
  if (cluster.ranks_per_machine > 1) {
    append_row(text, concat("of a machine's ", cluster.ranks_per_machine, " ranks"),
               quantity(total(memory.host) * static_cast<double>(cluster.ranks_per_machine), "B"));
  }
}

void append_work(std::string& text, const TrainingPlan& plan) {
  const std::vector<Amount> sent = bytes_sent_by_rank(plan), operations = operations_of_rank(plan);
  if (!sent.empty()) append_table(text, "sent by a rank in a step", sent, "B");
  append_table(text, "operations of a rank in a step", operations, "");
  constexpr double kRate = 1e13, kBandwidth = 1e10;
  text += concat("  at 10 T operations/s ", sent.empty() ? "" : "and 10 GB/s ",
                 "sustained: ", seconds_text(total(operations) / kRate));
  if (!sent.empty()) text += concat(" + ", seconds_text(total(sent) / kBandwidth));
  text += " a step; other rates in proportion\n";
}

// Not needed to fit, but worth knowing.
void append_hints(std::string& text, const TrainingPlan& plan) {
  std::string hints;
  const std::vector<Amount> operations = operations_of_rank(plan);
  const double all = total(operations);
  TrainingPlan sampled = plan;
  sampled.sample_rate = 0.1;
  const double with_sampling = total(operations_of_rank(sampled));
  if (plan.sample_rate == 1 && with_sampling < 0.8 * all) {
    hints += concat("  head.sample_rate=0.1: ", quantity(with_sampling, ""), " operations instead of ",
                    quantity(all, ""), "; it saves time, not memory\n");
  }
  TrainingPlan narrow = plan;
  narrow.bf16_gradients = true;
  const double bytes = total(bytes_sent_by_rank(plan)), narrow_bytes = total(bytes_sent_by_rank(narrow));
  if (!plan.bf16_gradients && narrow_bytes < 0.8 * bytes) {
    hints += concat("  train.ranks.compression=bf16: ", quantity(narrow_bytes, "B"), " sent instead of ",
                    quantity(bytes, "B"), "\n");
  }
  if (!hints.empty()) text += concat("\nfor speed\n", hints);
}

}  // namespace

Cluster parse_cluster(std::string_view text) {
  const std::vector<std::string_view> parts = parts_of(text);
  if (parts.size() > 3) refuse_cluster(text, "too many factors");
  Cluster cluster;
  cluster.memory_bytes = parse_memory(parts.back(), text);
  if (parts.size() > 1) cluster.ranks_per_machine = parse_count(parts[parts.size() - 2], text);
  if (parts.size() > 2) cluster.machines = parse_count(parts[0], text);
  if (cluster.ranks() > kMostRanks) refuse_cluster(text, concat("more than ", kMostRanks, " ranks"));
  return cluster;
}

PlannedData planned_data(const GivenCounts& given, const std::function<DataCounts()>& index) {
  const bool classes = given.classes > 0, images = given.images > 0;
  DataCounts counts;
  if (!classes || !images) counts = index();
  if (classes) counts.classes = given.classes;
  if (images) counts.labeled_images = given.images;
  const char* from = classes && images   ? "(as given)"
                     : classes || images ? "(index, and as given)"
                                         : "(index)";
  return {counts, from};
}

std::string estimate_report(const Experiment& experiment, const PlannedData& data, const Cluster& cluster) {
  if (data.counts.classes == 0) {
    fail(ErrorKind::kConfig, experiment.index_folder().string(),
         ": no labeled faces; training needs a labeled source");
  }
  const TrainingPlan plan = training_plan(experiment, data.counts, cluster.ranks());
  std::string text;
  append_head(text, experiment, plan, data.from, cluster);
  append_memory(text, plan, cluster);
  append_work(text, plan);
  append_hints(text, plan);
  return text;
}

std::string memory_warning(const TrainingPlan& plan, const std::string& device, double free_bytes,
                           std::optional<double> most_bytes) {
  const double centers = class_center_bytes(plan), all = memory_of(plan);
  if (all <= free_bytes) return "";
  const bool never = most_bytes && all * (1 - kMemoryError) > *most_bytes;
  const std::string remedies = remedies_text(plan, never ? *most_bytes : free_bytes);
  if (never) {
    fail(ErrorKind::kConfig, "train.batch: this training is expected to take ", quantity(all, "B"), " of ",
         device, ", which has ", quantity(*most_bytes, "B"), " in all. ", remedies);
  }
  if (!most_bytes && centers > free_bytes) {
    fail(ErrorKind::kConfig, "train.device: class centers, their gradient and their optimizer state take ",
         quantity(centers, "B"), " of a rank, but ", device, " has ", quantity(free_bytes, "B"), " free. ",
         remedies);
  }
  return concat("this training is expected to take ", quantity(all, "B"), " of ", device, ", which has ",
                quantity(free_bytes, "B"), " free. ", remedies);
}

}  // namespace uir
