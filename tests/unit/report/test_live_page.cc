#include "uir/report/live_page.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "support/catch.h"
#include "uir/base/error.h"
#include "uir/base/log.h"

namespace uir {
namespace {

void wait_for(const std::atomic<bool>& what) {
  while (!what) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace

TEST_CASE("a page of what goes on is written until it is stopped, and no more then") {
  std::atomic<int> pages{0}, refresh{0};
  std::atomic<bool> written{false};
  LivePage page(
      [&](int refresh_s) {
        refresh = refresh_s;
        ++pages;
        written = true;
      },
      0);
  wait_for(written);
  CHECK(page.stop());
  CHECK(pages == 1);  // the next one is due in half a minute
  CHECK(refresh > 0);
  CHECK(page.stop());
}

TEST_CASE("a page that is stopped at once is not written") {
  std::atomic<bool> written{false};
  LivePage page([&](int) { written = true; });
  CHECK_FALSE(page.stop());
  CHECK_FALSE(written);
}

TEST_CASE("a page that cannot be written is one warning, and is not tried again") {
  std::atomic<bool> warned{false};
  const LogSink before = set_log_sink([&](LogLevel, std::string_view line) {
    warned = line.find("the disk is full") != std::string_view::npos;
  });
  LivePage page([](int) { fail(ErrorKind::kIo, "the disk is full"); }, 0);
  wait_for(warned);
  CHECK_FALSE(page.stop());
  set_log_sink(before);
}

}  // namespace uir
