#include "uir/eval/distractor_search.h"

#include <algorithm>
#include <tuple>

#include "uir/base/error.h"
#include "uir/base/file.h"
#include "uir/search/pair_filter.h"

namespace uir {
void BestColumns::add(int64_t column, const OtherScores& scores) {
  if (scores.other < threshold()) return;
  const auto [place, is_new] = best_.try_emplace(column, scores);
  if (!is_new) place->second.add(scores);
  if (is_new && static_cast<int64_t>(best_.size()) >= next_cut_) cut();
}

std::vector<BestColumns::Column> BestColumns::columns() const {
  std::vector<Column> columns;
  for (const auto& [column, scores] : best_) columns.push_back({column, scores});
  std::ranges::sort(columns, [](const Column& a, const Column& b) {
    return std::tie(b.scores.other, a.column) < std::tie(a.scores.other, b.column);
  });
  return columns;
}

int64_t BestColumns::bytes() const {
  constexpr int64_t kEntryBytes = 88;  // a node, its place in the table, its copy while they are sorted
  return kEntryBytes * (n_ + growth());
}

std::string BestColumns::save() const {
  ByteWriter writer;
  writer.put_all(columns());
  return writer.take();
}

void BestColumns::merge(ByteReader& reader) {
  for (const Column& column : reader.get_all<Column>()) add(column.column, column.scores);
}

void BestColumns::cut() {
  const std::vector<Column> sorted = columns();
  if (std::ssize(sorted) >= n_) {
    raise(threshold_, sorted[static_cast<size_t>(n_ - 1)].scores.other);
    std::erase_if(best_, [&](const auto& entry) { return entry.second.other < threshold(); });
  }
  const auto kept = static_cast<int64_t>(best_.size());
  next_cut_ = kept + std::max(growth(), kept / 2);  // many may tie at the threshold
}

int64_t BestColumns::growth() const { return std::max<int64_t>(n_ / 4, 64); }

struct DistractorSearch::Part : Block {
  Part(DistractorSearch& search, std::unique_ptr<Block> pairs, RowRange columns)
      : search(search),
        pairs(std::move(pairs)),
        first_column(columns.begin),
        best(static_cast<size_t>(columns.size())),
        least(static_cast<size_t>(columns.size() / kFilterColumns + 1), OtherScores::kNone) {}

  // A pair matters to the distractors when it is among the best of any of them, and of its column's two best
  // people so far.
  void thresholds(RowRange rows, RowRange columns, std::span<double> thresholds) override {
    pairs->thresholds(rows, columns, thresholds);
    if (search.distractors_.n() == 0) return;
    const auto panel = [&](int64_t column) {
      return least.begin() + (column - first_column) / kFilterColumns;
    };
    const double of_columns = *std::min_element(panel(columns.begin), panel(columns.end - 1) + 1);
    const double mine = std::max(search.distractors_.threshold(), of_columns);
    for (double& threshold : thresholds) threshold = std::min(threshold, mine);
  }
  bool wants(int64_t, int64_t) override { return true; }
  void add(int64_t row, int64_t column, double score) override {
    pairs->add(row, column, score);
    OtherScores& known = best[static_cast<size_t>(column - first_column)];
    if (score <= known.second) return;
    known.add_other(search.people_[static_cast<size_t>(row)], score);
    const int64_t panel = (column - first_column) / kFilterColumns;
    const auto begin = best.begin() + panel * kFilterColumns;
    const auto end = best.begin() + std::min<int64_t>((panel + 1) * kFilterColumns, std::ssize(best));
    least[static_cast<size_t>(panel)] =
        std::ranges::min_element(begin, end, {}, &OtherScores::second)->second;
  }

  DistractorSearch& search;
  std::unique_ptr<Block> pairs;
  int64_t first_column;
  std::vector<OtherScores> best;  // of each column
  std::vector<double> least;      // second of each panel of columns
};

std::unique_ptr<PairSearch::Block> DistractorSearch::begin(RowRange rows, RowRange columns) {
  return std::make_unique<Part>(*this, pairs_.begin(rows, columns), columns);
}

void DistractorSearch::commit(Block& block) {
  auto& part = static_cast<Part&>(block);
  pairs_.commit(*part.pairs);
  for (size_t c = 0; c < part.best.size(); ++c) {
    if (distractors_.n() > 0 && part.best[c].other_person >= 0)
      distractors_.add(part.first_column + static_cast<int64_t>(c), part.best[c]);
  }
}

std::string DistractorSearch::save() const {
  ByteWriter writer;
  writer.put_text(pairs_.save());
  return writer.take() + distractors_.save();
}

void DistractorSearch::merge(std::string_view saved) {
  ByteReader reader(saved);
  pairs_.merge(reader.get_text());
  distractors_.merge(reader);
}

std::string DistractorSearch::settings() const {
  return concat(pairs_.settings(), " distractors ", distractors_.n(), " of people ",
                checksum_hex(std::as_bytes(std::span(people_))));
}

int64_t DistractorSearch::block_bytes(int64_t rows, int64_t columns) const {
  return pairs_.block_bytes(rows, columns) +
         columns * static_cast<int64_t>(sizeof(OtherScores) + sizeof(double));
}

}  // namespace uir
