// Which options a resumed run may change: every option of an experiment is changed by itself, so a new one
// cannot be forgotten. A new option must stay on resume unless it is marked and listed here.
#include "uir/experiment/resume.h"

#include <map>
#include <set>

#include "support/catch.h"

using namespace uir;

namespace {

// What may differ: these options, and all below these sections and lists.
const std::set<std::string> kFree{"paths",
                                  "data.sources",
                                  "data.loader",
                                  "train.device",
                                  "train.threads",
                                  "train.max_nonfinite_steps",
                                  "train.log_every",
                                  "train.tensorboard",
                                  "train.cuda_graphs",
                                  "train.verification",
                                  "train.checkpoint",
                                  "train.init",
                                  "train.ranks.compression",
                                  "train.ranks.bucket_mb",
                                  "train.ranks.timeout_s",
                                  "extract",
                                  "eval"};

// The entry of kFree that covers the option; empty: none.
std::string free_section_of(const std::string& option) {
  for (const std::string& section : kFree) {
    if (option == section || option.starts_with(section + ".")) return section;
  }
  return "";
}

void change(bool& value) { value = !value; }
void change(int64_t& value) { ++value; }
void change(uint64_t& value) { ++value; }
void change(double& value) { value += 0.5; }
void change(std::string& value) { value += "x"; }
void change(ConfigPath& value) { value.value += "/x"; }
void change(DataPath& value) { value.value += "/x"; }
template <class E>
requires std::is_enum_v<E>
void change(E& value) {
  const E before = value;
  for (const auto& [other, name] : EnumNames<E>::value) {
    if (other != before) value = other;
  }
}
template <class T, size_t N>
void change(std::array<T, N>& values) {
  change(values[0]);
}
template <class T>
void change(std::vector<T>& values) {
  values.emplace_back();
}

// Walks over an experiment: gives each variant its alternative number `alternative` (the last one, if it has
// fewer), and changes option number `target`.
class OneChange {
 public:
  OneChange(size_t alternative, int64_t target) : alternative_(alternative), target_(target) {}

  template <class T, class... Rules>
  void field(std::string_view name, T& value, std::string_view, const Rules&...) {
    if (next_++ != target_) return;
    change(value);
    changed = concat(path_, name);
  }
  template <class Section, class... Marks>
  void section(std::string_view name, Section& value, std::string_view, const Marks&...) {
    inside(std::string(name), value);
  }
  template <class Item, class... Marks>
  void list(std::string_view name, std::vector<Item>& items, std::string_view, const Marks&...) {
    if (items.empty()) items.emplace_back();  // so that its options are met
    for (size_t i = 0; i < items.size(); ++i) inside(concat(name, ".", i), items[i]);
  }
  template <class Variant>
  void variant(std::string_view, Variant& value, std::string_view) {
    size_t number = 0;
    const size_t wanted = std::min(alternative_, std::variant_size_v<Variant> - 1);
    for_each_alternative<Variant>([&]<class A>() {
      if (number++ == wanted && !std::holds_alternative<A>(value)) value.template emplace<A>();
    });
    const std::string outside = path_;
    std::visit(
        [&](auto& alternative) {
          path_ += std::string(alternative.kType) + ":";
          describe(*this, alternative);
        },
        value);
    path_ = outside;
  }

  std::string changed;  // path of the option, with the alternatives of variants: head.adaface:margin

 private:
  template <class Section>
  void inside(const std::string& name, Section& value) {
    const std::string outside = path_;
    path_ += name + ".";
    describe(*this, value);
    path_ = outside;
  }

  const size_t alternative_;
  const int64_t target_;
  int64_t next_ = 0;
  std::string path_;
};

constexpr int64_t kNone = -1;

// Whether each option may differ that is not in `known`, in experiments of this alternative of all variants.
std::map<std::string, bool> freedom_of_options(size_t alternative, const std::set<std::string>& known) {
  Experiment base;
  OneChange none(alternative, kNone);
  describe(none, base);
  const std::string text = resolved_config(base);
  std::map<std::string, bool> result;
  for (int64_t target = 0;; ++target) {
    Experiment changed = base;
    OneChange one(alternative, target);
    describe(one, changed);
    if (one.changed.empty()) return result;
    if (known.contains(one.changed)) continue;
    CAPTURE(one.changed);
    CHECK(resolved_config(changed) != text);
    const std::string differences = differences_on_resume(base, changed);
    const std::string option = one.changed.substr(one.changed.find_last_of(".:") + 1);
    if (!differences.empty()) CHECK_THAT(differences, contains_text(option + ": "));
    result[one.changed] = differences.empty();
  }
}

}  // namespace

TEST_CASE("every option that may differ on resume still may, every other must not") {
  std::set<std::string> met, free_ones;
  for (size_t alternative = 0; alternative < 12; ++alternative) {  // more than any variant has
    for (const auto& [option, free] : freedom_of_options(alternative, met)) {
      CAPTURE(option);
      CHECK(free == !free_section_of(option).empty());
      met.insert(option);
      free_ones.insert(free_section_of(option));
    }
  }
  free_ones.erase("");
  CHECK(free_ones == kFree);
  CHECK(met.contains("head.adaface:margin"));
  CHECK(met.contains("submission.suffix"));
}

TEST_CASE("an alternative of another type forbids to resume, where its options do") {
  Experiment was, now;
  now.head.margin = AdaFaceConfig{};
  CHECK_THAT(differences_on_resume(was, now), contains_text("now:  type: adaface"));
  now = was;
  now.data.sources.emplace_back();
  now.eval.protocols.emplace_back();
  CHECK(differences_on_resume(was, now).empty());
}

TEST_CASE("the differences name what was and what is") {
  Experiment was, now;
  was.train.epochs = 3;
  now.train.epochs = 4;
  now.train.log_every = 7;
  CHECK(differences_on_resume(was, now) == "\n  was:  epochs: 3\n  now:  epochs: 4");
}
