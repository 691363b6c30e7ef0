#include "uir/eval/split.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/eval/context.h"
#include "uir/eval/pair_uncertainty.h"
#include "uir/report/report.h"
#include "unit/eval/ijb_support.h"

namespace uir {
namespace {

using Counts = std::vector<std::pair<std::string, int64_t>>;

// A set in a run's folder, whose images have a pose each ("" for some), and files beside it.
struct SplitSet {
  static constexpr int64_t kDim = 10;
  TempFolder folder;
  std::vector<int64_t> labels;
  std::vector<std::string> items, poses;
  CanonicalVectors vectors;

  explicit SplitSet(int64_t people = 30, int64_t images = 5) {
    for (int64_t p = 0; p < people; ++p) labels.insert(labels.end(), static_cast<size_t>(images), p);
    vectors = brute::faces(labels, kDim, 1.1, 17);
    for (size_t row = 0; row < labels.size(); ++row) {
      items.push_back(concat(labels[row] % 2 ? "web/p" : "film/p", labels[row], "/", row, ".jpg"));
      poses.emplace_back(row % 11 == 3 ? "" : row % 5 < 3 ? "frontal" : "profile");
    }
    write_set("set", [](size_t) { return true; });
  }

  // The images that are wanted, as a set of its own.
  template <class Wanted>
  void write_set(const std::string& name, const Wanted& wanted) {
    std::vector<size_t> rows;
    for (size_t row = 0; row < labels.size(); ++row) {
      if (wanted(row)) rows.push_back(row);
    }
    EmbeddingStoreWriter writer(folder / concat("run/embeddings/", name),
                                {std::ssize(rows), kDim, false, false}, Json::object());
    for (const size_t row : rows) {
      const std::string item = concat(items[row], "\t", labels[row]);
      writer.append({vectors.row(static_cast<int64_t>(row)).data(), 1, kDim}, nullptr, nullptr,
                    std::span(&item, 1));
    }
    writer.commit();
  }
  std::string file(const std::string& name, const std::string& text) {
    write_file_atomically(folder / name, text);
    return (folder / name).string();
  }
  std::string table_of_poses() {
    std::string text = "image,note,pose\n";
    for (size_t row = 0; row < items.size(); ++row) text += concat(items[row], ",x, ", poses[row], "\n");
    return file("poses.csv", text);
  }
  // The group of a pair by the poses of its sides, as the words say.
  std::string group_of(size_t a, size_t b) const {
    if (poses[a].empty() || poses[b].empty()) return "";
    return poses[a] == poses[b] ? poses[a] : "frontal x profile";
  }
  template <class Protocol>
  ProtocolResult run(const Protocol& protocol, int threads = 2) {
    EmbeddingSets sets(EvalModel{"m", {(folder / "run").string()}, {}}, {}, threads);
    const KnownSources none({}, false);
    EvalContext context{sets, none, {}, ""};
    return measure("p", protocol, context).front();
  }
};

// Some pairs of the set, a line each; genuine ones often.
std::vector<std::array<size_t, 2>> drawn_pairs(const SplitSet& set, size_t n) {
  ItemRandom random(5, RandomPurpose::kTest, 0, 0);
  std::vector<std::array<size_t, 2>> pairs;
  while (pairs.size() < n) {
    const size_t a = random.below(set.labels.size()), b = random.below(set.labels.size());
    const bool near = a / 5 == b / 5;
    if (a != b && (near || pairs.size() % 2 == 0)) pairs.push_back({a, b});
  }
  return pairs;
}

template <class Wanted>
std::string path_pairs(const SplitSet& set, const std::vector<std::array<size_t, 2>>& pairs,
                       const Wanted& wanted) {
  std::string text;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto [a, b] = pairs[i];
    if (wanted(i)) text += concat(set.items[a], " ", set.items[b], " ", set.labels[a] == set.labels[b], "\n");
  }
  return text;
}

VerificationProtocol over_list(std::string path_pairs) {
  VerificationProtocol protocol;
  protocol.set = "set";
  protocol.pairs.value = std::move(path_pairs);
  protocol.format = PairsFormat::kPathPairs;
  return protocol;
}

// Numbers, intervals and counts of both are the same; the group also has some at the whole's thresholds.
void check_same(const ProtocolResult& group, const ProtocolResult& alone, bool counts = true) {
  INFO(group.name);
  if (counts) CHECK(group.counts == alone.counts);
  std::vector<Measurement> numbers = group.numbers;
  std::erase_if(numbers,
                [](const Measurement& n) { return n.name.find("_at_common_") != std::string::npos; });
  REQUIRE(numbers.size() == alone.numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    const Measurement &a = numbers[i], &b = alone.numbers[i];
    INFO(a.name);
    CHECK(a.name == b.name);
    CHECK(a.defined() == b.defined());
    if (a.defined()) CHECK(a.value == b.value);
    CHECK(a.note == b.note);
    REQUIRE(a.uncertainty.has_value() == b.uncertainty.has_value());
    if (a.uncertainty) CHECK(to_json(*a.uncertainty) == to_json(*b.uncertainty));
  }
}

std::vector<std::string> names_of(const std::vector<ProtocolResult>& groups) {
  std::vector<std::string> names;
  for (const ProtocolResult& group : groups) names.push_back(group.name);
  return names;
}

const std::vector<std::string> kPoses{"frontal", "profile", "frontal x profile"};

int64_t sum_of(const std::vector<ProtocolResult>& groups, const char* count) {
  int64_t sum = 0;
  for (const ProtocolResult& group : groups) sum += group.count_of(count);
  return sum;
}

}  // namespace

