#include "uir/config/reader.h"

#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <numeric>
#include <sstream>

namespace uir {
namespace {

constexpr int kMaxDepth = 32;
constexpr uint64_t kMaxFileSize = uint64_t{16} << 20;

std::string place_of(const std::string& name, const YAML::Mark& mark) {
  return mark.is_null() ? name : concat(name, ":", mark.line + 1, ":", mark.column + 1);
}

// Refuses what YAML::Load would expand or accept silently, before any tree is built.
class StrictEvents : public YAML::EventHandler {
 public:
  explicit StrictEvents(const std::string& name) : name_(name) {}
  void OnDocumentStart(const YAML::Mark&) override {
    if (++documents_ > 1) fail(ErrorKind::kConfig, name_, ": more than one YAML document");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { refuse_anchor(mark, anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_anchor(mark, 1); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string&) override {
    refuse_anchor(mark, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    enter(mark, anchor);
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    enter(mark, anchor);
  }
  void OnMapEnd() override { --depth_; }

 private:
  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
    if (anchor != 0)
      fail(ErrorKind::kConfig, place_of(name_, mark), ": anchors and aliases are not allowed in a config");
  }
  void enter(const YAML::Mark& mark, YAML::anchor_t anchor) {
    refuse_anchor(mark, anchor);
    if (++depth_ > kMaxDepth)
      fail(ErrorKind::kConfig, place_of(name_, mark), ": nested deeper than ", kMaxDepth);
  }

  const std::string& name_;
  int documents_ = 0;
  int depth_ = 0;
};

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in{std::string(text)};
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

}  // namespace

ConfigDocument ConfigDocument::load(const fs::path& file, const std::vector<std::string>& overrides) {
  return parse(read_text_file(file, kMaxFileSize), file.string(), overrides);
}

ConfigDocument ConfigDocument::parse(const std::string& text, const std::string& name,
                                     const std::vector<std::string>& overrides) {
  ConfigDocument document;
  document.name_ = name;
  try {
    std::istringstream in(text);
    YAML::Parser parser(in);
    StrictEvents events(name);
    // Not LoadAll: of some broken texts, which begin with a comma, yaml-cpp makes empty documents for ever.
    while (parser.HandleNextDocument(events)) {
    }
    document.root_ = YAML::Load(text);
  } catch (const YAML::Exception& e) {
    fail(ErrorKind::kConfig, place_of(name, e.mark), ": not valid YAML: ", e.msg);
  }
  for (const std::string& assignment : overrides) document.apply_override(assignment);
  return document;
}

void ConfigDocument::apply_override(const std::string& assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    fail(ErrorKind::kUsage, "--set ", assignment, ": expected key.key=value");
  }
  const std::string path = assignment.substr(0, equals);
  if (root_.IsNull()) root_ = YAML::Node(YAML::NodeType::Map);
  YAML::Node node = root_;
  YAML::Node parent;
  for (const std::string& key : split(path, '.')) {
    parent.reset(node);
    if (node.IsSequence()) {
      size_t item = 0;
      const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), item);
      if (error != std::errc() || end != key.data() + key.size() || item >= node.size()) {
        fail(ErrorKind::kConfig, "--set ", assignment, ": '", key, "' is no item of a list of ", node.size());
      }
      node.reset(parent[item]);
    } else if (node.IsMap() || !node.IsDefined() || node.IsNull()) {
      node.reset(parent[key]);  // creates it, as intended here
    } else {
      fail(ErrorKind::kConfig, "--set ", assignment, ": '", key, "' lies below a plain value");
    }
  }
  try {
    node = YAML::Load(assignment.substr(equals + 1));
  } catch (const YAML::Exception& e) {
    fail(ErrorKind::kConfig, "--set ", assignment, ": not valid YAML: ", e.msg);
  }
  overrides_.emplace_back(path, assignment);
}

