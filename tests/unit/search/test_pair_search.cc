// The exact searches against float64 brute force, to the last bit, for everything that must not matter:
// filter kernel, block sizes, threads, slices, interruptions.
#include <atomic>
#include <chrono>
#include <cmath>
#include <fstream>
#include <set>
#include <thread>
#include <tuple>

#include "support/best_pairs.h"
#include "support/brute_force.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/search_vectors.h"
#include "support/temp_folder.h"
#include "uir/base/log.h"
#include "uir/search/byte_values.h"
#include "uir/search/tail_search.h"
#include "uir/search/top_k.h"

namespace uir {
namespace {

struct TestSet {
  std::string name;
  CanonicalVectors vectors;
};

std::vector<TestSet> test_sets() {
  std::vector<int64_t> clusters;
  for (int64_t i = 0; i < 190; ++i) clusters.push_back(i * i % 7);
  std::vector<TestSet> sets;
  sets.push_back({"random", from_values(brute::random_values(201 * 37, 1), 37)});
  sets.push_back({"clustered", brute::faces(clusters, 65, 0.05, 2)});
  sets.push_back({"tied", tied_vectors(210, 5, 3)});
  sets.push_back({"one row", from_values(brute::random_values(3, 4), 3)});
  sets.push_back({"two equal rows of one value", from_values({2, 2}, 1)});
  return sets;
}

struct Pair {
  int64_t row, column;
  double score;
};

std::vector<Pair> brute_pairs(const CanonicalVectors& a, const CanonicalVectors& b, PairsOf kind,
                              const PairWanted& wanted) {
  std::vector<Pair> pairs;
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t j = kind == PairsOf::kOneSet ? i + 1 : 0; j < b.rows; ++j) {
      if (wanted && !wanted(i, j)) continue;
      double sum = 0;
      for (int64_t d = 0; d < a.cols; ++d) sum += double{a.values[i * a.cols + d]} * b.values[j * a.cols + d];
      pairs.push_back({i, j, sum});
    }
  }
  std::ranges::sort(pairs, [](const Pair& x, const Pair& y) {
    return std::tie(y.score, x.row, x.column) < std::tie(x.score, y.row, y.column);
  });
  return pairs;
}

std::vector<TailPair> brute_tail(const std::vector<Pair>& sorted, int64_t n) {
  std::vector<TailPair> tail;
  for (size_t i = 0; i < std::min(sorted.size(), static_cast<size_t>(n)); ++i)
    tail.push_back(
        {sorted[i].score, static_cast<uint32_t>(sorted[i].row), static_cast<uint32_t>(sorted[i].column)});
  return tail;
}

std::vector<std::vector<Neighbour>> brute_top_k(const std::vector<Pair>& sorted, int64_t rows, size_t k) {
  std::vector<std::vector<Neighbour>> best(static_cast<size_t>(rows));
  for (const Pair& pair : sorted) {
    if (best[pair.row].size() < k) best[pair.row].push_back({pair.column, pair.score});
  }
  return best;
}

bool different_class(int64_t row, int64_t column) { return row % 4 != column % 4; }

}  // namespace

