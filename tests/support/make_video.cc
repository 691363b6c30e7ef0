// make_video FILE.avi IMAGE…: a Motion JPEG video of the images, 25 frames per second, with OpenCV's own
// writer.
#include <cstdio>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/videoio.hpp>

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "make_video FILE.avi IMAGE...\n");
    return 64;
  }
  const cv::Mat first = cv::imread(argv[2]);
  cv::VideoWriter writer(argv[1], cv::CAP_OPENCV_MJPEG, cv::VideoWriter::fourcc('M', 'J', 'P', 'G'), 25,
                         first.size());
  for (int i = 2; i < argc && writer.isOpened(); ++i) writer.write(cv::imread(argv[i]));
  return writer.isOpened() ? 0 : 73;
}
