#include "uir/report/number_words.h"

#include "support/catch.h"
#include "support/protocol_facts.h"

namespace uir {
namespace {

std::string sentence(std::string_view type, std::string_view number, std::string_view value = "9 %") {
  const auto words = words_of(number, facts_of(type).meanings);
  return words ? concat(words->with(value), " ", words->term) : "";
}

}  // namespace

TEST_CASE("rates are said as people say them") {
  CHECK(rate_in_words(1e-3) == "one in 1,000");
  CHECK(rate_in_words(1e-9) == "one in 1,000,000,000");
  CHECK(rate_in_words(0.05) == "one in 20");
  CHECK(rate_in_words(0.015) == "15 in 1,000");
  CHECK(rate_in_words(0.3) == "3 in 10");
  CHECK(rate_in_words(1) == "all");
}

TEST_CASE("a share has the decimals that tell it from none and all") {
  CHECK(value_in_words(0.941, kHigherRate) == "94.1 %");
  CHECK(value_in_words(0.99984, kHigherRate) == "99.984 %");
  CHECK(value_in_words(0.99999999, kHigherRate) == "99.9999990 %");
  CHECK(value_in_words(0.00012, kHigherRate) == "0.012 %");
  CHECK(value_in_words(0.5, kHigherRate) == "50.0 %");
  CHECK(value_in_words(0, kHigherRate) == "0 %");
  CHECK(value_in_words(1, kHigherRate) == "100 %");
  CHECK(value_in_words(0.58912, {}) == "0.589");
  Uncertainty uncertainty;
  CHECK(value_in_words(0.941, &uncertainty, kHigherRate) == "94.1 %");
  uncertainty.low = 0.932;
  uncertainty.high = 0.95;
  CHECK(value_in_words(0.941, &uncertainty, kHigherRate) == "94.1 % (93.2 to 95.0 %)");
  CHECK(value_in_words(1, &uncertainty, kHigherRate) == "100 % (93.2 to 95.0 %)");
  CHECK(value_in_words(0.941, &uncertainty, {}) == "0.941 (0.932 to 0.950)");
  uncertainty.resolution = Resolution::kWeak;
  uncertainty.impostor_events = 12;
  CHECK(value_in_words(0.941, &uncertainty, kHigherRate) == "94.1 % (93.2 to 95.0 %, weak: 12 events)");
  Uncertainty unresolved;
  unresolved.resolution = Resolution::kNotResolved;
  CHECK(value_in_words(0.941, &unresolved, kHigherRate) == "94.1 % (not resolved)");
  CHECK(value_in_words(0.941, nullptr, kHigherRate) == "94.1 %");
}

TEST_CASE("a number's sentence has its rate or rank, and the field's term") {
  CHECK(
      sentence("all_pairs", "tar_at_far_0.001") ==
      "9 % of pairs of one person are accepted when one in 1,000 pairs of different people is. TAR@FAR 1e-3");
  CHECK(sentence("all_pairs", "tar_at_far_0.015") ==
        "9 % of pairs of one person are accepted when 15 in 1,000 pairs of different people are. TAR@FAR "
        "0.015");
  CHECK(sentence("ijb_identification", "top1") ==
        "9 % of the probes have the right person in the first place. rank-1");
  CHECK(sentence("ijb_identification", "top10") ==
        "9 % of the probes have the right person among the first 10. rank-10");
  CHECK(sentence("rejection", "strangers_rejected_keeping_0.99_by_probability") ==
        "9 % of the faces of strangers are rejected when 99 % of the faces of known people are kept. "
        "rejection at "
        "99 % kept, by probability");
  CHECK(sentence("video_retrieval", "map_at_100") ==
        "A search for a person finds the right videos with an average precision of 9 % over the first 100 "
        "answers. "
        "mAP@100");
}

TEST_CASE("only headline numbers have words") {
  CHECK(sentence("all_pairs", "tar_at_far_0.001_per_person").empty());
  CHECK(sentence("all_pairs", "tar_at_common_far_0.001").empty());
  CHECK(sentence("verification", "accuracy_std").empty());
  CHECK(sentence("rejection", "strangers_rejected_keeping_0.99_right_by_probability").empty());
  CHECK(sentence("rejection", "strangers_rejected_keeping_0.99_by_cosine").empty());
  CHECK(sentence("ijb_identification", "g1.tpir_at_fpir_0.01").empty());
  CHECK(!sentence("ijb_identification", "mean.tpir_at_fpir_0.01").empty());
  CHECK(sentence("megaface", "identification_rank_1_distractors_10").empty());
  CHECK(sentence("all_pairs", "unheard_of").empty());
}

TEST_CASE("every protocol has a number in words; strangers are spoken of where it has some") {
  for_each_alternative<decltype(ProtocolConfig::kind)>([&]<class Protocol>() {
    size_t worded = 0;
    for (const NamedMeaning& meaning : Protocol::number_facts().meanings) {
      const std::string_view text = meaning.words.sentence;
      if (text.empty()) continue;
      INFO(Protocol::kType << " " << text);
      ++worded;
      CHECK(text.ends_with('.'));
      CHECK(text.find("{value}") != std::string_view::npos);
      CHECK(!meaning.words.term.empty());
      const std::string_view type = Protocol::kType;
      const bool has_strangers = type == "open_set" || type == "rejection" || type == "ijb_identification" ||
                                 type == "trillion_pairs" || type == "megaface";
      CHECK((has_strangers || text.find("stranger") == std::string_view::npos));
      // With a rate behind the name nothing stays open.
      const auto words = words_of(concat(meaning.name, "_0.25", meaning.words.ending), {&meaning, 1});
      REQUIRE(words);
      CHECK(concat(words->with("1"), words->term).find('{') == std::string::npos);
    }
    CHECK(worded > 0);
  });
}

}  // namespace uir
