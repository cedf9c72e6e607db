// Millikernels on x86: tiles of C one below the other against one packed panel of B, the whole of it one asm statement (docs/kernels.md,
// "Millikernels"). GCC's loop over k costs a step of k one or two instructions more, and a call per tile some 150; beside a busy neighbour on
// the same core every instruction counts.
//
// A kernel's file says what a step is made of, in bytes and in instructions, and includes this file:
//   AIBENCH_MILLI_512    defined: 24 accumulators in zmm0 to zmm23, B in the next three, A in zmm27, and the last vector may be partial;
//                        else 12 in ymm0 to ymm11, B from ymm12 on
//   AIBENCH_MILLI_BYTES  bytes of a word
//   AIBENCH_MILLI_BROADCAST, AIBENCH_MILLI_ADD   instructions
//   AIBENCH_MILLI_FIRST(c, b), AIBENCH_MILLI_NEXT(c, b)   text that sets register c to A times b, and that adds it; A is in AIBENCH_MILLI_A
//   AIBENCH_MILLI_NEXT_FROM(c, b, a)   the same as the latter with A at address a, where AVX-512 has that
// and where need be
//   AIBENCH_MILLI_A             the register of an element of A, if not ymm15
//   AIBENCH_MILLI_BEGIN         text before everything
//   AIBENCH_MILLI_ACCUMULATORS  how many vectors of C there are registers for, if not 12 or 24
//   AIBENCH_MILLI_OFFSET        defined: the words of Microkernel::b_offset are to be added
#pragma once
#include <cstddef>

#include "gemm/microkernel.h"

