// Gloo's names in c10d/ProcessGroupGloo.hpp, for a LibTorch that holds Gloo without its headers (PyPI's
// torch). On the include path only where LibTorch has no such header. What is called here is two functions
// that libtorch_cpu.so exports; all else is passed by pointer. So no layout of Gloo's is repeated, and a
// LibTorch whose Gloo has other functions fails to link.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace gloo {

class Context {
 public:
  void closeConnections();
  void setTimeout(std::chrono::milliseconds timeout);
};

namespace rendezvous {

class Store {
 public:
  virtual ~Store();
  virtual void set(const std::string&, const std::vector<char>&) = 0;
  virtual std::vector<char> get(const std::string&) = 0;
  virtual void wait(const std::vector<std::string>&) = 0;
  virtual void wait(const std::vector<std::string>&, const std::chrono::milliseconds&) = 0;
};

}  // namespace rendezvous

namespace transport {

class Device;

class UnboundBuffer {
 public:
  virtual ~UnboundBuffer();
};

}  // namespace transport
}  // namespace gloo
