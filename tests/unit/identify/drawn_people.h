// Films with drawn people, whose times are known to the frame: squares of plain colours on a grey background,
// a finder that sees them, and a network that knows them by their colour.
#pragma once

#include <array>
#include <cmath>
#include <functional>
#include <opencv2/core.hpp>
#include <vector>

#include "support/video_files.h"
#include "uir/identify/embed_faces.h"

struct DrawnPerson {
  std::array<int, 3> rgb;
  int begin, end;          // frames [begin, end)
  cv::Point2d at, motion;  // the square's corner at `begin`, and by how much it moves each frame
  int side = 40;
};

inline constexpr int kFilmWidth = 320, kFilmHeight = 240;

// cuts: frames at which the background becomes another one.
inline std::vector<cv::Mat> draw_film(int frames, const std::vector<int>& cuts,
                                      const std::vector<DrawnPerson>& people) {
  std::vector<cv::Mat> film;
  int scene = 0;
  for (int n = 0; n < frames; ++n) {
    for (const int cut : cuts) scene += cut == n;
    const double grey = scene % 2 == 0 ? 20 : 235;
    cv::Mat frame(kFilmHeight, kFilmWidth, CV_8UC3, cv::Scalar(grey, grey, grey));
    for (const DrawnPerson& person : people) {
      if (n < person.begin || n >= person.end) continue;
      const cv::Point2d at = person.at + person.motion * (n - person.begin);
      const cv::Rect square(static_cast<int>(at.x), static_cast<int>(at.y), person.side, person.side);
      frame(square & cv::Rect(0, 0, kFilmWidth, kFilmHeight)) =
          cv::Scalar(person.rgb[2], person.rgb[1], person.rgb[0]);
    }
    film.push_back(frame);
  }
  return film;
}

// Squares of at least half of their size inside the picture, in the order of `colors`.
inline uir::FindFaces finder_of(std::vector<std::array<int, 3>> colors) {
  const auto faces_of = [colors](const uir::VideoFrame& frame) {
    uir::RgbImage image;
    frame.picture(image);
    std::vector<uir::FilmFace> faces;
    for (const auto& color : colors) {
      int left = 1 << 20, top = left, right = -1, bottom = -1, count = 0;
      for (int y = 0; y < image.size.height; ++y) {
        for (int x = 0; x < image.size.width; ++x) {
          const uint8_t* p = image.pixels.data() + 3 * (y * image.size.width + x);
          int distance = 0;
          for (size_t c = 0; c < 3; ++c) distance = std::max(distance, std::abs(int{p[c]} - color[c]));
          if (distance > 60) continue;
          left = std::min(left, x), right = std::max(right, x + 1);
          top = std::min(top, y), bottom = std::max(bottom, y + 1);
          ++count;
        }
      }
      if (count < 400) continue;
      auto pixels = std::make_shared<uir::FacePixels>();
      for (size_t i = 0; i < pixels->size(); ++i) (*pixels)[i] = static_cast<uint8_t>(color[i % 3]);
      const uir::FaceBox box{static_cast<float>(left), static_cast<float>(top), static_cast<float>(right),
                             static_cast<float>(bottom)};
      faces.push_back({box, 0.95f, 1, std::move(pixels)});
    }
    return faces;
  };
  return [faces_of](std::span<const uir::VideoFrame> frames) {
    std::vector<std::vector<uir::FilmFace>> found;
    for (const uir::VideoFrame& frame : frames) found.push_back(faces_of(frame));
    return found;
  };
}

// The colour's differences from grey.
inline uir::FaceEmbedder color_embedder() {
  return {3, [](std::span<const uir::FacePixels* const> faces) {
            std::vector<float> rows;
            for (const uir::FacePixels* face : faces) {
              for (size_t c = 0; c < 3; ++c) rows.push_back(static_cast<float>((*face)[c]) - 128);
            }
            return rows;
          }};
}

inline constexpr std::array<int, 3> kRed{230, 40, 40}, kGreen{40, 200, 40}, kBlue{40, 40, 230};
