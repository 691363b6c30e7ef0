#include "uir/data/contact_sheet.h"

#include <algorithm>
#include <array>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/random.h"
#include "uir/data/image_source.h"
#include "uir/data/loader.h"

namespace uir {
namespace {

constexpr int kFace = static_cast<int>(kImageSize);
constexpr int kGap = 4, kCaption = 14, kTitle = 22;
constexpr int kCellWidth = kFace + kGap, kCellHeight = kFace + kCaption + kGap;
constexpr size_t kMaxCaption = 17;  // characters under a face
const cv::Scalar kBackground(32, 32, 32), kInk(230, 230, 230), kFault(60, 60, 255);

// Different rows of the source, drawn at random, in row order.
std::vector<int64_t> draw_rows(const SourceInfo& source, int64_t wanted, uint64_t seed) {
  const RandomPermutation order(static_cast<uint64_t>(source.num_rows), seed, RandomPurpose::kPack,
                                static_cast<uint64_t>(source.first_row));
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < std::min(wanted, source.num_rows); ++i) {
    rows.push_back(source.first_row + static_cast<int64_t>(order(static_cast<uint64_t>(i))));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::string caption_of(const Index& index, const SourceInfo& source, int64_t row) {
  const int64_t label = index.labels()[static_cast<size_t>(row)];
  if (label < 0) return "-";
  return std::string(source.role == Role::kTest ? index.test_identity_name(label)
                                                : index.identity_name(label));
}

// cv::putText draws ASCII only.
std::string printable(std::string text) {
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  if (text.size() > kMaxCaption) text = text.substr(0, kMaxCaption - 1) + "~";
  return text;
}

class Sheet {
 public:
  Sheet(const Index& index, const ContactSheetOptions& options) : images_(index), options_(options) {
    int height = kGap;
    for (const SourceInfo& source : index.sources()) height += kTitle + kCellHeight * rows_of(source);
    canvas_ = cv::Mat(height, kGap + options.columns * kCellWidth, CV_8UC3, kBackground);
    for (const SourceInfo& source : index.sources()) draw_source(source);
  }

  std::vector<uint8_t> encode_png() const {
    std::vector<uint8_t> png;
    if (!cv::imencode(".png", canvas_, png)) fail(ErrorKind::kInternal, "OpenCV cannot encode a PNG");
    return png;
  }

 private:
  int rows_of(const SourceInfo& source) const {
    const int64_t needed = (source.num_rows + options_.columns - 1) / options_.columns;
    return static_cast<int>(std::min<int64_t>(options_.rows, needed));
  }

  void draw_source(const SourceInfo& source) {
    write(concat(source.name, " (", enum_name(source.role), ", ", source.num_rows, " images)"),
          {kGap, top_ + 16}, 0.5);
    top_ += kTitle;
    const auto rows = draw_rows(source, int64_t{options_.columns} * rows_of(source), options_.seed);
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto column = static_cast<int>(i) % options_.columns,
                 line = static_cast<int>(i) / options_.columns;
      draw_face(source, rows[i], {kGap + column * kCellWidth, top_ + line * kCellHeight});
    }
    top_ += kCellHeight * rows_of(source);
  }

  void draw_face(const SourceInfo& source, int64_t row, cv::Point at) {
    cv::Mat cell = canvas_(cv::Rect(at.x, at.y, kFace, kFace));
    std::vector<uint8_t> rgb(kImageBytes);
    try {
      images_.load(row, rgb.data());
      cv::cvtColor(cv::Mat(kFace, kFace, CV_8UC3, rgb.data()), cell, cv::COLOR_RGB2BGR);
    } catch (const Error&) {  // the report says what is wrong with it
      cv::line(cell, {0, 0}, {kFace - 1, kFace - 1}, kFault, 2);
      cv::line(cell, {kFace - 1, 0}, {0, kFace - 1}, kFault, 2);
      cv::rectangle(cell, {0, 0}, {kFace - 1, kFace - 1}, kFault, 2);
    }
    write(printable(caption_of(images_.index(), source, row)), {at.x, at.y + kFace + 11}, 0.37);
  }

  void write(const std::string& text, cv::Point at, double scale) {
    cv::putText(canvas_, text, at, cv::FONT_HERSHEY_SIMPLEX, scale, kInk, 1, cv::LINE_AA);
  }

  ImageSource images_;
  ContactSheetOptions options_;
  cv::Mat canvas_;
  int top_ = kGap;
};

}  // namespace

void write_contact_sheet(const Index& index, const fs::path& png, const ContactSheetOptions& options) {
  ensure(options.columns > 0 && options.rows > 0, "a contact sheet of at least one face");
  const std::vector<uint8_t> encoded = Sheet(index, options).encode_png();
  write_file_atomically(png, as_text(std::as_bytes(std::span(encoded))));
}

}  // namespace uir
