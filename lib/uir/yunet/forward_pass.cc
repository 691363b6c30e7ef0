#include "uir/yunet/forward_pass.h"

#include <algorithm>
#include <array>
#include <utility>

namespace uir {
namespace {

// A unit: it gives the row before the one that it is given, since it must have seen the rows around it.
class UnitRows {
 public:
  UnitRows(const YuNetUnit& unit, const YuNetKernels& kernels) : unit_(&unit), kernels_(&kernels) {}

  void start(int64_t width) {
    seen_ = 0;
    if (width == width_) return;
    width_ = width;
    // Three rows between the convolutions, and one of zeros; at their ends zeros that nobody overwrites.
    between_.assign(static_cast<size_t>(4 * row_size()), Block{});
    out_.resize(static_cast<size_t>(unit_->out_blocks * width_));
  }
  // Null for the first row.
  const Block* push(const Block* row) {
    kernels_->pointwise({row, unit_->in_blocks, width_, unit_->pointwise.data(), unit_->pointwise_bias.data(),
                         unit_->out_blocks, slot(seen_) + 1, width_ + 2});
    ++seen_;
    return seen_ == 1 ? nullptr : around(seen_ - 2, slot(seen_ - 1));
  }
  // The last row; null if there was none.
  const Block* finish() { return seen_ == 0 ? nullptr : around(seen_ - 1, zeros()); }

 private:
  int64_t row_size() const { return unit_->out_blocks * (width_ + 2); }
  Block* slot(int64_t y) { return between_.data() + y % 3 * row_size(); }
  const Block* zeros() const { return between_.data() + 3 * row_size(); }

  const Block* around(int64_t y, const Block* below) {
    const Block* above = y == 0 ? zeros() : slot(y - 1);
    kernels_->depthwise({{above, slot(y), below},
                         unit_->out_blocks,
                         width_,
                         unit_->depthwise.data(),
                         unit_->depthwise_bias.data(),
                         unit_->relu,
                         out_.data()});
    return out_.data();
  }

  const YuNetUnit* unit_;
  const YuNetKernels* kernels_;
  int64_t width_ = -1, seen_ = 0;
  std::vector<Block> between_, out_;
};

// Units behind each other; rows that come out go to sink(row).
class Chain {
 public:
  Chain(const std::vector<YuNetUnit>& units, const YuNetKernels& kernels) {
    for (const YuNetUnit& unit : units) units_.emplace_back(unit, kernels);
  }

  void start(int64_t width) {
    for (UnitRows& unit : units_) unit.start(width);
  }
  template <class Sink>
  void push(const Block* row, const Sink& sink, size_t first = 0) {
    for (size_t i = first; i < units_.size(); ++i) {
      row = units_[i].push(row);
      if (!row) return;
    }
    sink(row);
  }
  template <class Sink>
  void finish(const Sink& sink) {
    for (size_t i = 0; i < units_.size(); ++i) {
      if (const Block* row = units_[i].finish()) push(row, sink, i + 1);
    }
  }

 private:
  std::vector<UnitRows> units_;
};

// The largest of 2x2 pixels; what is left over at the right and at the bottom is dropped.
class Pool {
 public:
  void start(int64_t blocks, int64_t width) {
    blocks_ = blocks;
    width_ = width;
    odd_ = false;
    out_.resize(static_cast<size_t>(blocks * (width / 2)));
  }
  // Null for every other row.
  const Block* push(const Block* row) {
    halve_row(row, blocks_, width_, width_ / 2, odd_, out_.data());
    odd_ = !odd_;
    return odd_ ? nullptr : out_.data();
  }

 private:
  int64_t blocks_ = 0, width_ = 0;
  bool odd_ = false;
  std::vector<Block> out_;
};

// Rows of a map that is filled from its top.
class MapWriter {
 public:
  explicit MapWriter(YuNetMap& map) : map_(&map) {}
  void operator()(const Block* row) {
    std::copy_n(row, map_->blocks * map_->width, map_->row(y_));
    ++y_;
  }

 private:
  YuNetMap* map_;
  int64_t y_ = 0;
};

// The stem, with the three rows of the picture that it sees at a time.
class Stem {
 public:
  Stem(const YuNetStem& stem, const YuNetKernels& kernels) : stem_(&stem), kernels_(&kernels) {}

  void start(const YuNetPicture& picture) {
    picture_ = picture;
    stride_ = (picture.seen_width + 2) * 3;
    in_.assign(static_cast<size_t>(4 * stride_), 0.f);
    out_.resize(static_cast<size_t>((picture.seen_width + 1) / 2));
  }
  // To be called for y = 0, 1, 2, …
  const Block* row(int64_t y) {
    widen(2 * y);
    widen(2 * y + 1);
    kernels_->stem({{in(2 * y - 1), in(2 * y), in(2 * y + 1)},
                    stem_->weights.data(),
                    stem_->bias.data(),
                    static_cast<int64_t>(out_.size()),
                    out_.data()});
    return out_.data();
  }

