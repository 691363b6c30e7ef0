// turn_photo IN OUT.jpg SCALE ORIENTATION: the photo enlarged, stored turned as a camera does, with the EXIF
// tag (1, 3, 6 or 8) that turns it upright again.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "turn_photo IN OUT.jpg SCALE ORIENTATION\n");
    return 64;
  }
  const int scale = std::atoi(argv[3]), orientation = std::atoi(argv[4]);
  cv::Mat image = cv::imread(argv[1]);
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
  jpeg.insert(jpeg.begin() + 2, exif.begin(), exif.end());
  std::ofstream(argv[2], std::ios::binary)
      .write(reinterpret_cast<const char*>(jpeg.data()), static_cast<std::streamsize>(jpeg.size()));
}
