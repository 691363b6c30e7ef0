#include "uir/base/allocator.h"

#include <climits>
#include <cstdlib>  // defines __GLIBC__

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace uir {

void tune_memory_allocator() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, INT_MAX);  // large blocks come from the heap, which is kept
  mallopt(M_TRIM_THRESHOLD, INT_MAX);  // the heap's free end is kept
  mallopt(M_TOP_PAD, 256 << 20);       // and grows in large steps
#endif
}

}  // namespace uir
