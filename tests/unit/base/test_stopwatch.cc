#include "uir/base/stopwatch.h"

#include <thread>

#include "support/catch.h"

using namespace uir;

namespace {

void sleep_ms(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

}  // namespace

TEST_CASE("a stopwatch leaves pauses out") {
  const Stopwatch whole;
  Stopwatch watch;
  sleep_ms(20);
  for (int i = 0; i < 2; ++i) {
    const Stopwatch::Pause pause(watch);
    sleep_ms(150);
  }
  sleep_ms(20);
  const double seconds = watch.seconds(), all = whole.seconds();
  CHECK(seconds >= 0.04);
  CHECK(seconds <= all - 0.3);
}