 private:
  void widen(int64_t y) {
    if (y < picture_.height)
      widen_row(picture_.rgb + y * picture_.width * 3, picture_.width * 3, in_.data() + y % 3 * stride_ + 3);
  }
  const float* in(int64_t y) const {
    return in_.data() + (y < 0 || y >= picture_.height ? 3 : y % 3) * stride_;
  }

  const YuNetStem* stem_;
  const YuNetKernels* kernels_;
  YuNetPicture picture_{};
  int64_t stride_ = 0;
  std::vector<float> in_;
  std::vector<Block> out_;
};

}  // namespace

void YuNetMap::resize(int64_t new_width, int64_t new_height, int64_t new_blocks) {
  width = new_width;
  height = new_height;
  blocks = new_blocks;
  pixels.resize(static_cast<size_t>(width * height * blocks));
}

struct YuNetPass::Impl {
  struct Stage {
    Chain units;
    Pool pool;
  };
  struct Branch {
    Chain neck, head;
    YuNetMap trunk;  // later what the neck made of it
    bool has_neck;
  };

  const YuNetNetwork& network;
  Stem stem;
  std::vector<Stage> stages;
  std::vector<Branch> branches;
  std::vector<MapWriter> trunks;
  std::vector<YuNetMap> results;

  Impl(const YuNetNetwork& net, const YuNetKernels& kernels) : network(net), stem(net.stem, kernels) {
    for (const std::vector<YuNetUnit>& units : net.stages) stages.push_back({Chain(units, kernels), {}});
    for (const YuNetBranch& branch : net.branches)
      branches.push_back({{branch.neck, kernels}, {branch.head, kernels}, {}, !branch.neck.empty()});
    results.resize(branches.size());
  }

  // The height of the first stage.
  int64_t start(const YuNetPicture& picture) {
    stem.start(picture);
    trunks.clear();
    int64_t width = picture.seen_width, height = picture.seen_height;
    for (size_t i = 0; i < stages.size(); ++i) {
      width = i == 0 ? (width + 1) / 2 : width / 2;
      height = i == 0 ? (height + 1) / 2 : height / 2;
      const int64_t blocks = network.stages[i].back().out_blocks;
      stages[i].units.start(width);
      stages[i].pool.start(blocks, width);
      if (i < kFirstBranch) continue;
      const size_t at = i - kFirstBranch;
      branches[at].trunk.resize(width, height, blocks);
      branches[at].neck.start(width);
      branches[at].head.start(width);
      results[at].resize(width, height, network.branches[at].head.back().out_blocks);
      trunks.emplace_back(branches[at].trunk);
    }
    return (picture.seen_height + 1) / 2;
  }

  // A row reaches a stage, or comes out of it.
  void enter(size_t stage, const Block* row) {
    stages[stage].units.push(row, [&](const Block* out) { leave(stage, out); });
  }
  void leave(size_t stage, const Block* row) {
    if (stage >= kFirstBranch) trunks[stage - kFirstBranch](row);
    if (stage + 1 == stages.size()) return;
    if (const Block* half = stages[stage].pool.push(row)) enter(stage + 1, half);
  }

  void run_branch(size_t i) {
    Branch& branch = branches[i];
    MapWriter joined(branch.trunk), numbers(results[i]);
    const auto to_numbers = [&](const Block* row) { numbers(row); };
    const auto from_neck = [&](const Block* row) {  // a row that the neck has read already
      if (branch.has_neck) joined(row);
      branch.head.push(row, to_numbers);
    };
    for (int64_t y = 0; y < branch.trunk.height; ++y) {
      if (branch.has_neck && i + 1 < branches.size()) {
        YuNetMap& coarser = branches[i + 1].trunk;
        add_doubled_row(coarser.row(y / 2), coarser.blocks, coarser.width, branch.trunk.row(y));
      }
      branch.neck.push(branch.trunk.row(y), from_neck);
    }
    branch.neck.finish(from_neck);
    branch.head.finish(to_numbers);
  }
};

YuNetPass::YuNetPass(const YuNetNetwork& network, const YuNetKernels& kernels)
    : impl_(std::make_unique<Impl>(network, kernels)) {}
YuNetPass::~YuNetPass() = default;
YuNetPass::YuNetPass(YuNetPass&&) noexcept = default;

const std::vector<YuNetMap>& YuNetPass::run(const YuNetPicture& picture) {
  const int64_t height = impl_->start(picture);
  for (int64_t y = 0; y < height; ++y) impl_->enter(0, impl_->stem.row(y));
  for (size_t stage = 0; stage < impl_->stages.size(); ++stage)
    impl_->stages[stage].units.finish([&](const Block* row) { impl_->leave(stage, row); });
  for (size_t i = impl_->branches.size(); i-- > 0;) impl_->run_branch(i);
  return impl_->results;
}

}  // namespace uir
