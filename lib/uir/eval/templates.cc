#include "uir/eval/templates.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "uir/base/error.h"
#include "uir/base/parallel.h"
#include "uir/base/progress.h"

namespace uir {
namespace {

// The images of each template: template t has order[begins[t]] … order[begins[t + 1] − 1], by medium, then by
// image.
struct Grouping {
  std::vector<int64_t> begins;
  std::vector<int32_t> order;
};

Grouping group_by_template(const IjbImages& images) {
  Grouping grouping;
  grouping.begins.assign(static_cast<size_t>(images.templates.size()) + 1, 0);
  for (int32_t t : images.template_of) ++grouping.begins[t + 1];
  std::partial_sum(grouping.begins.begin(), grouping.begins.end(), grouping.begins.begin());
  std::vector<int64_t> next = grouping.begins;
  grouping.order.resize(images.template_of.size());
  for (size_t i = 0; i < images.template_of.size(); ++i)
    grouping.order[next[images.template_of[i]]++] = static_cast<int32_t>(i);
  return grouping;
}

double length_of(std::span<const double> vector) {
  double squares = 0;
  for (double x : vector) squares += x * x;
  return std::sqrt(squares);
}

// Builds one template after the other, all variants at once. Belongs to one thread.
class TemplateBuilder {
 public:
  TemplateBuilder(const IjbImages& images, std::span<const int64_t> rows, MatrixView embeddings,
                  std::optional<MatrixView> mirrored, std::span<const TemplateVariant> variants)
      : images_(images), rows_(rows), embeddings_(embeddings), mirrored_(mirrored), variants_(variants) {
    const auto dim = static_cast<size_t>(embeddings.cols);
    for (bool flip : {false, true}) {
      View& view = views_[flip];
      view.used = std::ranges::any_of(variants, [&](const TemplateVariant& v) { return v.flip == flip; });
      view.needs_length = std::ranges::any_of(
          variants, [&](const TemplateVariant& v) { return v.flip == flip && !v.keep_norm; });
      view.values.resize(dim);
    }
    medium_.assign(variants.size(), std::vector<double>(dim));
    sum_.assign(variants.size(), std::vector<double>(dim));
  }

  // images: those of one template; sorted by medium here.
  void build(int64_t number, std::span<int32_t> images, std::span<CanonicalVectors> out) {
    std::ranges::stable_sort(images, {}, [&](int32_t i) { return images_.media[i]; });
    for (std::vector<double>& sum : sum_) std::ranges::fill(sum, 0.0);
    for (size_t begin = 0, end; begin < images.size(); begin = end) {
      for (end = begin + 1; end < images.size() && same_medium(images[begin], images[end]);) ++end;
      add_medium(images.subspan(begin, end - begin));
    }
    for (size_t v = 0; v < variants_.size(); ++v) finish(number, v, out[v]);
  }

 private:
  // The image's embedding with or without its mirror image.
  struct View {
    bool used = false, needs_length = false;
    std::vector<double> values;
    double length = 0;
  };

  bool same_medium(int32_t a, int32_t b) const { return images_.media[a] == images_.media[b]; }

  void add_medium(std::span<const int32_t> images) {
    for (std::vector<double>& medium : medium_) std::ranges::fill(medium, 0.0);
    for (int32_t i : images) add_image(i);
    const auto count = static_cast<double>(images.size());
    for (size_t v = 0; v < variants_.size(); ++v) {
      for (size_t d = 0; d < sum_[v].size(); ++d) sum_[v][d] += medium_[v][d] / count;
    }
  }

  void add_image(int32_t i) {
    read_views(i);
    for (size_t v = 0; v < variants_.size(); ++v) {
      const View& view = views_[variants_[v].flip];
      const double score = variants_[v].detector_score ? images_.detector_score[i] : 1;
      double* medium = medium_[v].data();
      if (variants_[v].keep_norm) {
        for (size_t d = 0; d < view.values.size(); ++d) medium[d] += view.values[d] * score;
      } else {
        for (size_t d = 0; d < view.values.size(); ++d) medium[d] += view.values[d] / view.length * score;
      }
    }
  }

  void read_views(int32_t i) {
    const std::span<const float> f = embeddings_.row(rows_[i]);
    if (views_[0].used) std::ranges::copy(f, views_[0].values.begin());
    if (views_[1].used) {
      const std::span<const float> m = mirrored_->row(rows_[i]);
      for (size_t d = 0; d < f.size(); ++d) views_[1].values[d] = double{f[d]} + double{m[d]};
    }
    for (View& view : views_) {
      if (!view.needs_length) continue;
      view.length = length_of(view.values);
      if (view.length > 0 && std::isfinite(view.length)) continue;
      fail(ErrorKind::kData, images_.lines.place(i), ": the embedding of image '", images_.names[i],
           "' has the length ", view.length, "; it has no direction, so its norm cannot be removed");
    }
  }