TEST_CASE("verification: a group's numbers are those of a list of its pairs alone") {
  SplitSet set;
  const auto pairs = drawn_pairs(set, 3000);
  VerificationProtocol protocol =
      over_list(set.file("all.txt", path_pairs(set, pairs, [](size_t) { return true; })));
  const ProtocolResult unsplit = set.run(protocol);
  protocol.split = {{set.table_of_poses()}, "pose"};
  const ProtocolResult whole = set.run(protocol);
  check_same(whole, unsplit, false);
  CHECK(whole.split_by == "pose");
  REQUIRE(names_of(whole.groups) == kPoses);
  int64_t measured = 0, resolved = 0;
  for (const ProtocolResult& group : whole.groups) {
    VerificationProtocol alone = protocol;
    alone.split = {};
    alone.pairs = {set.file("alone.txt", path_pairs(set, pairs, [&](size_t i) {
                              return set.group_of(pairs[i][0], pairs[i][1]) == group.name;
                            }))};
    check_same(group, set.run(alone));
    measured += group.count_of("genuine_pairs") + group.count_of("impostor_pairs");
    for (const Measurement& number : group.numbers)
      resolved += number.uncertainty && number.uncertainty->has_interval();
    CHECK(group.details.contains("thresholds"));
    const double common = whole.details["thresholds"][0]["threshold"].get<double>();
    double accepted = 0, impostors = 0;
    for (const auto& [a, b] : pairs) {
      if (set.labels[a] == set.labels[b] || set.group_of(a, b) != group.name) continue;
      const auto x = static_cast<int64_t>(a), y = static_cast<int64_t>(b);
      accepted += -squared_distance(set.vectors.row(x), set.vectors.row(y)) >= common;
      ++impostors;
    }
    CHECK(group.value_of("far_at_common_far_0.01") == accepted / impostors);
    CHECK_FALSE(group.details.contains("roc"));
  }
  CHECK(resolved > 6);
  CHECK(whole.count_of("impostor_pairs_between_groups") == 0);
  const int64_t without =
      std::ranges::count_if(pairs, [&](const auto& pair) { return set.group_of(pair[0], pair[1]).empty(); });
  CHECK(without > 0);
  CHECK(whole.count_of("pairs_without_group") == without);
  CHECK(measured + without == 3000);
}

