#include "uir/data/index_builder.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/data/color_order.h"
#include "uir/data/image_source.h"
#include "uir/data/index_files.h"
#include "uir/data/index_writer.h"
#include "uir/data/missing_files.h"
#include "uir/data/name_lookup.h"
#include "uir/data/pack.h"
#include "uir/data/sources.h"
#include "uir/formats/text_lines.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

constexpr size_t kRowsPerBatch = 8192;
constexpr int64_t kRowsPerBlock = 64;  // a thread's share at a time
constexpr int64_t kMaxWarnings = 20;

// One is the beginning of the other: the numbers of shards that both have mean the same.
bool same_shards(const std::vector<fs::path>& a, const std::vector<fs::path>& b) {
  const auto both = static_cast<std::ptrdiff_t>(std::min(a.size(), b.size()));
  return std::equal(a.begin(), a.begin() + both, b.begin());
}

// The source as the index that stands in the folder has it; null if it has none of this name, kind and place.
const SourceInfo* source_known_by(const std::optional<Index>& index, const SourceInfo& info) {
  if (!index || index->picture_rules() != Index::kPictureRules) return nullptr;
  if (index->mtimes().empty() || index->pixel_sizes().empty()) return nullptr;
  const auto known = std::ranges::find_if(index->sources(), [&](const SourceInfo& source) {
    return source.name == info.name && source.kind == info.kind && source.path == info.path &&
           same_shards(source.shards, info.shards);
  });
  return known == index->sources().end() ? nullptr : &*known;
}

// What that index knows of the source's images.
class KnownImages {
 public:
  KnownImages(const std::optional<Index>& index, const SourceInfo& info) {
    if (const SourceInfo* source = source_known_by(index, info)) adopt(*index, *source);
  }

  // The row of the old index that holds the image; −1 if there is none, or its header could not be read: it
  // is examined again, since formats are added.
  int64_t find(const SourceRow& row) {
    if (!index_) return -1;
    int64_t found = is_row(next_, row) ? next_ : look_up(row);
    if (found < 0) return -1;
    next_ = found + 1;
    return index_->pixel_sizes()[static_cast<size_t>(found)][0] > 0 ? found : -1;
  }

  ImageFacts facts(int64_t row) const {
    const auto i = static_cast<size_t>(row);
    ImageFacts facts;
    facts.size = index_->sizes()[i];
    facts.mtime = index_->mtimes()[i];
    facts.hash = index_->hashes()[i];
    facts.pixels = index_->pixel_sizes()[i];
    if (index_->flags()[i] & kBad) facts.unreadable = "marked as bad before";
    facts.reused = true;
    return facts;
  }

 private:
  void adopt(const Index& index, const SourceInfo& source) {
    index_ = index;
    next_ = source.first_row;
    begin_ = source.first_row;
    end_ = source.first_row + source.num_rows;
  }

  bool is_row(int64_t candidate, const SourceRow& row) const {
    return candidate < end_ && index_->item(candidate) == row.item &&
           index_->offsets()[static_cast<size_t>(candidate)] == row.offset;
  }

  // The table is built when rows first leave the order that the old index has.
  int64_t look_up(const SourceRow& row) {
    if (!lookup_) {
      lookup_.emplace();
      for (int64_t i = begin_; i < end_; ++i) lookup_->add(index_->item(i), static_cast<uint64_t>(i));
      lookup_->finish();
    }
    for (const NameLookup::Entry& entry : lookup_->find(row.item)) {
      if (is_row(static_cast<int64_t>(entry.number), row)) return static_cast<int64_t>(entry.number);
    }
    return -1;
  }

  std::optional<Index> index_;
  int64_t begin_ = 0, end_ = 0, next_ = 0;
  std::optional<NameLookup> lookup_;
};

// The items that a list names, whatever follows them behind a tab.
class ExcludedItems {
 public:
  explicit ExcludedItems(const DataPath& list) {
    if (list.empty()) return;
    lines_.emplace(list.value);
    while (lines_->next()) names_.add(item_of(lines_->line()), lines_->begin());
    names_.finish();
  }

