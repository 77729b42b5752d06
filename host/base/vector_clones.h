#pragma once

/// Before a function with loops over numbers: compiled once for every x86-64 processor and once for
/// those with AVX2, chosen when the program starts. Elsewhere, and under sanitizers that do not
/// know such functions, the function is compiled once.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define BITTERN_VECTOR_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define BITTERN_VECTOR_CLONES
#endif