TEST_CASE("verification: pairs have groups by themselves, by their people or by folders") {
  SplitSet set;
  const auto pairs = drawn_pairs(set, 600);
  VerificationProtocol protocol =
      over_list(set.file("all.txt", path_pairs(set, pairs, [](size_t) { return true; })));
  std::string by_pair = "pair\tsource\n", by_person = "person,source\n";
  for (size_t i = 0; i < pairs.size(); ++i)
    by_pair += concat("00", i + 1, "\t", i % 3 ? "web" : "film", "\n");
  for (int p = 0; p < 30; ++p) by_person += concat(p, ",", p % 2 ? "web" : "film", "\n");

  protocol.split = {{set.file("pairs.tsv", by_pair)}, "source"};
  const ProtocolResult of_pairs = set.run(protocol);
  REQUIRE(names_of(of_pairs.groups) == std::vector<std::string>{"film", "web"});
  CHECK(of_pairs.groups[0].count_of("genuine_pairs") + of_pairs.groups[0].count_of("impostor_pairs") == 200);
  CHECK(of_pairs.count_of("pairs_without_group") == 0);

  protocol.split = {{set.file("people.csv", by_person)}, "source"};
  const ProtocolResult of_people = set.run(protocol);
  protocol.split = {{set.file("folders.csv", "folder,source\nfilm,film\nweb/,web\nweb/p1,film\n")}, "source"};
  const ProtocolResult of_folders = set.run(protocol);
  protocol.split = {{set.file("two.csv", "folder,source\nfilm,film\nweb,web\n")}, "source"};
  const ProtocolResult of_two = set.run(protocol);
  for (const ProtocolResult* result : {&of_people, &of_folders, &of_two}) {
    CHECK(names_of(result->groups) == std::vector<std::string>{"film", "web"});
    CHECK(sum_of(result->groups, "genuine_pairs") == result->count_of("genuine_pairs"));
    CHECK(result->count_of("impostor_pairs_between_groups") ==
          result->count_of("impostor_pairs") - sum_of(result->groups, "impostor_pairs"));
    CHECK(result->count_of("impostor_pairs_between_groups") > 0);
  }
  CHECK(of_two.groups[0].counts == of_people.groups[0].counts);
  // The nearest folder counts: web's person 1 is in the film.
  CHECK(of_folders.groups[0].count_of("genuine_pairs") > of_two.groups[0].count_of("genuine_pairs"));
}

TEST_CASE("verification: pairs are numbered as in the whole list, also where some are left out") {
  SplitSet set;
  const std::string list = concat("nowhere.jpg ", set.items[0], " 1\n", set.items[0], " ", set.items[1],
                                  " 1\n", set.items[0], " ", set.items[7], " 0\n");
  VerificationProtocol protocol = over_list(set.file("some.txt", list));
  protocol.allow_missing = true;
  protocol.split = {{set.file("pairs.csv", "pair,kind\n1,lost\n2,easy\n3,hard\n")}, "kind"};
  const ProtocolResult result = set.run(protocol);
  REQUIRE(names_of(result.groups) == std::vector<std::string>{"easy", "hard"});
  CHECK(result.groups[0].count_of("genuine_pairs") == 1);
  CHECK(result.groups[1].count_of("impostor_pairs") == 1);
  CHECK(std::isnan(result.groups[1].value_of("auc")));
}

