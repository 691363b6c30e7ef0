// make_video FILE.avi IMAGE…: a Motion JPEG video of the images, 25 frames per second.
#include <cstdio>
#include <exception>
#include <opencv2/imgcodecs.hpp>

#include "support/video_files.h"

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "make_video FILE.avi IMAGE...\n");
    return 64;
  }
  std::vector<cv::Mat> frames;
  for (int i = 2; i < argc; ++i) frames.push_back(cv::imread(argv[i]));
  try {
    write_video(argv[1], frames);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 73;
  }
}
