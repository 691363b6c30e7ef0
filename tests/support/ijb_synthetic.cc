#include "support/ijb_synthetic.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/parallel.h"
#include "uir/base/random.h"
#include "uir/eval/ijb_meta.h"

namespace uir {
namespace {

enum Stream : uint64_t {
  kTemplateSize,
  kMedia,
  kQuality,
  kSubject,
  kMedium,
  kImage,
  kMirror,
  kPartners,
  kPoints
};

struct Image {
  int32_t template_number;
  int32_t media_number;  // over all templates
  float quality;         // detector score
  bool stranger;         // shows somebody else
};

// A normal deviate from one 64-bit number: the sum of its four 16-bit parts, close enough for noise.
float rough_normal(uint64_t bits) {
  int32_t sum = 0;
  for (int part = 0; part < 4; ++part) sum += static_cast<int32_t>((bits >> (16 * part)) & 0xffff);
  return static_cast<float>(sum - 2 * 65535) *
         (1.0f / 37837.0f);  // four uniforms: deviation 65536 · sqrt(4 / 12)
}

class Generator {
 public:
  Generator(const IjbSyntheticConfig& config, const fs::path& folder)
      : config_(config), folder_(folder), files_(ijb_files(folder / "meta", config.benchmark)) {
    check();
    create_folders(folder / "meta");
    draw_images();
  }

  void write_meta() const {
    write(files_.faces, [&](OutputFile& out) {
      for (size_t i = 0; i < images_.size(); ++i) {
        out.write(concat(i + 1, ".jpg ", template_id(images_[i].template_number), " ",
                         media_id(images_[i].media_number), "\n"));
      }
    });
    write(files_.points, [&](OutputFile& out) {
      for (size_t i = 0; i < images_.size(); ++i) out.write(points_line(i));
    });
    write_entries(files_.galleries[0], 0, config_.gallery1);
    write_entries(files_.galleries[1], config_.gallery1, num_subjects());
    write_entries(files_.probes, num_subjects(), num_templates());
    write(files_.pairs, [&](OutputFile& out) { write_pairs(out); });
  }

  void write_embeddings(const fs::path& path, bool mirrored, int threads) const {
    constexpr int64_t kBlock = 8192;
    write(path, [&](OutputFile& out) {
      const auto n = static_cast<int64_t>(images_.size());
      out.write(npy_header(n, config_.dim));
      std::vector<float> rows;
      for (int64_t begin = 0; begin < n; begin += kBlock) {
        const int64_t end = std::min(n, begin + kBlock);
        rows.resize(static_cast<size_t>((end - begin) * config_.dim));
        parallel_blocks(end - begin, 64, threads, [&](int64_t b, int64_t e) {
          for (int64_t i = b; i < e; ++i) embed(begin + i, mirrored, rows.data() + i * config_.dim);
        });
        out.write_values(std::span<const float>(rows));
      }
    });
  }

 private:
  ItemRandom random(Stream stream, int64_t item) const {
    return {config_.seed, RandomPurpose::kSynthetic, stream, static_cast<uint64_t>(item)};
  }
  int64_t num_subjects() const { return config_.gallery1 + config_.gallery2; }
  int64_t num_templates() const { return num_subjects() + config_.probes; }
  // Templates: first the galleries', one per subject, then the probes.
  int64_t subject_of(int64_t t) const {
    return t < num_subjects() ? t : (t - num_subjects()) % num_subjects();
  }
  // Ids that are not contiguous, as in the benchmarks.
  static int64_t template_id(int64_t t) { return 1 + t + t / 3; }
  static int64_t media_id(int64_t m) { return 100 + 2 * m; }
  static int64_t subject_id(int64_t s) { return 1 + s + s / 5; }

  void check() const {
    const int64_t possible = num_subjects() * (config_.probes - config_.probes / num_subjects() - 1);
    if (config_.gallery1 < 1 || config_.gallery2 < 1 || config_.probes < 2 || config_.dim < 1 ||
        config_.genuine_pairs > std::min(config_.probes, config_.pairs) || config_.images < num_templates() ||
        config_.pairs - config_.genuine_pairs > possible) {
      fail(ErrorKind::kConfig, "synthetic IJB: ", config_.images, " images, ", num_subjects(), " subjects, ",
           config_.probes, " probes, ", config_.pairs, " pairs (", config_.genuine_pairs,
           " genuine) cannot be: genuine pairs are at most the probes, templates at most the images, "
           "impostor pairs at "
           "most ",
           possible);
    }
  }

  // Sizes of templates: one image each, the rest spread unevenly (squares of uniform numbers).
  std::vector<int64_t> draw_sizes() const {
    std::vector<int64_t> sizes(static_cast<size_t>(num_templates()), 1);
    std::vector<double> weights;
    double total = 0;
    for (int64_t t = 0; t < num_templates(); ++t)
      total += weights.emplace_back(std::pow(random(kTemplateSize, t).uniform(), 2));
    int64_t left = config_.images - num_templates();
    for (size_t t = 0; t < sizes.size(); ++t) {
      const auto more = static_cast<int64_t>(static_cast<double>(left) * weights[t] / total);
      sizes[t] += more;
      left -= more;
      total -= weights[t];
    }
    sizes.back() += left;
    return sizes;
  }

