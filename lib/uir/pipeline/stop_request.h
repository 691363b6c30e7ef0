// SIGTERM, SIGINT and SIGUSR1 ask for a stop at the next safe point (a checkpoint, then exit code 75); a second
// signal ends the process at once.
#pragma once

namespace uir {

void watch_stop_signals();
bool stop_requested();

}  // namespace uir
