#include "uir/pipeline/stop_request.h"

#include <signal.h>

#include <initializer_list>

namespace uir {
namespace {

volatile sig_atomic_t requested = 0;

void on_signal(int number) {
  if (requested) {
    ::signal(number, SIG_DFL);
    ::raise(number);
  }
  requested = 1;
}

}  // namespace

void watch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) ::sigaction(number, &action, nullptr);
}

bool stop_requested() { return requested != 0; }

}  // namespace uir