  bool contains(std::string_view item) {
    if (!lines_) return false;
    for (const NameLookup::Entry& entry : names_.find(item)) {
      if (item_of(lines_->line_at(entry.number)) == item) return found_ = true;
    }
    return false;
  }

  // kData if it names nothing of the source: a list of other images is a mistake.
  void check_used() const {
    if (!lines_ || found_ || names_.empty()) return;
    fail(ErrorKind::kData, lines_->path().string(),
         ": none of its lines is an image of the source; expected paths as the source has them");
  }

 private:
  static std::string_view item_of(std::string_view line) { return line.substr(0, line.find('\t')); }

  std::optional<TextLines> lines_;
  NameLookup names_;
  bool found_ = false;
};

// One source on its way into the index: rows are collected, examined by all threads, and written in order.
class SourceIndexer {
 public:
  SourceIndexer(const SourceConfig& config, const std::optional<Index>& previous, IndexWriter& writer,
                int threads, const std::function<bool()>& stop)
      : config_(config),
        source_(open_source(config)),
        info_(describe_source()),
        previous_(source_known_by(previous, info_) ? previous : std::nullopt),
        known_(previous_, info_),
        excluded_(config.exclude),
        writer_(writer),
        threads_(threads),
        stop_(stop),
        progress_("indexing " + config.name, "images", 0) {}

  void run(IndexingRecord& record) {
    writer_.begin_source(info_, config_.held_out);
    if (previous_) source_->reuse(*previous_, info_.name);
    if (!config_.label_map.empty()) source_->identities().rename(LabelMap(config_.label_map.value));
    source_->for_each_row([this](SourceRow row) { collect(std::move(row)); });
    finish_batch();
    missing_.refuse("put them there, take them out of the list, or name them in `exclude`", [this] {
      const bool all = counts_.images_read + counts_.images_reused == 0;
      return all ? source_->remedy(*first_missing_) : std::string();
    });
    excluded_.check_used();
    source_->identities().check_renamed();
    source_->for_each_video(
        [this](std::string_view name, const SurveyedVideo& video) { writer_.add_video(name, video); });
    if (writer_.rows_of_source() == 0) no_images();
    if (info_.kind == SourceKind::kRecordIo && counts_.images_read > 0) check_pack(info_.path);
    writer_.end_source(source_->identities());
    record.images_read += counts_.images_read;
    record.images_reused += counts_.images_reused;
    record.left_out.push_back(source_->left_out());
  }

 private:
  struct Entry {
    SourceRow row;
    int64_t known_row = -1;
    ImageFacts facts;
    std::string missing;  // why its file cannot be opened; empty if it can
  };

  SourceInfo describe_source() const {
    SourceInfo info = source_->info();
    info.name = config_.name;
    info.role = config_.role;
    info.shift = config_.shift;
    set_color_order(info, config_.color_order);
    return info;
  }

  [[noreturn]] void no_images() const {
    fail(ErrorKind::kData, "it has no images", source_->left_out().note(),
         info_.path.empty() ? "" : concat("; look whether ", info_.path.string(), " is what you mean"));
  }

  void collect(SourceRow row) {
    if (config_.role == Role::kUnlabeled) row.identity = -1;
    const int64_t known_row = known_.find(row);
    batch_.push_back({std::move(row), known_row, {}, {}});
    if (batch_.size() == kRowsPerBatch) finish_batch();
  }

  void finish_batch() {
    if (batch_.empty()) return;
    parallel_blocks(static_cast<int64_t>(batch_.size()), kRowsPerBlock, threads_,
                    [this](int64_t begin, int64_t end) {
                      if (stop_ && stop_()) fail(ErrorKind::kStopped, "stopped; run again to index it");
                      for (int64_t i = begin; i < end; ++i) examine(batch_[static_cast<size_t>(i)]);
                    });
    for (const Entry& entry : batch_) write(entry);
    source_->forget(batch_.front().row, batch_.back().row);
    progress_.add(static_cast<int64_t>(batch_.size()));
    batch_.clear();
  }

