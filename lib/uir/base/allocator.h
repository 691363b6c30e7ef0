// Settings of the process's memory allocator for programs that allocate and free the same large tensors in
// every step.
#pragma once

namespace uir {

// Lets glibc keep freed memory for the next step instead of giving it back to the kernel, which would zero
// every page anew (a third of a training step on CPUs). Memory once used stays with the process. Called once,
// at the start of a program, before threads run; no effect with other allocators.
void tune_memory_allocator();

}  // namespace uir
