// UIR_MULTIVERSION in front of a function compiles it for AVX-512, for AVX2 and for the baseline; the
// processor's best version is chosen when the program starts. What the function calls must be inlined into
// it (UIR_INLINE).
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__)
#define UIR_MULTIVERSION [[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]]
#else
#define UIR_MULTIVERSION
#endif

#define UIR_INLINE [[gnu::always_inline]] inline
#define UIR_INLINE_LAMBDA __attribute__((always_inline))
