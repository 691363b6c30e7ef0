// SIGTERM, SIGINT and SIGUSR1 ask training, extraction and evaluations that take hours (trillion_pairs) for a
// stop at the next safe point (everything saved, exit code 75); a second signal ends the process at once.
// Indexing and other evaluations are not watched: they publish atomically, so a signal may end them anywhere.
#pragma once

namespace uir {

void watch_stop_signals();
bool stop_requested();

}  // namespace uir