  void examine(Entry& entry) const {
    try {
      if (missing_.any()) {  // there will be no index: what else is not there?
        source_->look(entry.row);
      } else if (entry.known_row < 0) {
        entry.facts = source_->examine(entry.row, nullptr);
      } else {
        const ImageFacts known = known_.facts(entry.known_row);
        entry.facts = source_->examine(entry.row, &known);
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kMissingInput) throw error.at(source_->place(entry.row));
      entry.missing = error.what();
    }
  }

  // Excluded images need not be there: their rows have no size and no hash.
  void write(const Entry& entry) {
    const ImageFacts& facts = entry.facts;
    uint32_t flags = excluded_.contains(entry.row.item) ? uint32_t{kExcluded} : 0;
    if (!entry.missing.empty()) {
      if (flags != 0) return writer_.add(entry.row, {}, flags);
      if (!first_missing_) first_missing_ = entry.row;
      return missing_.add([&] { return concat(source_->place(entry.row), ": ", entry.missing); });
    }
    ++(facts.reused ? counts_.images_reused : counts_.images_read);
    if (!facts.unreadable.empty()) {
      flags |= kBad;
      warn(entry);
    }
    const std::array<uint16_t, 2> network{kImageSize, kImageSize};
    if (facts.pixels != network && facts.unreadable.empty()) flags |= kNotNetworkSize;
    writer_.add(entry.row, facts, flags);
  }

  void warn(const Entry& entry) {
    if (++num_warnings_ > kMaxWarnings) return;
    log_warning(source_->place(entry.row), ": ", entry.facts.unreadable, "; it will not be used",
                num_warnings_ == kMaxWarnings ? " (further ones are only counted)" : "");
  }

  const SourceConfig& config_;
  std::unique_ptr<Source> source_;
  SourceInfo info_;
  const std::optional<Index> previous_;  // if it knows the source
  KnownImages known_;
  ExcludedItems excluded_;
  IndexWriter& writer_;
  int threads_;
  const std::function<bool()>& stop_;
  Progress progress_;
  std::vector<Entry> batch_;
  IndexingRecord counts_;
  MissingFiles missing_;
  std::optional<SourceRow> first_missing_;
  int64_t num_warnings_ = 0;
};

// The index that stands in the folder, if it is whole: nothing is taken over from a damaged one.
std::optional<Index> open_previous(const fs::path& folder) {
  if (!fs::exists(folder / index_files::kManifest)) return std::nullopt;
  try {
    return Index::open(folder, Index::Check::kFull);
  } catch (const Error& error) {
    log_warning(error.what(), "; every image is read again");
    return std::nullopt;
  }
}

void check_config(const DataConfig& config) {
  if (config.sources.empty()) fail(ErrorKind::kConfig, "data.sources is empty: there is nothing to index");
  for (const SourceConfig& source : config.sources) {
    if (source.role == Role::kTest && source.held_out > 0) {
      fail(ErrorKind::kConfig, "source '", source.name,
           "': held_out is for sources that are trained on, not for the role test");
    }
  }
}

}  // namespace

IndexReport build_index(const DataConfig& config, const fs::path& folder, int threads,
                        const std::function<bool()>& stop) {
  check_config(config);
  const std::optional<Index> previous = open_previous(folder);
  IndexWriter writer(folder);
  IndexingRecord record;
  for (const SourceConfig& source : config.sources) {
    try {
      SourceIndexer(source, previous, writer, threads, stop).run(record);
    } catch (const Error& error) {
      throw error.at(concat("source '", source.name, "'"));
    }
  }
  writer.commit();
  IndexReport report = make_index_report(Index::open(folder));
  report.record = std::move(record);
  return report;
}

}  // namespace uir