TEST_CASE("pairs alone: listed folds stay, others are cut anew") {
  PairList list;
  for (int i = 0; i < 40; ++i) {
    list.pairs.push_back({2 * i, 2 * i + 1, i % 2 == 0});
    list.folds.push_back(i / 4);
  }
  const std::vector<int64_t> chosen{0, 1, 2, 5, 8, 9, 10, 13, 20, 33, 34, 39};
  list.folds_from = Folds::kListed;
  const PairList listed = pairs_alone(list, chosen);
  CHECK(listed.folds == std::vector<int>{0, 0, 0, 1, 2, 2, 2, 3, 5, 8, 8, 9});
  CHECK(listed.pairs[3] == list.pairs[5]);
  list.folds_from = Folds::kContiguous;
  CHECK(pairs_alone(list, chosen).folds == std::vector<int>{0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  list.folds_from = Folds::kByKind;
  CHECK(pairs_alone(list, chosen).folds == std::vector<int>{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5});
}

TEST_CASE("all pairs: a group's numbers are those of its images alone, and those of two groups are right") {
  SplitSet set;
  AllPairsProtocol protocol{"set", {0.01, 0.1}, true};
  const ProtocolResult unsplit = set.run(protocol);
  protocol.split = {{set.table_of_poses()}, "pose"};
  const ProtocolResult whole = set.run(protocol, 1);
  check_same(whole, unsplit, false);
  REQUIRE(names_of(whole.groups) == kPoses);
  for (size_t g = 0; g < 2; ++g) {
    set.write_set("alone", [&](size_t row) { return set.poses[row] == kPoses[g]; });
    AllPairsProtocol alone = protocol;
    alone.set = "alone";
    alone.split = {};
    check_same(whole.groups[g], set.run(alone));
  }
  // Frontal with profile, a pair at a time.
  brute::Scores scores;
  std::vector<std::array<size_t, 2>> pairs;
  int64_t without = 0;
  for (size_t a = 0; a < set.labels.size(); ++a) {
    for (size_t b = a + 1; b < set.labels.size(); ++b) {
      const std::string group = set.group_of(a, b);
      without += group.empty();
      if (group != kPoses[2]) continue;
      const double score = brute::dot(set.vectors, static_cast<int64_t>(a), static_cast<int64_t>(b));
      (set.labels[a] == set.labels[b] ? scores.genuine : scores.impostor).push_back(score);
      pairs.push_back({a, b});
    }
  }
  const ProtocolResult& mixed = whole.groups[2];
  CHECK(mixed.count_of("genuine_pairs") == std::ssize(scores.genuine));
  CHECK(mixed.count_of("impostor_pairs") == std::ssize(scores.impostor));
  CHECK(mixed.value_of("auc") == Approx(brute::auc(scores)).epsilon(1e-13));
  CHECK(mixed.value_of("eer") == Approx(brute::eer(scores)).epsilon(1e-9));
  CHECK(whole.count_of("pairs_without_group") == without);
  Roc roc(scores.genuine);
  roc.add_impostors(scores.impostor);
  std::vector<double> common;
  for (const Json& rate : whole.details["thresholds"]) common.push_back(rate["threshold"].get<double>());
  const PairUncertainty uncertainty(roc, protocol.far, common);
  PeopleTally tally = uncertainty.empty_tally(30);
  for (const auto& [a, b] : pairs) {
    const double score = brute::dot(set.vectors, static_cast<int64_t>(a), static_cast<int64_t>(b));
    if (set.labels[a] == set.labels[b]) {
      tally.genuine(set.labels[a], score);
    } else {
      tally.impostor(set.labels[a], set.labels[b], score);
    }
  }
  for (size_t far = 0; far < 2; ++far) {
    const std::string name = name_with_rate("tar_at_far", protocol.far[far]);
    CHECK(mixed.value_of(name) == brute::tar_at_most(scores, protocol.far[far]));
    const auto number = std::ranges::find(mixed.numbers, name, &Measurement::name);
    CHECK(to_json(*number->uncertainty) == to_json(uncertainty.tar_at_far(tally, far)));
    CHECK(number->uncertainty->has_interval());
    const std::string tar = name_with_rate("tar_at_common_far", protocol.far[far]);
    const std::string false_accepts = name_with_rate("far_at_common_far", protocol.far[far]);
    CHECK(mixed.value_of(tar) == brute::share_at_least(scores.genuine, common[far]));
    CHECK(mixed.value_of(false_accepts) == brute::share_at_least(scores.impostor, common[far]));
    CHECK(mixed.value_of(false_accepts) != unsplit.value_of(name));
    const auto at_common = std::ranges::find(mixed.numbers, false_accepts, &Measurement::name);
    CHECK(to_json(*at_common->uncertainty) == to_json(uncertainty.far_at(tally, far)));
  }
}

TEST_CASE("all pairs: impostors between groups of people are counted, and a group of one image has no pair") {
  SplitSet set;
  std::string table = "person,source\n";
  for (int p = 0; p < 30; ++p) table += concat(p, ",", p % 3 == 0 ? "film" : "web", "\n");
  AllPairsProtocol protocol{"set", {0.1}, true, {{set.file("people.csv", table)}, "source"}};
  const ProtocolResult whole = set.run(protocol);
  REQUIRE(names_of(whole.groups) == std::vector<std::string>{"film", "web"});
  CHECK(sum_of(whole.groups, "genuine_pairs") == whole.count_of("genuine_pairs"));
  CHECK(whole.count_of("impostor_pairs_between_groups") == 50 * 100);
  CHECK(whole.groups[0].counts ==
        Counts{{"images", 50}, {"identities", 10}, {"genuine_pairs", 100}, {"impostor_pairs", 1125}});

  protocol.split.attributes = {set.file("one.csv", concat("image,source\n", set.items[0], ",film\n"))};
  const ProtocolResult one = set.run(protocol);
  CHECK(one.groups.empty());
  CHECK(one.count_of("pairs_without_group") == 150 * 149 / 2);
}

TEST_CASE("open set: a group's numbers are those of its probes against the whole gallery") {
  SplitSet set;
  std::string gallery;
  const auto probes = [&](const std::string& pose) {
    std::string text;
    for (size_t row = 0; row < set.items.size(); ++row) {
      const bool enrolled = row % 5 == 0 && set.labels[row] < 15;
      if (!enrolled && (pose == "all" || set.poses[row] == pose))
        text += concat(set.items[row], " 0 ", set.labels[row], "\n");
    }
    return text;
  };
  for (size_t row = 0; row < 75; row += 5) gallery += concat(set.items[row], " 0 ", set.labels[row], "\n");
  OpenSetProtocol protocol{
      "set", {set.file("g.txt", gallery)}, {set.file("p.txt", probes("all"))}, {0.3, 0.6}, true};
  const ProtocolResult unsplit = set.run(protocol);
  protocol.split = {{set.table_of_poses()}, "pose"};
  const ProtocolResult whole = set.run(protocol);
  check_same(whole, unsplit, false);
  REQUIRE(names_of(whole.groups) == std::vector<std::string>{"frontal", "profile"});
  for (const ProtocolResult& group : whole.groups) {
    OpenSetProtocol alone = protocol;
    alone.split = {};
    alone.probe = {set.file("alone.txt", probes(group.name))};
    check_same(group, set.run(alone));
    CHECK(group.value_of("rank1") < 1);
  }
  CHECK(whole.count_of("probes_without_group") ==
        whole.count_of("mated_probes") + whole.count_of("non_mated_probes") -
            sum_of(whole.groups, "mated_probes") - sum_of(whole.groups, "non_mated_probes"));
  CHECK(whole.count_of("probes_without_group") > 0);
}

TEST_CASE("IJB 1:1: a group's numbers are those of a list of its pairs alone") {
  const bool by_pair = GENERATE(false, true);
  const brute::TinyIjb ijb;
  const EmbeddingStore set = EmbeddingStore::open(ijb.files());
  IjbVerificationProtocol protocol{
      "ijbc", ijb.config.benchmark, {ijb.meta().string()}, {0.01, 0.1}, {TemplateProperty::kFlip}};
  const auto lines = ijb.lines("template_pair_label.txt");
  const auto pose = [](int64_t id) { return id % 7 == 0 ? "" : id % 3 == 0 ? "profile" : "frontal"; };
  std::string table = by_pair ? "pair,pose\n" : "template,pose\n";
  std::map<std::string, std::string> list_of;  // of each group
  std::set<int64_t> templates;
  for (size_t i = 0; i < lines.size(); ++i) {
    std::istringstream words(lines[i]);
    int64_t a = 0, b = 0;
    words >> a >> b;
    templates.insert({a, b});
    std::string group = pose(static_cast<int64_t>(i) + 1);
    if (!by_pair) {
      const std::string x = pose(a), y = pose(b);
      group = x.empty() || y.empty() ? "" : x == y ? x : "frontal x profile";
    }
    list_of[group] += lines[i] + "\n";
    if (by_pair) table += concat(i + 1, ",", group, "\n");
  }
  if (!by_pair) {
    for (const int64_t id : templates) table += concat(id, ",", pose(id), "\n");
  }
  write_file_atomically(ijb.folder / "poses.csv", table);
  protocol.split = {{(ijb.folder / "poses.csv").string()}, "pose"};
  const std::vector<ProtocolResult> whole = run_ijb_verification("x", set, protocol, 2);
  protocol.split = {};
  check_same(whole[1], run_ijb_verification("x", set, protocol, 1)[1], false);
  REQUIRE(whole[1].groups.size() == list_of.size() - 1);
  for (const ProtocolResult& group : whole[1].groups) {
    write_file_atomically(ijb.meta() / "ijbc_template_pair_label.txt", list_of.at(group.name));
    check_same(group, run_ijb_verification("x", set, protocol, 1)[1], false);
    CHECK(group.count_of("genuine_pairs") + group.count_of("impostor_pairs") ==
          std::ranges::count(list_of.at(group.name), '\n'));
  }
  CHECK(whole[1].count_of("pairs_without_group") == std::ranges::count(list_of.at(""), '\n'));
}

TEST_CASE("tables that do not fit are refused with file, line and remedy") {
  SplitSet set;
  const auto refusal = [&](const std::string& table, const std::string& column = "pose") {
    AllPairsProtocol protocol{"set", {0.1}, true, {{set.file("t.csv", table)}, column}};
    const std::string said = brute::error_of(ErrorKind::kData, [&] { set.run(protocol); });
    const size_t file = said.find("t.csv");
    return file == std::string::npos ? said : said.substr(file);
  };
  const std::string &first = set.items[0], &second = set.items[1];
  CHECK_THAT(refusal(""), contains_text("t.csv:1: an empty file"));
  CHECK_THAT(refusal("image,pose\n"), contains_text("'pose' has no group for anything that is measured"));
  CHECK_THAT(refusal(concat("image,pose\n", first, ",\n")), contains_text("'pose' has no group"));
  CHECK_THAT(refusal("image,pose\n", "age"),
             contains_text("t.csv:1: the header 'image,pose' has no column 'age'"));
  CHECK_THAT(
      refusal(concat("file,pose\n", first, ",a\n")),
      contains_text("t.csv:1: the first column is 'file'; its name says what a line is about, here one of: "
                    "image, folder, person"));
  CHECK_THAT(refusal("pair,pose\n1,a\n"), contains_text("the first column is 'pair'"));
  CHECK_THAT(refusal(concat("image,pose\n", first, ",a\n", second, ",a\n", first, ",a\n")),
             contains_text(concat("t.csv:4: image '", first, "' stands in line 2 already")));
  CHECK_THAT(
      refusal(concat("image,pose\n", first, ",a\nnobody.jpg,a\nno.jpg,b\n")),
      contains_text(concat("t.csv:3: image 'nobody.jpg' is not among those that are measured (nor are those "
                           "of 1 other lines), and '",
                           second, "' has no line (nor have 148 others); name them alike")));
  CHECK_THAT(refusal("person,pose\nAnna,a\n"), contains_text("t.csv:2: 'Anna' is no number of a person"));
  std::string many = "image,pose\n";
  for (size_t row = 0; row < set.items.size(); ++row) many += concat(set.items[row], ",", row % 65, "\n");
  CHECK_THAT(refusal(many), contains_text("column 'pose' has more than 64 values; put its values into "
                                          "fewer bins"));
  std::string mixes = "image,pose\n";
  for (size_t row = 0; row < set.items.size(); ++row)
    mixes += concat(set.items[row], ",", (row * 7 + row / 5) % 20, "\n");
  CHECK_THAT(refusal(mixes), contains_text("groups and pairs of groups, more than 64"));

  // A table about more than the set is no error, as long as nothing lacks a line.
  std::string more = "image,pose\nelsewhere.jpg,c\n";
  for (const std::string& item : set.items) more += item + ",a\n";
  CHECK(refusal(more) == "no error");
  AllPairsProtocol protocol{"set", {0.1}, true, {{"/no/such/table.csv"}, "pose"}};
  CHECK_THAT(brute::error_of(ErrorKind::kMissingInput, [&] { set.run(protocol); }),
             contains_text("/no/such/table.csv"));
}

TEST_CASE("a table and its column are given together") {
  const KnownSources none({}, false);
  AllPairsProtocol protocol;
  protocol.split.column = "pose";
  CHECK(problems_of(protocol, none) ==
        std::vector<std::string>{"attributes and split are given together or not at all"});
  protocol.split.attributes = {"t.csv"};
  CHECK(problems_of(protocol, none).empty());
}

}  // namespace uir
