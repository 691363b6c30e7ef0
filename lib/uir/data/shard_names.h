// The files that a pattern of shards names.
//
// {000..123} stands for every number from one end to the other, as wide as the wider one; {a,b} for each of
// these, braces within braces included; then *, ? and [..] for the files that are there, in byte order. A
// file that has the pattern itself as its name is meant by it.
// Errors: kMissingInput for files that are not there; kConfig for more than a million. Threads: thread-safe.
#pragma once

#include <string>
#include <vector>

#include "uir/base/file.h"

namespace uir {

std::vector<fs::path> shard_files(const std::string& pattern);
// The first step alone.
std::vector<std::string> expand_braces(const std::string& pattern);

}  // namespace uir