  void finish(int64_t number, size_t v, CanonicalVectors& out) {
    const double length = length_of(sum_[v]);
    if (!(length > 0) || !std::isfinite(length)) {
      fail(ErrorKind::kData, images_.lines.path().string(), ": template ", images_.templates.id(number), " (",
           variants_[v].name(), ") has the length ", length, "; it has no direction");
    }
    float* values = out.values.data() + number * out.cols;
    for (size_t d = 0; d < sum_[v].size(); ++d) values[d] = static_cast<float>(sum_[v][d] / length);
  }

  const IjbImages& images_;
  const std::span<const int64_t> rows_;
  const MatrixView embeddings_;
  const std::optional<MatrixView> mirrored_;
  const std::span<const TemplateVariant> variants_;
  View views_[2];                                  // without, with flip
  std::vector<std::vector<double>> medium_, sum_;  // per variant
};

bool has_property(const TemplateVariant& variant, TemplateProperty property) {
  switch (property) {
    case TemplateProperty::kFlip:
    case TemplateProperty::kNoFlip:
      return variant.flip == (property == TemplateProperty::kFlip);
    case TemplateProperty::kNormKept:
    case TemplateProperty::kNormRemoved:
      return variant.keep_norm == (property == TemplateProperty::kNormKept);
    case TemplateProperty::kScore:
    case TemplateProperty::kNoScore:
      return variant.detector_score == (property == TemplateProperty::kScore);
  }
  return false;
}

}  // namespace

std::string TemplateVariant::name() const {
  return concat(flip ? "flip" : "no_flip", keep_norm ? ",norm_kept" : ",norm_removed",
                detector_score ? ",score" : ",no_score");
}

std::string TemplateVariant::words() const {
  return concat("Embedding of an image: ", flip ? "f + f(mirrored)" : "f alone, no flip test",
                "; its norm is ", keep_norm ? "kept" : "removed", "; it is ", detector_score ? "" : "not ",
                "multiplied by the detector score. Template: mean over each medium's images, sum over media, "
                "length 1.");
}

std::vector<TemplateVariant> template_variants(std::span<const TemplateProperty> properties, bool mirrored) {
  std::vector<TemplateVariant> variants;
  for (bool flip : {true, false}) {
    for (bool keep_norm : {true, false}) {
      for (bool detector_score : {true, false}) {
        const TemplateVariant variant{flip, keep_norm, detector_score};
        const bool wanted =
            std::ranges::all_of(properties, [&](TemplateProperty p) { return has_property(variant, p); });
        if (wanted && (mirrored || !flip)) variants.push_back(variant);
      }
    }
  }
  if (variants.empty()) {
    fail(ErrorKind::kConfig, "variants: no variant has all of these properties",
         mirrored ? "" : " (the set has no mirrored embeddings, which flip needs)");
  }
  return variants;
}

std::vector<CanonicalVectors> build_templates(const IjbImages& images, std::span<const int64_t> rows,
                                              MatrixView embeddings, std::optional<MatrixView> mirrored,
                                              std::span<const TemplateVariant> variants, int threads) {
  for (const TemplateVariant& variant : variants)
    ensure(mirrored || !variant.flip, "flip has mirrored embeddings");
  Grouping grouping = group_by_template(images);
  const int64_t num_templates = images.templates.size();
  std::vector<CanonicalVectors> templates(variants.size());
  for (CanonicalVectors& out : templates) {
    out.rows = num_templates;
    out.cols = embeddings.cols;
    out.values.resize(static_cast<size_t>(out.rows * out.cols));
  }
  constexpr int64_t kBlock = 64;
  Progress progress("building templates", "templates", num_templates);
  parallel_blocks(num_templates, kBlock, threads, [&](int64_t begin, int64_t end) {
    TemplateBuilder builder(images, rows, embeddings, mirrored, variants);
    for (int64_t t = begin; t < end; ++t) {
      const std::span all(grouping.order);
      builder.build(t, all.subspan(grouping.begins[t], grouping.begins[t + 1] - grouping.begins[t]),
                    templates);
    }
    progress.add(end - begin);
  });
  return templates;
}

CanonicalVectors gather_templates(const CanonicalVectors& templates, std::span<const int32_t> numbers) {
  CanonicalVectors chosen{{}, static_cast<int64_t>(numbers.size()), templates.cols};
  chosen.values.reserve(numbers.size() * static_cast<size_t>(templates.cols));
  for (int32_t number : numbers) {
    const std::span<const float> values = templates.row(number);
    chosen.values.insert(chosen.values.end(), values.begin(), values.end());
  }
  return chosen;
}

}  // namespace uir