std::string ConfigDocument::place(const YAML::Node& node, const std::string& path) const {
  const std::string* assignment = override_of(path);
  return assignment ? "--set " + *assignment : place_of(name_, node.Mark());
}

const std::string* ConfigDocument::override_of(const std::string& path) const {
  for (const auto& [overridden, assignment] : overrides_) {
    if (path == overridden || path.starts_with(overridden + ".")) return &assignment;
  }
  return nullptr;
}

std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string* best = nullptr;
  size_t best_distance = std::max<size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = &candidate;
    }
  }
  return best ? std::optional(*best) : std::nullopt;
}

bool ConfigReader::enter_root() {
  if (node_.IsNull()) node_ = YAML::Node(YAML::NodeType::Map);
  if (!node_.IsMap()) {
    problem(node_, "config", "expected sections (key: value …)");
    return false;
  }
  check_keys();
  return true;
}

void ConfigReader::check_keys() {
  std::set<std::string> seen;
  for (const auto& entry : node_) {
    if (!entry.first.IsScalar()) {
      problem(entry.first, path_of("?"), "keys must be plain text");
    } else if (!seen.insert(entry.first.Scalar()).second) {
      problem(entry.first, path_of(entry.first.Scalar()), "repeated key");
    }
  }
}

void ConfigReader::refuse_unknown_keys() {
  for (const auto& entry : node_) {
    if (!entry.first.IsScalar() || known_.contains(entry.first.Scalar())) continue;
    const std::string& key = entry.first.Scalar();
    const auto nearest = nearest_name(key, {known_.begin(), known_.end()});
    problem(entry.first, path_of(key),
            "unknown key" + (nearest ? " (did you mean '" + *nearest + "'?)" : ""));
  }
}

void ConfigReader::throw_problems() const {
  if (problems_.empty()) return;
  std::string text;
  for (const std::string& problem : problems_) text += (text.empty() ? "" : "\n") + problem;
  fail(ErrorKind::kConfig, text);
}

std::optional<YAML::Node> ConfigReader::child(const std::string& name, bool required) {
  known_.insert(name);
  for (const auto& entry : node_) {  // node_[name] would create a missing key
    if (entry.first.IsScalar() && entry.first.Scalar() == name) {
      if (entry.second.IsNull()) {
        problem(entry.first, path_of(name), "has no value");
        return std::nullopt;
      }
      return entry.second;
    }
  }
  if (required) problem(node_, path_of(name), "missing");
  return std::nullopt;
}

bool ConfigReader::read_choice(const YAML::Node& node, const std::string& path,
                               const std::vector<std::string>& choices, std::string& choice) {
  if (node.IsScalar() && std::find(choices.begin(), choices.end(), node.Scalar()) != choices.end()) {
    choice = node.Scalar();
    return true;
  }
  std::string known;
  for (const std::string& name : choices) known += (known.empty() ? "" : " | ") + name;
  problem(node, path, "is " + scalar_text(node) + ", expected " + known);
  return false;
}

void ConfigReader::problem(const YAML::Node& node, const std::string& path, const std::string& text) {
  problems_.push_back(document_.place(node, path) + ": " + path + ": " + text);
}

std::string ConfigReader::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

FieldInfo ConfigReader::item_info(const FieldInfo& list) {
  FieldInfo item = list;
  constexpr std::string_view kPrefix = "list of ";
  if (item.type.starts_with(kPrefix)) item.type.erase(0, kPrefix.size());
  return item;
}

std::string ConfigReader::joined(const std::vector<std::string>& rules) {
  std::string text;
  for (const std::string& rule : rules) text += (text.empty() ? "" : " and ") + rule;
  return text;
}

std::string ConfigReader::scalar_text(const YAML::Node& node) {
  if (node.IsScalar()) return "'" + node.Scalar() + "'";
  return node.IsSequence() ? "a list" : "a section";
}

bool ConfigReader::is_plain(const YAML::Node& node) { return node.Tag() != "!"; }

}  // namespace uir