TEST_CASE("tail search agrees with brute force for every kernel, block size and number of threads") {
  for (const TestSet& set : test_sets()) {
    for (const PairsOf kind : {PairsOf::kOneSet, PairsOf::kRowsAndColumns}) {
      for (const bool all : {true, false}) {
        const PairWanted wanted = all ? PairWanted() : different_class;
        const std::vector<Pair> pairs = brute_pairs(set.vectors, set.vectors, kind, wanted);
        if (pairs.empty()) continue;
        for (const int64_t n : {int64_t{1}, int64_t{300}, static_cast<int64_t>(pairs.size()) + 5}) {
          const std::vector<TailPair> expected = brute_tail(pairs, n);
          for (const FilterKernel& kernel : filter_kernels()) {
            for (const auto& [row_block, column_block, threads] :
                 {std::tuple<int64_t, int64_t, int>{0, 256, 1}, {13, 64, 3}, {1, 1, 1}}) {
              if (row_block == 1 && (n != 1 || !kernel.int8() || !all)) continue;
              ScanOptions options{
                  .resources = {.threads = threads}, .row_block = row_block, .column_block = column_block};
              options.kernel = &kernel;
              const UnitRows rows(set.vectors);
              const std::vector<TailPair> found = best_pairs(rows, rows, kind, n, wanted, options);
              INFO(set.name << ", n " << n << ", kernel " << kernel.name << ", row block " << row_block);
              CHECK(found == expected);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("a first look at leading coordinates leaves out nothing, however much of a vector they are") {
  std::vector<TestSet> sets = test_sets();
  sets.push_back({"low rank", low_rank_vectors(420, 80, 11)});
  for (const TestSet& set : sets) {
    for (const PairsOf kind : {PairsOf::kOneSet, PairsOf::kRowsAndColumns}) {
      const std::vector<Pair> pairs = brute_pairs(set.vectors, set.vectors, kind, different_class);
      for (const int64_t leading : {5, 16, 37, 64}) {
        if (leading >= set.vectors.cols) continue;
        for (const FilterKernel& kernel : filter_kernels()) {
          for (const auto& [row_block, threads] : {std::pair<int64_t, int>{0, 1}, {50, 3}}) {
            ScanOptions options{
                .resources = {.threads = threads}, .row_block = row_block, .column_block = 64};
            options.kernel = &kernel;
            options.leading_values = leading;
            const UnitRows rows(set.vectors);
            INFO(set.name << ", " << leading << " values, kernel " << kernel.name);
            CHECK(best_pairs(rows, rows, kind, 40, different_class, options) == brute_tail(pairs, 40));
            if (kind == PairsOf::kOneSet) continue;
            CHECK(top_k(rows, rows, 3, different_class, options) == brute_top_k(pairs, set.vectors.rows, 3));
          }
        }
      }
    }
  }
}

TEST_CASE("the best k of every row agree with brute force, ties by column") {
  for (const TestSet& set : test_sets()) {
    const PairWanted others = [](int64_t row, int64_t column) { return row != column; };
    const std::vector<Pair> pairs = brute_pairs(set.vectors, set.vectors, PairsOf::kRowsAndColumns, others);
    for (const int64_t k : {1, 3, 1000}) {
      const auto expected = brute_top_k(pairs, set.vectors.rows, static_cast<size_t>(k));
      for (const FilterKernel& kernel : filter_kernels()) {
        for (const auto& [row_block, column_block, threads] :
             {std::tuple<int64_t, int64_t, int>{0, 256, 1}, {50, 64, 3}, {7, 30, 2}}) {
          ScanOptions options{
              .resources = {.threads = threads}, .row_block = row_block, .column_block = column_block};
          options.kernel = &kernel;
          const UnitRows rows(set.vectors);
          INFO(set.name << ", k " << k << ", kernel " << kernel.name);
          CHECK(top_k(rows, rows, k, others, options) == expected);
        }
      }
    }
  }
}

TEST_CASE(
    "rows of two sets, read lazily with the flip test and of a list of rows, score as canonical vectors do") {
  const int64_t n = 140, dim = 21;
  const std::vector<float> values = brute::random_values(n * dim, 5),
                           mirrored = brute::random_values(n * dim, 6);
  const MatrixView view{values.data(), n, dim}, mirrored_view{mirrored.data(), n, dim};
  const CanonicalVectors all = canonical_vectors(view, mirrored_view);
  std::vector<int64_t> even, odd;
  CanonicalVectors a{{}, 70, dim}, b{{}, 70, dim};
  for (int64_t i = 0; i < n; ++i) {
    (i % 2 == 0 ? even : odd).push_back(i);
    CanonicalVectors& half = i % 2 == 0 ? a : b;
    half.values.insert(half.values.end(), all.row(i).begin(), all.row(i).end());
  }
  const UnitRows rows(view, mirrored_view);
  const auto expected = brute_tail(brute_pairs(a, b, PairsOf::kRowsAndColumns, nullptr), 40);
  CHECK(best_pairs(rows.subset(even), rows.subset(odd), PairsOf::kRowsAndColumns, 40) == expected);

  std::vector<float> broken = values;
  std::fill_n(broken.data() + 17 * dim, dim, 0.0F);
  const UnitRows zero_row(MatrixView{broken.data(), n, dim}, std::nullopt,
                          [](int64_t row) { return concat("face ", row); });
  const auto error =
      error_of([&] { best_pairs(zero_row.subset(odd), zero_row.subset(odd), PairsOf::kOneSet, 3); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
  CHECK_THAT(error->what(), contains_text("face 17"));
}

namespace {

template <class Search>
concept CanBeDivided = requires(const UnitRows& rows, Search& search, const DividedScanOptions& options) {
  scan_pairs(rows, rows, PairsOf::kOneSet, search, options);
};
static_assert(CanBeDivided<TailSearch> && CanBeDivided<TopKSearch> && !CanBeDivided<PairSearch>);

// All slices of a search, each with its own saved result, merged in the given order.
std::vector<TailPair> tail_of_slices(const UnitRows& rows, int64_t n, const std::vector<int64_t>& order) {
  TailSearch merged(n, "test");
  int64_t pairs = 0;
  for (int64_t index : order) {
    TailSearch part(n, "test");
    DividedScanOptions options{{.row_block = 30, .column_block = 40}};
    options.slice = {index, static_cast<int64_t>(order.size())};
    pairs += scan_pairs(rows, rows, PairsOf::kOneSet, part, options).pairs;
    merged.merge(part.save());
  }
  CHECK(pairs == rows.size() * (rows.size() - 1) / 2);
  return merged.pairs();
}

}  // namespace

TEST_CASE("merged slices are the whole") {
  for (const TestSet& set : test_sets()) {
    const UnitRows rows(set.vectors);
    for (const int64_t n : {1, 50, 100000}) {
      const auto whole = best_pairs(rows, rows, PairsOf::kOneSet, n);
      INFO(set.name);
      CHECK(tail_of_slices(rows, n, {0}) == whole);
      CHECK(tail_of_slices(rows, n, {2, 0, 1}) == whole);
      CHECK(tail_of_slices(rows, n, {3, 1, 4, 0, 2}) == whole);
    }
    TopKSearch whole(set.vectors.rows, 4, "test"), merged(set.vectors.rows, 4, "test");
    scan_pairs(rows, rows, PairsOf::kRowsAndColumns, whole);
    for (int64_t index : {1, 0}) {
      TopKSearch part(set.vectors.rows, 4, "test");
      DividedScanOptions options{{.row_block = 17, .column_block = 20}};
      options.slice = {index, 2};
      scan_pairs(rows, rows, PairsOf::kRowsAndColumns, part, options);
      merged.merge(part.save());
    }
    for (int64_t i = 0; i < set.vectors.rows; ++i) CHECK(std::ranges::equal(merged.row(i), whole.row(i)));
  }
}

namespace {

struct Warnings {
  Warnings() {
    previous = set_log_sink([this](LogLevel level, std::string_view message) {
      if (level == LogLevel::kWarning) text += message;
    });
  }
  ~Warnings() { set_log_sink(previous); }
  std::string text;
  LogSink previous;
};

}  // namespace

TEST_CASE("an interrupted search continues to the same result, from any number of interruptions") {
  const TempFolder folder;
  const CanonicalVectors vectors = tied_vectors(300, 6, 8);
  const UnitRows rows(vectors);
  const auto expected = best_pairs(rows, rows, PairsOf::kOneSet, 60);
  for (const int threads : {1, 3}) {
    int stops = 0;
    for (;; ++stops) {
      std::atomic<int> blocks{0};
      TailSearch search(60, "test");
      DividedScanOptions options{{.resources = {.threads = threads}, .row_block = 50, .column_block = 40}};
      options.state = folder / "tail.state";
      options.save_every_s = threads == 1 ? 0 : 30;
      options.stop = [&] { return ++blocks > 7; };
      const auto error = error_of([&] { scan_pairs(rows, rows, PairsOf::kOneSet, search, options); });
      if (!error) {
        CHECK(search.pairs() == expected);
        break;
      }
      CHECK(error->kind() == ErrorKind::kStopped);
      REQUIRE(stops < 20);
    }
    CHECK(stops >= 4);
    fs::remove(folder / "tail.state");
  }
}

TEST_CASE("a search that fails with blocks done ahead of others counts each once when it continues") {
  const CanonicalVectors vectors = tied_vectors(300, 6, 8);
  const UnitRows rows(vectors);
  const auto expected = best_pairs(rows, rows, PairsOf::kOneSet, 60);
  bool ahead = false;
  for (int repeat = 0; repeat < 10; ++repeat) {
    const TempFolder folder;
    for (int failures = 0;; ++failures) {
      std::atomic<bool> fails{failures < 6};
      const int64_t first = 50 * ((repeat + failures) % 6);
      const auto wanted = [&](int64_t row, int64_t) {
        if (row < first || row >= first + 50 || !fails.exchange(false)) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));  // the other threads finish later blocks
        throw Error(ErrorKind::kIo, "broken off");
      };
      TailSearch search(60, "test", wanted);
      DividedScanOptions options{{.resources = {.threads = 3}, .row_block = 50, .column_block = 40}};
      options.state = folder / "tail.state";
      options.save_every_s = 0;
      if (!error_of([&] { scan_pairs(rows, rows, PairsOf::kOneSet, search, options); })) {
        CHECK(search.pairs() == expected);
        break;
      }
      REQUIRE(failures < 7);
      if (!fs::exists(options.state)) continue;
      const MappedFile saved(options.state);
      ByteReader reader(as_text(saved.bytes()).substr(16));
      reader.get<uint64_t>();
      reader.get<int64_t>();
      ahead |= !reader.get_all<int64_t>().empty();
    }
  }
  CHECK(ahead);  // else nothing was shown
}

TEST_CASE("a state belongs to one set, division, slice and search") {
  const CanonicalVectors vectors = from_values(brute::random_values(100 * 6, 31), 6),
                         others = from_values(brute::random_values(100 * 6, 32), 6);
  const UnitRows rows(vectors), other_rows(others);
  struct Case {
    std::string_view name;
    const UnitRows& columns;
    PairsOf pairs = PairsOf::kRowsAndColumns;
    int64_t n = 9, row_block = 50, column_block = 40;
    Slice slice{0, 2};
    std::string what = "test";
  };
  const TempFolder folder;
  // Whether the scan had to look at blocks.
  const auto starts_over = [&](const Case& c) {
    TailSearch search(c.n, c.what);
    DividedScanOptions options{{.row_block = c.row_block, .column_block = c.column_block}};
    options.slice = c.slice;
    options.state = folder / "tail.state";
    int asked = 0;
    options.stop = [&] { return ++asked < 0; };
    scan_pairs(rows, c.columns, c.pairs, search, options);
    return asked > 0;
  };
  for (const Case& changed :
       {Case{"columns", other_rows}, Case{.name = "kind", .columns = rows, .pairs = PairsOf::kOneSet},
        Case{.name = "n", .columns = rows, .n = 10},
        Case{.name = "row block", .columns = rows, .row_block = 49},
        Case{.name = "column block", .columns = rows, .column_block = 41},
        Case{.name = "slice", .columns = rows, .slice = {1, 2}},
        Case{.name = "search", .columns = rows, .what = "other"}}) {
    INFO(changed.name);
    fs::remove(folder / "tail.state");
    CHECK(starts_over({.name = "first", .columns = rows}));
    CHECK_FALSE(starts_over({.name = "again", .columns = rows}));
    const Warnings warnings;
    CHECK(starts_over(changed));
    CHECK_THAT(warnings.text, contains_text("other embeddings or settings"));
  }
}

TEST_CASE("a finished state gives its result again; damaged and foreign ones are named and ignored") {
  const TempFolder folder;
  const CanonicalVectors vectors = tied_vectors(100, 6, 8), others = tied_vectors(100, 6, 9);
  const UnitRows rows(vectors), other_rows(others);
  const fs::path state = folder / "tail.state";
  const auto run = [&](const UnitRows& of, int64_t n, int64_t column_block) {
    DividedScanOptions options{{.row_block = 50, .column_block = column_block}};
    options.state = state;
    int asked = 0;
    options.stop = [&] { return ++asked < 0; };
    auto pairs = best_pairs(of, of, PairsOf::kOneSet, n, nullptr, options);
    return std::pair(pairs, asked);
  };
  const Warnings warnings;
  const auto [expected, blocks] = run(rows, 9, 40);
  CHECK(blocks > 0);
  CHECK(run(rows, 9, 40) == std::pair(expected, 0));
  CHECK(warnings.text.empty());

  CHECK(run(rows, 9, 41).first == expected);  // other blocks
  CHECK_THAT(warnings.text, contains_text("other embeddings or settings"));
  CHECK(run(other_rows, 9, 41).first == best_pairs(other_rows, other_rows, PairsOf::kOneSet, 9));
  CHECK(run(other_rows, 10, 41).first == best_pairs(other_rows, other_rows, PairsOf::kOneSet, 10));

  const std::string good = read_text_file(state);
  for (const size_t at : {size_t{20}, good.size() / 2, good.size() - 1}) {
    std::string bad = good;
    bad[at] ^= 1;
    std::ofstream(state, std::ios::binary) << bad;
    const Warnings damage;
    CHECK(run(other_rows, 10, 41).first == best_pairs(other_rows, other_rows, PairsOf::kOneSet, 10));
    CHECK_THAT(damage.text, contains_text("damaged"));
  }
  for (const std::string& text : {std::string(), std::string("x"), good.substr(0, 30)}) {
    std::ofstream(state, std::ios::binary) << text;
    const Warnings damage;
    CHECK(run(other_rows, 10, 41).first == best_pairs(other_rows, other_rows, PairsOf::kOneSet, 10));
    CHECK_FALSE(damage.text.empty());
  }
}

TEST_CASE("results do not depend on the memory, and too little of it is an error of the config") {
  const CanonicalVectors vectors = from_values(brute::random_values(400 * 64, 21), 64);
  const UnitRows rows(vectors);
  const auto pairs = brute_pairs(vectors, vectors, PairsOf::kOneSet, nullptr);
  const auto ordered = brute_pairs(vectors, vectors, PairsOf::kRowsAndColumns, nullptr);
  const auto tail = brute_tail(pairs, 50);
  const auto neighbours = brute_top_k(ordered, vectors.rows, 4);
  std::set<int64_t> row_blocks;
  for (const int64_t memory : {170'000, 300'000, 1'000'000, 1 << 30}) {
    ScanOptions options{.resources = {.threads = 3, .memory = memory}};
    INFO(memory << " bytes");
    const TailSearch tail_search(50, "test");
    const BlockSizes blocks = block_sizes(64, tail_search, options.resources);
    row_blocks.insert(blocks.rows);
    // What the blocks take, counted from what is allocated: float32 copies on both sides.
    const FilterKernel float32 = filter_kernels().back();
    const int64_t block_memory =
        FilterVectors(float32, FilterVectors::Side::kRows, blocks.rows, 64).bytes() +
        blocks.workers * (FilterVectors(float32, FilterVectors::Side::kColumns, blocks.columns, 64).bytes() +
                          blocks.columns * 64 * 4);
    CHECK(block_memory + tail_search.bytes() <= memory);
    CHECK(blocks.workers >= 1);
    CHECK(best_pairs(rows, rows, PairsOf::kOneSet, 50, nullptr, options) == tail);
    CHECK(top_k(rows, rows, 4, nullptr, options) == neighbours);
  }
  CHECK(row_blocks.size() == 4);

  for (const int64_t memory : {0, 1000, 90'000}) {
    ScanOptions options{.resources = {.memory = memory}};
    const auto error = error_of([&] { best_pairs(rows, rows, PairsOf::kOneSet, 50, nullptr, options); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::kConfig);
    CHECK_THAT(error->what(), contains_text("eval.memory_mb"));
  }
  // The best of all rows alone are more than that.
  ScanOptions options{.resources = {.memory = 600'000}};
  CHECK(kind_of([&] { top_k(rows, rows, 100, nullptr, options); }) == ErrorKind::kConfig);
}

TEST_CASE("blocks are cut alike for any number of threads") {
  const TailSearch search(1 << 20, "test");
  for (const int64_t memory : {int64_t{200} << 20, int64_t{1} << 31, int64_t{1} << 40}) {
    const BlockSizes one = block_sizes(512, search, {1, memory}),
                     many = block_sizes(512, search, {64, memory});
    CHECK(one.rows == many.rows);
    CHECK(one.columns == many.columns);
    CHECK(one.workers == 1);
    CHECK(many.workers > 0);
    CHECK(many.workers <= 64);
  }
  CHECK(block_sizes(512, search, {64, int64_t{1} << 40}).workers == 64);
  CHECK(block_sizes(512, search, {64, int64_t{1} << 40}).rows == 65536);
}

TEST_CASE("slices that cut the work differently are refused") {
  const CanonicalVectors vectors = tied_vectors(100, 6, 8);
  const UnitRows rows(vectors);
  std::string theirs;
  DividedScanOptions first{{.row_block = 30, .column_block = 40}};
  first.slice = {0, 2};
  first.exchange = [&](const std::string& mine) {
    theirs = mine;
    return std::vector{mine, mine};
  };
  best_pairs(rows, rows, PairsOf::kOneSet, 5, nullptr, first);
  DividedScanOptions second{{.row_block = 36, .column_block = 40}};
  second.slice = {1, 2};
  second.exchange = [&](const std::string& mine) { return std::vector{theirs, mine}; };
  const auto error = error_of([&] { best_pairs(rows, rows, PairsOf::kOneSet, 5, nullptr, second); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kConfig);
  CHECK_THAT(error->what(), contains_text("30 x 40"));
  second.row_block = 30;
  CHECK(best_pairs(rows, rows, PairsOf::kOneSet, 5, nullptr, second) ==
        best_pairs(rows, rows, PairsOf::kOneSet, 5));
}

TEST_CASE("of pairs that tie at the last place those of lower rows and columns stay, whoever came first") {
  TopPairs top(3);
  for (uint32_t i = 5000; i-- > 0;) top.add({i % 2 == 0 ? 0.5 : 0.25, i / 10, i});
  top.add({0.75, 7, 7});
  CHECK(top.pairs() == std::vector<TailPair>{{0.75, 7, 7}, {0.5, 0, 0}, {0.5, 0, 2}});
  CHECK(top.threshold() == 0.5);
  top.add({0.5, 0, 1});
  top.add({0.4, 0, 0});
  CHECK(top.pairs() == std::vector<TailPair>{{0.75, 7, 7}, {0.5, 0, 0}, {0.5, 0, 1}});
  CHECK(TopPairs(5).pairs().empty());
  CHECK(kind_of([] { TopPairs(kMaxTail + 1); }) == ErrorKind::kConfig);
}

}  // namespace uir
