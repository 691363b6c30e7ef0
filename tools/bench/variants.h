// What benchmarks of networks share: networks by name, and measurements in processes of their own, to which
// the program calls itself with "--variant N" in front of its arguments.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "uir/base/error.h"
#include "uir/network/config.h"

namespace uir {

// mbf, mbf_large, r18, r34, …
inline ModelConfig named_network(const std::string& name, double width = 1) {
  if (name.starts_with("r")) return {IResNetConfig{.depth = std::stoll(name.substr(1)), .width = width}};
  return {MobileFaceNetConfig{.large = name == "mbf_large", .width = width}};
}

// The numbers that `program --variant v words…` prints.
inline std::vector<double> measure_in_process(const std::string& program,
                                              const std::vector<std::string>& words, size_t variant,
                                              size_t count) {
  std::string command = "'" + program + "' --variant " + std::to_string(variant);
  for (const std::string& word : words) command += " '" + word + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::vector<double> numbers(count);
  for (double& number : numbers) {
    if (!pipe || std::fscanf(pipe.get(), "%lf", &number) != 1)
      fail(ErrorKind::kInternal, "no result from: ", command);
  }
  return numbers;
}

}  // namespace uir