  void draw_images() {
    int32_t medium = -1;
    int32_t t = 0;
    for (const int64_t size : draw_sizes()) {
      int64_t frames_left = 0;  // of the present medium
      for (int64_t i = 0; i < size; ++i) {
        const auto image = static_cast<int64_t>(images_.size());
        ItemRandom media = random(kMedia, image), quality = random(kQuality, image);
        if (frames_left == 0) {
          ++medium;
          frames_left = media.chance(0.5) ? 1 : 1 + static_cast<int64_t>(media.below(30));
        }
        --frames_left;
        const double u = quality.uniform();
        images_.push_back({t, medium, static_cast<float>(1 - 0.6 * u * u * u * u), quality.chance(0.03)});
      }
      ++t;
    }
  }

  void embed(int64_t i, bool mirrored, float* out) const {
    const Image& image = images_[i];
    const int64_t subject = image.stranger ? num_subjects() + i : subject_of(image.template_number);
    ItemRandom person = random(kSubject, subject), medium = random(kMedium, image.media_number),
               own = random(kImage, i), mirror = random(kMirror, mirrored ? i : -1 - i);
    const float noise = static_cast<float>(config_.noise) * (1.5f - image.quality);
    const float length =
        22 * image.quality / std::sqrt(static_cast<float>(config_.dim) * (1 + noise * noise));
    for (int64_t d = 0; d < config_.dim; ++d) {
      const float deviation = 0.6f * rough_normal(medium.next()) + 0.7f * rough_normal(own.next()) +
                              0.39f * rough_normal(mirror.next());
      out[d] = length * (rough_normal(person.next()) + noise * deviation);
    }
  }

  std::string points_line(size_t i) const {
    constexpr float kPlaces[10] = {38, 52, 74, 52, 56, 72, 42, 92, 71, 92};
    ItemRandom shift = random(kPoints, static_cast<int64_t>(i));
    std::string line = concat(i + 1, ".jpg");
    char text[32];
    for (const float place : kPlaces) {
      std::snprintf(text, sizeof text, " %.3f", place + 4 * shift.uniform());
      line += text;
    }
    std::snprintf(text, sizeof text, " %.6f\n", images_[i].quality);
    return line + text;
  }

  void write_entries(const fs::path& path, int64_t first_template, int64_t end_template) const {
    write(path, [&](OutputFile& out) {
      out.write("TEMPLATE_ID,SUBJECT_ID,FILENAME\n");
      for (size_t i = 0; i < images_.size(); ++i) {
        const int64_t t = images_[i].template_number;
        if (t < first_template || t >= end_template) continue;
        out.write(concat(template_id(t), ",", subject_id(subject_of(t)), ",img/", i + 1, ".jpg\n"));
      }
    });
  }

  // Every gallery template with its genuine probes. Every template that may come first, with others until its
  // share of the impostor pairs is there: first those whose subject is of its group, then any.
  void write_pairs(OutputFile& out) const {
    const int64_t firsts = config_.any_templates ? num_templates() : num_subjects();
    const int64_t first_second = config_.any_templates ? 0 : num_subjects();
    const int64_t seconds = num_templates() - first_second;
    int64_t left = config_.pairs - config_.genuine_pairs;
    std::string lines;
    for (int64_t t = 0; t < firsts; ++t) {
      const int64_t share = left / (firsts - t), subject = subject_of(t);
      int64_t written = 0;
      for (int64_t p = t; t < num_subjects() && p < config_.genuine_pairs; p += num_subjects())
        add_pair(lines, t, num_subjects() + p, true);
      const RandomPermutation order(static_cast<uint64_t>(seconds), config_.seed, RandomPurpose::kSynthetic,
                                    (uint64_t{kPartners} << 32) + static_cast<uint64_t>(t));
      for (const bool same_group : {true, false}) {
        for (int64_t k = 0; k < seconds && written < share; ++k) {
          const int64_t other = first_second + static_cast<int64_t>(order(static_cast<uint64_t>(k)));
          const int64_t of_other = subject_of(other);
          if (of_other == subject || (of_other % kGroups == subject % kGroups) != same_group) continue;
          add_pair(lines, t, other, false);
          ++written;
        }
      }
      left -= written;
      out.write(lines);
      lines.clear();
    }
  }

  static void add_pair(std::string& lines, int64_t first, int64_t second, bool genuine) {
    lines += std::to_string(template_id(first));
    lines += ' ';
    lines += std::to_string(template_id(second));
    lines += genuine ? " 1\n" : " 0\n";
  }

  template <class Body>
  static void write(const fs::path& path, Body&& body) {
    OutputFile out(path);
    body(out);
    out.close();
  }

  static constexpr int64_t kGroups = 4;

  const IjbSyntheticConfig config_;
  const fs::path folder_;
  const IjbFiles files_;
  std::vector<Image> images_;
};

}  // namespace

void write_ijb_synthetic(const IjbSyntheticConfig& config, const fs::path& folder, int threads) {
  const Generator generator(config, folder);
  generator.write_meta();
  generator.write_embeddings(folder / "embeddings.npy", false, threads);
  generator.write_embeddings(folder / "embeddings_mirrored.npy", true, threads);
}

}  // namespace uir
