#include "uir/data/contact_sheet.h"

#include <algorithm>
#include <array>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/random.h"
#include "uir/data/image_source.h"
#include "uir/pixels/pixels.h"

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
  if (text.size() > kMaxCaption) {
    text.resize(kMaxCaption - 1);
    text += '~';
  }
  return text;
}

// A picture of faces with captions; grows no more once it is made.
class Sheet {
 public:
  Sheet(const Index& index, int width, int height)
      : images_(index), picture_(height, width, CV_8UC3, kBackground) {}

  const Index& index() const { return images_.index(); }

  // Row −1: a crossed box, as for a face that cannot be read.
  void face(int64_t row, cv::Point at, const std::string& caption) {
    cv::Mat cell = picture_(cv::Rect(at.x, at.y, kFace, kFace));
    std::vector<uint8_t> rgb(kImageBytes);
    try {
      if (row < 0) fail(ErrorKind::kData, "no image");
      images_.load(row, rgb.data());
      cv::cvtColor(cv::Mat(kFace, kFace, CV_8UC3, rgb.data()), cell, cv::COLOR_RGB2BGR);
    } catch (const Error&) {  // the report says what is wrong with it
      cv::line(cell, {0, 0}, {kFace - 1, kFace - 1}, kFault, 2);
      cv::line(cell, {kFace - 1, 0}, {0, kFace - 1}, kFault, 2);
      cv::rectangle(cell, {0, 0}, {kFace - 1, kFace - 1}, kFault, 2);
    }
    text(printable(caption), {at.x, at.y + kFace + 11}, 0.37);
  }

  void text(const std::string& text, cv::Point at, double scale) {
    cv::putText(picture_, text, at, cv::FONT_HERSHEY_SIMPLEX, scale, kInk, 1, cv::LINE_AA);
  }

  void write(const fs::path& png) const {
    std::vector<uint8_t> encoded;
    if (!cv::imencode(".png", picture_, encoded)) fail(ErrorKind::kInternal, "OpenCV cannot encode a PNG");
    write_file_atomically(png, as_text(std::as_bytes(std::span(encoded))));
  }

 private:
  ImageSource images_;
  cv::Mat picture_;
};

int rows_of(const SourceInfo& source, const ContactSheetOptions& options) {
  const int64_t needed = (source.num_rows + options.columns - 1) / options.columns;
  return static_cast<int>(std::min<int64_t>(options.rows, needed));
}

// Draws the faces of a source; returns where the next one begins.
int draw_source(const SourceInfo& source, const ContactSheetOptions& options, int top, Sheet& sheet) {
  const int lines = rows_of(source, options);
  sheet.text(concat(source.name, " (", enum_name(source.role), ", ", source.num_rows, " images)"),
             {kGap, top + 16}, 0.5);
  top += kTitle;
  const auto rows = draw_rows(source, int64_t{options.columns} * lines, options.seed);
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto column = static_cast<int>(i) % options.columns, line = static_cast<int>(i) / options.columns;
    sheet.face(rows[i], {kGap + column * kCellWidth, top + line * kCellHeight},
               caption_of(sheet.index(), source, rows[i]));
  }
  return top + kCellHeight * lines;
}

}  // namespace

void write_contact_sheet(const Index& index, const fs::path& png, const ContactSheetOptions& options) {
  ensure(options.columns > 0 && options.rows > 0, "a contact sheet of at least one face");
  int height = kGap;
  for (const SourceInfo& source : index.sources()) height += kTitle + kCellHeight * rows_of(source, options);
  Sheet sheet(index, kGap + options.columns * kCellWidth, height);
  int top = kGap;
  for (const SourceInfo& source : index.sources()) top = draw_source(source, options, top, sheet);
  sheet.write(png);
}

void write_pair_sheet(const Index& index, std::span<const FacePair> pairs, const fs::path& png) {
  constexpr int kPairsPerLine = 5, kPairWidth = 2 * kCellWidth + 3 * kGap;
  const auto lines = static_cast<int>((pairs.size() + kPairsPerLine - 1) / kPairsPerLine);
  const int columns = std::clamp(static_cast<int>(pairs.size()), 1, kPairsPerLine);
  Sheet sheet(index, kGap + columns * kPairWidth, kGap + std::max(1, lines) * (kCellHeight + kGap));
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto column = static_cast<int>(i) % kPairsPerLine, line = static_cast<int>(i) / kPairsPerLine;
    const cv::Point at(kGap + column * kPairWidth, kGap + line * (kCellHeight + kGap));
    sheet.face(pairs[i].left, at, pairs[i].left_caption);
    sheet.face(pairs[i].right, {at.x + kCellWidth, at.y}, pairs[i].right_caption);
  }
  sheet.write(png);
}

}  // namespace uir