namespace aibench {
namespace {

#if defined(AIBENCH_SIMDE) && defined(AIBENCH_MILLI_512)  // emulated intrinsics: tiles alone
template <typename V>
constexpr Microkernel<typename V::Source> with_millikernels(Microkernel<typename V::Source> kernel) {
  return kernel;
}
#else

#ifndef AIBENCH_MILLI_BEGIN
#define AIBENCH_MILLI_BEGIN
#endif
#ifdef AIBENCH_MILLI_512
#define AIBENCH_V(x) "%%zmm" #x
#define AIBENCH_V_OF_B(x) AIBENCH_V_OF_B_##x
#define AIBENCH_V_OF_B_0 AIBENCH_V(24)
#define AIBENCH_V_OF_B_1 AIBENCH_V(25)
#define AIBENCH_V_OF_B_2 AIBENCH_V(26)
#define AIBENCH_MILLI_DEFAULT_A AIBENCH_V(27)
#define AIBENCH_MILLI_REGISTERS 24
constexpr int kMilliVectorBytes = 64;
#else
#define AIBENCH_V(x) "%%ymm" #x
#define AIBENCH_V_OF_B(x) AIBENCH_V_OF_B_##x
#define AIBENCH_V_OF_B_0 AIBENCH_V(12)
#define AIBENCH_V_OF_B_1 AIBENCH_V(13)
#define AIBENCH_V_OF_B_2 AIBENCH_V(14)
#define AIBENCH_MILLI_DEFAULT_A AIBENCH_V(15)
#define AIBENCH_MILLI_REGISTERS 12
constexpr int kMilliVectorBytes = 32;
#endif
#ifndef AIBENCH_MILLI_A
#define AIBENCH_MILLI_A AIBENCH_MILLI_DEFAULT_A
#endif
#ifndef AIBENCH_MILLI_ACCUMULATORS
#define AIBENCH_MILLI_ACCUMULATORS AIBENCH_MILLI_REGISTERS
#endif

// What the asm statements read, at the offsets that they name.
struct MilliArguments {
  const void* a;                // 0
  std::ptrdiff_t next_a;        // 8: bytes from a tile's A to that of the tile below
  const void* b;                // 16
  std::size_t groups;           // 24: of eight steps, at least one
  std::size_t rest;             // 32: steps behind them
  std::size_t tiles;            // 40
  std::size_t add;              // 48: 1 for C += A B, 0 for C = A B
  std::size_t fetched_rows;     // 56: how many rows of C are prefetched, one per group behind the first
  std::size_t mask;             // 64: of a partial last vector
  std::size_t partial;          // 72: 1 if it is partial
  const void* offsets;          // 80: of the tile's rows, where A is in place
};

// Rows of a tile by height and width: ROW(row, its accumulators, ...).
#define AIBENCH_ROWS_1x3(ROW, ...) ROW(0, 0, 1, 2, __VA_ARGS__)
#define AIBENCH_ROWS_2x3(ROW, ...) AIBENCH_ROWS_1x3(ROW, __VA_ARGS__) ROW(1, 3, 4, 5, __VA_ARGS__)
#define AIBENCH_ROWS_3x3(ROW, ...) AIBENCH_ROWS_2x3(ROW, __VA_ARGS__) ROW(2, 6, 7, 8, __VA_ARGS__)
#define AIBENCH_ROWS_4x3(ROW, ...) AIBENCH_ROWS_3x3(ROW, __VA_ARGS__) ROW(3, 9, 10, 11, __VA_ARGS__)
#define AIBENCH_ROWS_5x3(ROW, ...) AIBENCH_ROWS_4x3(ROW, __VA_ARGS__) ROW(4, 12, 13, 14, __VA_ARGS__)
#define AIBENCH_ROWS_6x3(ROW, ...) AIBENCH_ROWS_5x3(ROW, __VA_ARGS__) ROW(5, 15, 16, 17, __VA_ARGS__)
#define AIBENCH_ROWS_7x3(ROW, ...) AIBENCH_ROWS_6x3(ROW, __VA_ARGS__) ROW(6, 18, 19, 20, __VA_ARGS__)
#define AIBENCH_ROWS_8x3(ROW, ...) AIBENCH_ROWS_7x3(ROW, __VA_ARGS__) ROW(7, 21, 22, 23, __VA_ARGS__)
#define AIBENCH_ROWS_1x2(ROW, ...) ROW(0, 0, 1, __VA_ARGS__)
#define AIBENCH_ROWS_2x2(ROW, ...) AIBENCH_ROWS_1x2(ROW, __VA_ARGS__) ROW(1, 2, 3, __VA_ARGS__)
#define AIBENCH_ROWS_3x2(ROW, ...) AIBENCH_ROWS_2x2(ROW, __VA_ARGS__) ROW(2, 4, 5, __VA_ARGS__)
#define AIBENCH_ROWS_4x2(ROW, ...) AIBENCH_ROWS_3x2(ROW, __VA_ARGS__) ROW(3, 6, 7, __VA_ARGS__)
#define AIBENCH_ROWS_5x2(ROW, ...) AIBENCH_ROWS_4x2(ROW, __VA_ARGS__) ROW(4, 8, 9, __VA_ARGS__)
#define AIBENCH_ROWS_6x2(ROW, ...) AIBENCH_ROWS_5x2(ROW, __VA_ARGS__) ROW(5, 10, 11, __VA_ARGS__)
#define AIBENCH_ROWS_7x2(ROW, ...) AIBENCH_ROWS_6x2(ROW, __VA_ARGS__) ROW(6, 12, 13, __VA_ARGS__)
#define AIBENCH_ROWS_8x2(ROW, ...) AIBENCH_ROWS_7x2(ROW, __VA_ARGS__) ROW(7, 14, 15, __VA_ARGS__)
#define AIBENCH_ROWS_1x1(ROW, ...) ROW(0, 0, __VA_ARGS__)
#define AIBENCH_ROWS_2x1(ROW, ...) AIBENCH_ROWS_1x1(ROW, __VA_ARGS__) ROW(1, 1, __VA_ARGS__)
#define AIBENCH_ROWS_3x1(ROW, ...) AIBENCH_ROWS_2x1(ROW, __VA_ARGS__) ROW(2, 2, __VA_ARGS__)
#define AIBENCH_ROWS_4x1(ROW, ...) AIBENCH_ROWS_3x1(ROW, __VA_ARGS__) ROW(3, 3, __VA_ARGS__)
#define AIBENCH_ROWS_5x1(ROW, ...) AIBENCH_ROWS_4x1(ROW, __VA_ARGS__) ROW(4, 4, __VA_ARGS__)
#define AIBENCH_ROWS_6x1(ROW, ...) AIBENCH_ROWS_5x1(ROW, __VA_ARGS__) ROW(5, 5, __VA_ARGS__)
#define AIBENCH_ROWS_7x1(ROW, ...) AIBENCH_ROWS_6x1(ROW, __VA_ARGS__) ROW(6, 6, __VA_ARGS__)
#define AIBENCH_ROWS_8x1(ROW, ...) AIBENCH_ROWS_7x1(ROW, __VA_ARGS__) ROW(7, 7, __VA_ARGS__)

// A row at one step: an element of A, times the vectors of B. X is AIBENCH_MILLI_FIRST or _NEXT, A(r) the address of row r's element.
#define AIBENCH_ELEMENT(address) AIBENCH_MILLI_BROADCAST " " address ", " AIBENCH_MILLI_A "\n\t"
#define AIBENCH_STEP_ROW_3(r, x, y, z, X, A) \
  AIBENCH_ELEMENT(A(r)) X(AIBENCH_V(x), AIBENCH_V_OF_B(0)) X(AIBENCH_V(y), AIBENCH_V_OF_B(1)) X(AIBENCH_V(z), AIBENCH_V_OF_B(2))
#define AIBENCH_STEP_ROW_2(r, x, y, X, A) AIBENCH_ELEMENT(A(r)) X(AIBENCH_V(x), AIBENCH_V_OF_B(0)) X(AIBENCH_V(y), AIBENCH_V_OF_B(1))
#define AIBENCH_STEP_ROW_1(r, x, X, A) AIBENCH_ONE_##X(r, x, A)
#define AIBENCH_ONE_AIBENCH_MILLI_FIRST(r, x, A) AIBENCH_ELEMENT(A(r)) AIBENCH_MILLI_FIRST(AIBENCH_V(x), AIBENCH_V_OF_B(0))
#if defined(AIBENCH_MILLI_512) && defined(AIBENCH_MILLI_NEXT_FROM)  // a broadcast to 512 bits takes as long as a multiply-add
#define AIBENCH_ONE_AIBENCH_MILLI_NEXT(r, x, A) AIBENCH_MILLI_NEXT_FROM(AIBENCH_V(x), AIBENCH_V_OF_B(0), A(r))
#else
#define AIBENCH_ONE_AIBENCH_MILLI_NEXT(r, x, A) AIBENCH_ELEMENT(A(r)) AIBENCH_MILLI_NEXT(AIBENCH_V(x), AIBENCH_V_OF_B(0))
#endif

// Vectors of B at step \s of a group. In place rows are ldb apart: four of them from %[b], which then goes on.
#define AIBENCH_VECTORS_1(row, from) "vmovups " from row ", " AIBENCH_V_OF_B(0) "\n\t"
#define AIBENCH_VECTORS_2(row, from) AIBENCH_VECTORS_1(row, from) "vmovups " from "+%c[vector]" row ", " AIBENCH_V_OF_B(1) "\n\t"
#define AIBENCH_VECTORS_3(row, from) AIBENCH_VECTORS_2(row, from) "vmovups " from "+2*%c[vector]" row ", " AIBENCH_V_OF_B(2) "\n\t"
#define AIBENCH_B_PACKED(N) AIBENCH_VECTORS_##N("(%[b])", "\\s*%c[row_of_b]")
#define AIBENCH_B_IN_PLACE(N)                                         \
  ".if \\s==4\n\tlea (%[b],%[ldb],4), %[b]\n\t.endif\n\t"             \
  ".if \\s%%4==0\n\t" AIBENCH_VECTORS_##N("(%[b])", "0")              \
  ".elseif \\s%%4==1\n\t" AIBENCH_VECTORS_##N("(%[b],%[ldb])", "0")   \
  ".elseif \\s%%4==2\n\t" AIBENCH_VECTORS_##N("(%[b],%[ldb],2)", "0") \
  ".else\n\t" AIBENCH_VECTORS_##N("(%[b],%[ldb3])", "0") ".endif\n\t"

// Elements of A at step \s: side by side where packed; in place lda apart, four rows from %[a] and four from %[a4].
#define AIBENCH_PACKED_A(r) "\\s*%c[rows]*%c[bytes]+" #r "*%c[bytes](%[a])"
#define AIBENCH_IN_PLACE_A(r) "\\s*%c[bytes]" AIBENCH_IN_PLACE_ROW_##r
#define AIBENCH_IN_PLACE_ROW_0 "(%[a])"
#define AIBENCH_IN_PLACE_ROW_1 "(%[a],%[lda])"
#define AIBENCH_IN_PLACE_ROW_2 "(%[a],%[lda],2)"
#define AIBENCH_IN_PLACE_ROW_3 "(%[a],%[lda3])"
#define AIBENCH_IN_PLACE_ROW_4 "(%[a4])"
#define AIBENCH_IN_PLACE_ROW_5 "(%[a4],%[lda])"
#define AIBENCH_IN_PLACE_ROW_6 "(%[a4],%[lda],2)"
#define AIBENCH_IN_PLACE_ROW_7 "(%[a4],%[lda3])"

#define AIBENCH_STEPS(steps, R, N, X, A, B) ".irp s," steps "\n\t" AIBENCH_B_##B(N) AIBENCH_ROWS_##R##x##N(AIBENCH_STEP_ROW_##N, X, A) ".endr\n\t"
// Moves the pointers past a group and past a step; %[a4] is there for tiles higher than four rows that read A in place.
#define AIBENCH_PAST_A(steps, HIGH) "add $" #steps "*%c[step_of_a], %[a]\n\t" HIGH("add $" #steps "*%c[step_of_a], %[a4]\n\t")
#define AIBENCH_GROUP_PAST_PACKED "add $8*%c[row_of_b], %[b]\n\t"
#define AIBENCH_STEP_PAST_PACKED "add $%c[row_of_b], %[b]\n\t"
#define AIBENCH_GROUP_PAST_IN_PLACE "lea (%[b],%[ldb],4), %[b]\n\t"
#define AIBENCH_STEP_PAST_IN_PLACE "add %[ldb], %[b]\n\t"
// What is fetched ahead, two lines per group, or four where a group takes long. Where B is read in place it is small and near.
#define AIBENCH_FETCH_TWO "prefetcht1 (%[fetch])\n\tprefetcht1 (%[fetch],%[stride])\n\tlea (%[fetch],%[stride],2), %[fetch]\n\t"
#ifdef AIBENCH_MILLI_512
#define AIBENCH_FETCH_PACKED AIBENCH_FETCH_TWO AIBENCH_FETCH_TWO
constexpr int kMilliFetches = 4;
#else
#define AIBENCH_FETCH_PACKED AIBENCH_FETCH_TWO
constexpr int kMilliFetches = 2;
#endif
#define AIBENCH_FETCH_IN_PLACE
#define AIBENCH_CHANGED_PACKED [fetch] "+r"(fetch)
#define AIBENCH_READ_PACKED [stride] "r"(stride)
#define AIBENCH_CHANGED_IN_PLACE [ldb3] "+r"(ldb3)
#define AIBENCH_READ_IN_PLACE [ldb] "r"(ldb)

// A row of C, from its accumulators; %[c] goes on to the next. OP(register, address, LAST), where LAST is set for the last vector.
#define AIBENCH_ADD_VECTOR(x, at) AIBENCH_MILLI_ADD " " at ", " x ", " x "\n\tvmovups " x ", " at "\n\t"
#define AIBENCH_STORE_VECTOR(x, at) "vmovups " x ", " at "\n\t"
#define AIBENCH_C_AT_0 "0(%[c])"
#define AIBENCH_C_AT_1 "%c[vector](%[c])"
#define AIBENCH_C_AT_2 "2*%c[vector](%[c])"
#define AIBENCH_C_ROW_3(r, x, y, z, OP, LAST) \
  OP(AIBENCH_V(x), AIBENCH_C_AT_0) OP(AIBENCH_V(y), AIBENCH_C_AT_1) LAST(AIBENCH_V(z), AIBENCH_C_AT_2) "add %[ldc], %[c]\n\t"
#define AIBENCH_C_ROW_2(r, x, y, OP, LAST) OP(AIBENCH_V(x), AIBENCH_C_AT_0) LAST(AIBENCH_V(y), AIBENCH_C_AT_1) "add %[ldc], %[c]\n\t"
#define AIBENCH_C_ROW_1(r, x, OP, LAST) LAST(AIBENCH_V(x), AIBENCH_C_AT_0) "add %[ldc], %[c]\n\t"
// The end of a tile: its rows of C, and back to "1:" for the tile below.
#define AIBENCH_C_ROWS(R, N, OP, LAST) AIBENCH_ROWS_##R##x##N(AIBENCH_C_ROW_##N, OP, LAST) "decq 40(%[m])\n\tjnz 1b\n\t"
#ifdef AIBENCH_MILLI_512  // a partial last vector: %k1 has a bit for each four bytes of it that count
#define AIBENCH_ADD_PART(x, at) \
  "vmovups " at ", %%zmm28%{%%k1%}%{z%}\n\t" AIBENCH_MILLI_ADD " %%zmm28, " x ", " x "\n\t" AIBENCH_STORE_PART(x, at)
#define AIBENCH_STORE_PART(x, at) "vmovups " x ", " at "%{%%k1%}\n\t"
#define AIBENCH_MILLI_MASK "kmovw 64(%[m]), %%k1\n\t"
#define AIBENCH_C_PARTS(R, N)                          \
  "cmpq $0, 72(%[m])\n\tjz 10f\n\t"                    \
  "cmpq $0, 48(%[m])\n\tjz 11f\n\t"                    \
  AIBENCH_C_ROWS(R, N, AIBENCH_ADD_VECTOR, AIBENCH_ADD_PART) "jmp 9f\n\t" \
  "11:\n\t"                                             \
  AIBENCH_C_ROWS(R, N, AIBENCH_STORE_VECTOR, AIBENCH_STORE_PART) "jmp 9f\n\t" \
  "10:\n\t"
#define AIBENCH_MILLI_CLOBBERS                                                                                                       \
  "k1", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", \
      "xmm30", "xmm31",
#else
#define AIBENCH_MILLI_MASK
#define AIBENCH_C_PARTS(R, N)
#define AIBENCH_MILLI_CLOBBERS
#endif

#ifdef AIBENCH_MILLI_OFFSET
#define AIBENCH_OFFSET_OF(r) AIBENCH_MILLI_BROADCAST " " #r "*%c[bytes](%[a]), " AIBENCH_MILLI_A "\n\t"
#define AIBENCH_ADD_OFFSET(x) AIBENCH_MILLI_ADD " " AIBENCH_MILLI_A ", " AIBENCH_V(x) ", " AIBENCH_V(x) "\n\t"
#define AIBENCH_OFFSET_ROW_3(r, x, y, z, none) AIBENCH_OFFSET_OF(r) AIBENCH_ADD_OFFSET(x) AIBENCH_ADD_OFFSET(y) AIBENCH_ADD_OFFSET(z)
#define AIBENCH_OFFSET_ROW_2(r, x, y, none) AIBENCH_OFFSET_OF(r) AIBENCH_ADD_OFFSET(x) AIBENCH_ADD_OFFSET(y)
#define AIBENCH_OFFSET_ROW_1(r, x, none) AIBENCH_OFFSET_OF(r) AIBENCH_ADD_OFFSET(x)
// Behind packed A; else they have a pointer of their own.
#define AIBENCH_OFFSETS(R, N) \
  ".if %c[packed]==0\n\tmov 80(%[m]), %[a]\n\taddq $" #R "*%c[bytes], 80(%[m])\n\t.endif\n\t" AIBENCH_ROWS_##R##x##N(AIBENCH_OFFSET_ROW_##N, )
#else
#define AIBENCH_OFFSETS(R, N)
#endif

// The first step of a tile sets the accumulators. C is fetched one row per group behind the first: a burst would fill the miss buffers.
// Everything of a tile is over before %[c] moves on.
#define AIBENCH_MILLIKERNEL(R, N, A, B, HIGH)                                                                                \
  asm volatile(                                                                                                              \
      AIBENCH_MILLI_BEGIN AIBENCH_MILLI_MASK "1:\n\t" /* a tile */                                                           \
      "mov 0(%[m]), %[a]\n\t" HIGH("lea (%[a],%[lda],4), %[a4]\n\t")                                                         \
      "mov 16(%[m]), %[b]\n\t"                                                                                               \
      "mov %[c], %[c_row]\n\t"                                                                                               \
      "mov 24(%[m]), %[left]\n\t"                                                                                            \
      AIBENCH_FETCH_##B                                                                                                      \
      AIBENCH_STEPS("0", R, N, AIBENCH_MILLI_FIRST, A, B)                                                                    \
      AIBENCH_STEPS("1,2,3,4,5,6,7", R, N, AIBENCH_MILLI_NEXT, A, B)                                                         \
      AIBENCH_GROUP_PAST_##B AIBENCH_PAST_A(8, HIGH)                                                                         \
      "sub 56(%[m]), %[left]\n\t"                                                                                            \
      "mov 56(%[m]), %[row]\n\t"                                                                                             \
      "test %[row], %[row]\n\t"                                                                                              \
      "jz 3f\n\t"                                                                                                            \
      "2:\n\t" /* groups with a row of C to fetch */                                                                         \
      "prefetchw (%[c_row])\n\t"                                                                                             \
      ".if %c[row_of_b]>128\n\tprefetchw 64(%[c_row])\n\tprefetchw 128(%[c_row])\n\t.elseif %c[row_of_b]>64\n\tprefetchw 64(%[c_row])\n\t.endif\n\t" \
      "prefetchw %c[row_of_b]-1(%[c_row])\n\t"                                                                               \
      "add %[ldc], %[c_row]\n\t"                                                                                             \
      AIBENCH_FETCH_##B                                                                                                      \
      AIBENCH_STEPS("0,1,2,3,4,5,6,7", R, N, AIBENCH_MILLI_NEXT, A, B)                                                       \
      AIBENCH_GROUP_PAST_##B AIBENCH_PAST_A(8, HIGH)                                                                         \
      "dec %[row]\n\t"                                                                                                       \
      "jnz 2b\n\t"                                                                                                           \
      "3:\n\t"                                                                                                               \
      "dec %[left]\n\t"                                                                                                      \
      "jz 5f\n\t"                                                                                                            \
      ".p2align 5\n\t"                                                                                                       \
      "4:\n\t" /* the other groups */                                                                                        \
      AIBENCH_FETCH_##B                                                                                                      \
      AIBENCH_STEPS("0,1,2,3,4,5,6,7", R, N, AIBENCH_MILLI_NEXT, A, B)                                                       \
      AIBENCH_GROUP_PAST_##B AIBENCH_PAST_A(8, HIGH)                                                                         \
      "dec %[left]\n\t"                                                                                                      \
      "jnz 4b\n\t"                                                                                                           \
      "5:\n\t"                                                                                                               \
      "mov 32(%[m]), %[left]\n\t"                                                                                            \
      "test %[left], %[left]\n\t"                                                                                            \
      "jz 7f\n\t"                                                                                                            \
      "6:\n\t" /* what is left of k */                                                                                       \
      AIBENCH_STEPS("0", R, N, AIBENCH_MILLI_NEXT, A, B)                                                                     \
      AIBENCH_STEP_PAST_##B AIBENCH_PAST_A(1, HIGH)                                                                          \
      "dec %[left]\n\t"                                                                                                      \
      "jnz 6b\n\t"                                                                                                           \
      "7:\n\t" /* A of the tile below; C */                                                                                  \
      AIBENCH_OFFSETS(R, N) "mov 8(%[m]), %[left]\n\t"                                                                       \
      "add %[left], 0(%[m])\n\t"                                                                                             \
      AIBENCH_C_PARTS(R, N) "cmpq $0, 48(%[m])\n\tjz 8f\n\t"                                                               \
      AIBENCH_C_ROWS(R, N, AIBENCH_ADD_VECTOR, AIBENCH_ADD_VECTOR) "jmp 9f\n\t"                                             \
      "8:\n\t"                                                                                                               \
      AIBENCH_C_ROWS(R, N, AIBENCH_STORE_VECTOR, AIBENCH_STORE_VECTOR)                                                       \
      "9:\n\t"                                                                                                               \
      : [a] "=&r"(a), [a4] "=&r"(a4), [b] "=&r"(b), [c] "+r"(c), [c_row] "=&r"(c_row), [left] "=&r"(left), [row] "=&r"(row), \
        AIBENCH_CHANGED_##B                                                                                                  \
      : [m] "r"(&m), [lda] "r"(lda), [lda3] "r"(3 * lda), [ldc] "r"(ldc), AIBENCH_READ_##B, [rows] "i"(R),                   \
        [vector] "i"(kMilliVectorBytes), [row_of_b] "i"(N * kMilliVectorBytes), [bytes] "i"(AIBENCH_MILLI_BYTES), [packed] "i"(kPacked ? 1 : 0), [step_of_a] "i"((kPacked ? R : 1) * AIBENCH_MILLI_BYTES)   \
      : "memory", "cc", AIBENCH_MILLI_CLOBBERS "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",    \
        "xmm12", "xmm13", "xmm14", "xmm15")

#define AIBENCH_LOW(text)
#define AIBENCH_HIGH(text) text
#define AIBENCH_MILLI(rows_, vectors_, HIGH)                                                                         \
  if constexpr (R == rows_ && N == vectors_) {                                                                       \
    if constexpr (kA == FromA::kPacked) AIBENCH_MILLIKERNEL(rows_, vectors_, AIBENCH_PACKED_A, PACKED, AIBENCH_LOW); \
    else if constexpr (kB == FromB::kPacked) AIBENCH_MILLIKERNEL(rows_, vectors_, AIBENCH_IN_PLACE_A, PACKED, HIGH); \
    else AIBENCH_MILLIKERNEL(rows_, vectors_, AIBENCH_IN_PLACE_A, IN_PLACE, HIGH);                                   \
  }

template <typename V, int R, int N, FromA kA, FromB kB>
void millikernel(const Tile<typename V::Source>& t, std::size_t tiles) {
  constexpr std::ptrdiff_t kBytes = AIBENCH_MILLI_BYTES;
  constexpr bool kPacked = kA == FromA::kPacked;
  const std::size_t steps = (t.k + V::kGroup - 1) / V::kGroup, groups = steps / 8;
  const std::ptrdiff_t lda = t.lda * static_cast<std::ptrdiff_t>(sizeof(typename V::Source)), ldc = t.ldc * kBytes;
  [[maybe_unused]] const std::ptrdiff_t stride = t.prefetch_stride, ldb = t.ldb * kBytes;  // (B in place has no groups)
  [[maybe_unused]] std::ptrdiff_t ldb3 = 3 * ldb;
  [[maybe_unused]] const char* fetch = t.prefetch;
  const std::ptrdiff_t next_a = kPacked ? static_cast<std::ptrdiff_t>(steps + (V::kOffset != 0 ? 1 : 0)) * R * kBytes : R * lda;
  constexpr std::size_t kLanes = kMilliVectorBytes / kBytes;
  const std::size_t partial = t.tail != kLanes ? 1 : 0, mask = (std::size_t{1} << t.tail * kBytes / 4) - 1;
  MilliArguments m{t.a, next_a, t.b, groups, steps % 8, tiles, t.beta != 0 ? 1u : 0u, groups > R ? R : 0u, mask, partial, t.offsets};
  const char *a, *a4, *b, *c_row;
  typename V::Element* c = t.c;
  std::size_t left, row;
  AIBENCH_MILLI(1, 3, AIBENCH_LOW) AIBENCH_MILLI(2, 3, AIBENCH_LOW) AIBENCH_MILLI(3, 3, AIBENCH_LOW) AIBENCH_MILLI(4, 3, AIBENCH_LOW)
  AIBENCH_MILLI(5, 3, AIBENCH_HIGH) AIBENCH_MILLI(6, 3, AIBENCH_HIGH) AIBENCH_MILLI(7, 3, AIBENCH_HIGH) AIBENCH_MILLI(8, 3, AIBENCH_HIGH)
  AIBENCH_MILLI(1, 2, AIBENCH_LOW) AIBENCH_MILLI(2, 2, AIBENCH_LOW) AIBENCH_MILLI(3, 2, AIBENCH_LOW) AIBENCH_MILLI(4, 2, AIBENCH_LOW)
  AIBENCH_MILLI(5, 2, AIBENCH_HIGH) AIBENCH_MILLI(6, 2, AIBENCH_HIGH) AIBENCH_MILLI(7, 2, AIBENCH_HIGH) AIBENCH_MILLI(8, 2, AIBENCH_HIGH)
  AIBENCH_MILLI(1, 1, AIBENCH_LOW) AIBENCH_MILLI(2, 1, AIBENCH_LOW) AIBENCH_MILLI(3, 1, AIBENCH_LOW) AIBENCH_MILLI(4, 1, AIBENCH_LOW)
  AIBENCH_MILLI(5, 1, AIBENCH_HIGH) AIBENCH_MILLI(6, 1, AIBENCH_HIGH) AIBENCH_MILLI(7, 1, AIBENCH_HIGH) AIBENCH_MILLI(8, 1, AIBENCH_HIGH)
}

template <typename V, int R, int N>
constexpr void add_millikernels(Microkernel<typename V::Source>& kernel) {
  if constexpr (R * N <= AIBENCH_MILLI_ACCUMULATORS) {
    auto& milli = kernel.millikernels[R][N];
    if (N <= kernel.vectors && R <= kernel.rows) milli.packed[2] = millikernel<V, R, N, FromA::kPacked, FromB::kPacked>;
    if constexpr (V::kInPlaceA) {
      if (N <= kernel.vectors && R <= kernel.highest[N]) {
        if constexpr (V::kGroup == 1) milli.in_place[0] = millikernel<V, R, N, FromA::kInPlace, FromB::kInPlace>;
        milli.in_place[2] = millikernel<V, R, N, FromA::kInPlace, FromB::kPacked>;
      }
    }
  }
  if constexpr (R > 1) add_millikernels<V, R - 1, N>(kernel);
  else if constexpr (N > 1) add_millikernels<V, kMaxTileRows, N - 1>(kernel);
}

// The microkernel of V with millikernels beside its tiles.
template <typename V>
constexpr Microkernel<typename V::Source> with_millikernels(Microkernel<typename V::Source> kernel) {
  kernel.milli_tails = kMilliVectorBytes == 64;
  kernel.milli_fetches = kMilliFetches;
  add_millikernels<V, kMaxTileRows, 3>(kernel);
  return kernel;
}

#endif

}  // namespace
}  // namespace aibench
