// turn_photo IN OUT.jpg SCALE ORIENTATION [untagged] [LEFT TOP RIGHT BOTTOM]: the photo, or that part of it,
// enlarged, stored turned as a camera does, with the EXIF tag (1, 3, 6 or 8) that turns it upright again, or
// untagged.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "turn_photo IN OUT.jpg SCALE ORIENTATION [untagged] [LEFT TOP RIGHT BOTTOM]\n");
    return 64;
  }
  const int scale = std::atoi(argv[3]), orientation = std::atoi(argv[4]);
  const bool tagged = argc < 6 || argv[5] != std::string("untagged");
  cv::Mat image = cv::imread(argv[1]);
  if (argc == 10) {
    const cv::Rect part(cv::Point(std::atoi(argv[6]), std::atoi(argv[7])),
                        cv::Point(std::atoi(argv[8]), std::atoi(argv[9])));
    image = image(part & cv::Rect(0, 0, image.cols, image.rows)).clone();
  }
  cv::resize(image, image, {}, scale, scale, cv::INTER_CUBIC);
  if (orientation == 3) cv::rotate(image, image, cv::ROTATE_180);
  if (orientation == 6) cv::rotate(image, image, cv::ROTATE_90_COUNTERCLOCKWISE);
  if (orientation == 8) cv::rotate(image, image, cv::ROTATE_90_CLOCKWISE);
  std::vector<unsigned char> jpeg;
  cv::imencode(".jpg", image, jpeg);
  const std::vector<unsigned char> exif{
      0xff, 0xe1, 0, 34, 'E', 'x', 'i',  'f', 0, 0, 'M', 'M', 0, 42, 0,
      0,    0,    8, 0,  1,   1,   0x12, 0,   3, 0, 0,   0,   1, 0,  static_cast<unsigned char>(orientation),
      0,    0,    0, 0,  0,   0};
  if (tagged) jpeg.insert(jpeg.begin() + 2, exif.begin(), exif.end());
  std::ofstream(argv[2], std::ios::binary)
      .write(reinterpret_cast<const char*>(jpeg.data()), static_cast<std::streamsize>(jpeg.size()));
}
