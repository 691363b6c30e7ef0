// Threads of OpenMP that wait for each other do so for a while without leaving the processor. Alone on a
// machine that does no harm; beside other programs it takes the processors that the work needs: a training on
// two cores took 190 s beside three busy programs, and 109 s with at most 10000 turns (docs/distributed.md).
// GCC's OpenMP takes that bound from the environment alone, while it is loaded; so the program starts once
// more with it, unless GOMP_SPINCOUNT or OMP_WAIT_POLICY is set. The programs that it starts, its ranks among
// them, have the bound then.
//
// That happens before any library is initialised, which is most of what a start costs (LibTorch: half a
// second); what is done twice, finding 290 libraries, took 0.07 to 0.3 s: .preinit_array holds what runs first
// in a program of the GNU C library. At that time its own environment is not there yet, hence envp. Where the
// program cannot be started again it goes on.
#include <sys/auxv.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

namespace {

constexpr const char* kBound = "GOMP_SPINCOUNT=10000";
constexpr const char *kSpinCount = "GOMP_SPINCOUNT=", *kWaitPolicy = "OMP_WAIT_POLICY=";

bool is(const char* entry, const char* variable) {
  return std::strncmp(entry, variable, std::strlen(variable)) == 0;
}

void start_with_bound(int, char** argv, char** envp) {
  size_t count = 0;
  for (; envp[count]; ++count) {
    if (is(envp[count], kSpinCount) || is(envp[count], kWaitPolicy)) return;
  }
  if (::getauxval(AT_BASE) == 0) return;  // the loader was called by name: that is what would start again
  char program[4096];
  const ssize_t length = ::readlink("/proc/self/exe", program, sizeof program - 1);
  if (length <= 0) return;
  program[length] = '\0';
  auto** environment = static_cast<char**>(__builtin_alloca((count + 2) * sizeof(char*)));
  std::memcpy(environment, envp, count * sizeof(char*));
  environment[count] = const_cast<char*>(kBound);
  environment[count + 1] = nullptr;
  ::execve(program, argv, environment);
}

}  // namespace

__attribute__((section(".preinit_array"), used)) static void (*const first)(int, char**,
                                                                            char**) = start_with_bound;
