// Products of few rows with AVX-512 where a word is an element (f32, f64): B is read as it lies, some rows side by side. A strip of them, three
// vectors wide (one), is multiplied by a group of up to five (sixteen) rows of A, whose sums are in registers for that long; then the next strip. A group of
// rows goes over all strips before the next one does. Nothing is packed, since stores are what these products cannot hide. All strips are one
// asm statement: docs/kernels.md, "Few rows".
//
// Included behind f32_millikernel.h or f64_millikernel.h, which say what a step is made of.
#pragma once
#include "gemm/kernels/tile_body.h"
#include "gemm/pieces.h"

namespace aibench {
namespace {

#ifdef AIBENCH_SIMDE  // emulated intrinsics
template <typename V>
constexpr Microkernel<typename V::Source> with_few_millikernels(Microkernel<typename V::Source> kernel) {
  return kernel;
}
#else

constexpr std::size_t kFewMilliSteps = 8;
// Strips of N vectors: how many rows of A pass together, and how many groups of eight rows of B.
template <int N>
constexpr std::size_t kFewRowsAtOnce = N == 3 ? 5 : 16;
template <int N>
constexpr std::size_t kFewGroups = N == 3 ? 1 : 6;

#define AIBENCH_ROWS_9x1(ROW, ...) AIBENCH_ROWS_8x1(ROW, __VA_ARGS__) ROW(8, 8, __VA_ARGS__)
#define AIBENCH_ROWS_10x1(ROW, ...) AIBENCH_ROWS_9x1(ROW, __VA_ARGS__) ROW(9, 9, __VA_ARGS__)
#define AIBENCH_ROWS_11x1(ROW, ...) AIBENCH_ROWS_10x1(ROW, __VA_ARGS__) ROW(10, 10, __VA_ARGS__)
#define AIBENCH_ROWS_12x1(ROW, ...) AIBENCH_ROWS_11x1(ROW, __VA_ARGS__) ROW(11, 11, __VA_ARGS__)
#define AIBENCH_ROWS_13x1(ROW, ...) AIBENCH_ROWS_12x1(ROW, __VA_ARGS__) ROW(12, 12, __VA_ARGS__)
#define AIBENCH_ROWS_14x1(ROW, ...) AIBENCH_ROWS_13x1(ROW, __VA_ARGS__) ROW(13, 13, __VA_ARGS__)
#define AIBENCH_ROWS_15x1(ROW, ...) AIBENCH_ROWS_14x1(ROW, __VA_ARGS__) ROW(14, 14, __VA_ARGS__)
#define AIBENCH_ROWS_16x1(ROW, ...) AIBENCH_ROWS_15x1(ROW, __VA_ARGS__) ROW(15, 15, __VA_ARGS__)

// Sums of a strip and a group of rows: registers as they are numbered, side by side.
#define AIBENCH_FEW_SUMS_3(r, x, y, z, OP) OP(x) OP(y) OP(z)
#define AIBENCH_FEW_SUMS_1(r, x, OP) OP(x)
#define AIBENCH_FEW_LOAD_SUM(x) "vmovups " #x "*64(%[sums]), " AIBENCH_V(x) "\n\t"
#define AIBENCH_FEW_KEEP_SUM(x) "vmovups " AIBENCH_V(x) ", " #x "*64(%[sums])\n\t"

// Row \s of eight that are `pitch` apart, four from `low` and four from `high`.
#define AIBENCH_FEW_OF_8(low, high, pitch, pitch3, OP)                                                                           \
  ".if \\s==0\n\t" OP("(%[" low "])") ".elseif \\s==1\n\t" OP("(%[" low "],%[" pitch "])")                                       \
  ".elseif \\s==2\n\t" OP("(%[" low "],%[" pitch "],2)") ".elseif \\s==3\n\t" OP("(%[" low "],%[" pitch3 "])")                   \
  ".elseif \\s==4\n\t" OP("(%[" high "])") ".elseif \\s==5\n\t" OP("(%[" high "],%[" pitch "])")                                 \
  ".elseif \\s==6\n\t" OP("(%[" high "],%[" pitch "],2)") ".else\n\t" OP("(%[" high "],%[" pitch3 "])") ".endif\n\t"

// What a step reads of B. A strip of one vector may be a partial one: %k1 has a bit for each four bytes of it that count. (Whole ones by the same
// mask take 1 % more.)
#define AIBENCH_FEW_B_3(row) \
  "vmovups " row ", " AIBENCH_V_OF_B(0) "\n\tvmovups 64" row ", " AIBENCH_V_OF_B(1) "\n\tvmovups 128" row ", " AIBENCH_V_OF_B(2) "\n\t"
#define AIBENCH_FEW_B_1(row) \
  ".if %c[partial]\n\tvmovups " row ", " AIBENCH_V_OF_B(0) "%{%%k1%}%{z%}\n\t.else\n\tvmovups " row ", " AIBENCH_V_OF_B(0) "\n\t.endif\n\t"
#define AIBENCH_FEW_FAR_1(row) "prefetcht1 " row "\n\t"
#define AIBENCH_FEW_FAR_3(row) "prefetcht1 " row "\n\tprefetcht1 64" row "\n\tprefetcht1 128" row "\n\t"
// The strip after the next one, which is in L2 already.
#define AIBENCH_FEW_NEAR_1(row) ""
#define AIBENCH_FEW_NEAR_3(row) "prefetcht0 384" row "\n\tprefetcht0 448" row "\n\tprefetcht0 512" row "\n\t"
#define AIBENCH_FEW_ROW_OF_B(N)                                                                                     \
  AIBENCH_FEW_OF_8("b", "b4", "ldb", "ldb3", AIBENCH_FEW_B_##N)                                                     \
  ".if %c[fetch]\n\t" AIBENCH_FEW_OF_8("ahead", "ahead4", "ldb", "ldb3", AIBENCH_FEW_FAR_##N)                         \
  AIBENCH_FEW_OF_8("b", "b4", "ldb", "ldb3", AIBENCH_FEW_NEAR_##N) ".endif\n\t"

// A row of A: its element of step \s, times the vectors.
#define AIBENCH_FEW_ELEMENT(r) AIBENCH_FEW_OF_8("words", "words4", "pitch", "pitch3", AIBENCH_FEW_ELEMENT_##r)
#define AIBENCH_FEW_ELEMENT_0(at) AIBENCH_ELEMENT("0*%c[bytes]" at)
#define AIBENCH_FEW_ELEMENT_1(at) AIBENCH_ELEMENT("1*%c[bytes]" at)
#define AIBENCH_FEW_ELEMENT_2(at) AIBENCH_ELEMENT("2*%c[bytes]" at)
#define AIBENCH_FEW_ELEMENT_3(at) AIBENCH_ELEMENT("3*%c[bytes]" at)
#define AIBENCH_FEW_ELEMENT_4(at) AIBENCH_ELEMENT("4*%c[bytes]" at)
#define AIBENCH_FEW_MULTIPLY_3(r, x, y, z, X)                                                       \
  AIBENCH_FEW_ELEMENT(r) X(AIBENCH_V(x), AIBENCH_V_OF_B(0)) X(AIBENCH_V(y), AIBENCH_V_OF_B(1)) X(AIBENCH_V(z), AIBENCH_V_OF_B(2))
// The same times one vector: the element comes with the multiply-add. Sums are numbered as their rows.
#define AIBENCH_FEW_MULTIPLY_1(r, x, X) AIBENCH_FEW_OF_8("words", "words4", "pitch", "pitch3", AIBENCH_FEW_PRODUCT_##r)
#define AIBENCH_FEW_PRODUCT(r, at) AIBENCH_MILLI_NEXT_FROM(AIBENCH_V(r), AIBENCH_V_OF_B(0), #r "*%c[bytes]" at)
#define AIBENCH_FEW_PRODUCT_0(at) AIBENCH_FEW_PRODUCT(0, at)
#define AIBENCH_FEW_PRODUCT_1(at) AIBENCH_FEW_PRODUCT(1, at)
#define AIBENCH_FEW_PRODUCT_2(at) AIBENCH_FEW_PRODUCT(2, at)
#define AIBENCH_FEW_PRODUCT_3(at) AIBENCH_FEW_PRODUCT(3, at)
#define AIBENCH_FEW_PRODUCT_4(at) AIBENCH_FEW_PRODUCT(4, at)
#define AIBENCH_FEW_PRODUCT_5(at) AIBENCH_FEW_PRODUCT(5, at)
#define AIBENCH_FEW_PRODUCT_6(at) AIBENCH_FEW_PRODUCT(6, at)
#define AIBENCH_FEW_PRODUCT_7(at) AIBENCH_FEW_PRODUCT(7, at)
#define AIBENCH_FEW_PRODUCT_8(at) AIBENCH_FEW_PRODUCT(8, at)
#define AIBENCH_FEW_PRODUCT_9(at) AIBENCH_FEW_PRODUCT(9, at)
#define AIBENCH_FEW_PRODUCT_10(at) AIBENCH_FEW_PRODUCT(10, at)
#define AIBENCH_FEW_PRODUCT_11(at) AIBENCH_FEW_PRODUCT(11, at)
#define AIBENCH_FEW_PRODUCT_12(at) AIBENCH_FEW_PRODUCT(12, at)
#define AIBENCH_FEW_PRODUCT_13(at) AIBENCH_FEW_PRODUCT(13, at)
#define AIBENCH_FEW_PRODUCT_14(at) AIBENCH_FEW_PRODUCT(14, at)
#define AIBENCH_FEW_PRODUCT_15(at) AIBENCH_FEW_PRODUCT(15, at)

// What a statement goes over. Distances in bytes.
struct FewStrips {
  std::size_t strips;         // at least one
  std::size_t groups;         // of eight rows of B, or of one
  const char* words;          // of A, `pitch` from step to step
  std::ptrdiff_t pitch;
  const char* b;
  std::ptrdiff_t ldb;
  char* sums;                 // [strip][row][vectors]
  const char* ahead;          // rows that are wanted next, eight of them: a strip's width for each group
  std::size_t mask = 0;       // of a partial vector
};

// What the asm statements read beside, at the offsets that they name.
struct FewArguments {
  std::size_t strips;         // 0
  std::size_t groups;         // 8
  std::ptrdiff_t past_b;      // 16: a group
  std::ptrdiff_t past_words;  // 24
  std::ptrdiff_t back_b;      // 32: from behind the last group to the next strip
  std::ptrdiff_t back_words;  // 40
  std::size_t mask;           // 48
};

#define AIBENCH_FEW_STRIPS(R, N, STEPS)                                                                                          \
  asm volatile(                                                                                                                  \
      "kmovw 48(%[m]), %%k1\n\t"                                                                                                 \
      "1:\n\t" AIBENCH_ROWS_##R##x##N(AIBENCH_FEW_SUMS_##N, AIBENCH_FEW_LOAD_SUM) "mov 8(%[m]), %[left]\n\t"                    \
      "2:\n\t.irp s," STEPS "\n\t"                                                                                              \
      AIBENCH_FEW_ROW_OF_B(N) AIBENCH_ROWS_##R##x##N(AIBENCH_FEW_MULTIPLY_##N, AIBENCH_MILLI_NEXT)                               \
      ".endr\n\t"                                                                                                                \
      "add 16(%[m]), %[b]\n\tadd 16(%[m]), %[b4]\n\tadd $64*" #N ", %[ahead]\n\tadd $64*" #N ", %[ahead4]\n\t"                 \
      "add 24(%[m]), %[words]\n\tadd 24(%[m]), %[words4]\n\t"                                                                  \
      "dec %[left]\n\tjnz 2b\n\t"                                                                                              \
      AIBENCH_ROWS_##R##x##N(AIBENCH_FEW_SUMS_##N, AIBENCH_FEW_KEEP_SUM)                                                         \
      "add $64*" #R "*" #N ", %[sums]\n\tsub 40(%[m]), %[words]\n\tsub 40(%[m]), %[words4]\n\t"                                 \
      "sub 32(%[m]), %[b]\n\tsub 32(%[m]), %[b4]\n\t"                                                                          \
      "decq 0(%[m])\n\tjnz 1b\n\t"                                                                                             \
      : [b] "+r"(b), [b4] "+r"(b4), [ahead] "+r"(ahead), [ahead4] "+r"(ahead4), [words] "+r"(words), [words4] "+r"(words4),      \
        [sums] "+r"(sums), [left] "=&r"(left)                                                                                    \
      : [m] "r"(&m), [pitch] "r"(f.pitch), [pitch3] "r"(3 * f.pitch), [ldb] "r"(f.ldb), [ldb3] "r"(3 * f.ldb),                   \
        [bytes] "i"(AIBENCH_MILLI_BYTES), [fetch] "i"(kFetch ? 1 : 0), [partial] "i"(kPartial ? 1 : 0)             \
      : "memory", "cc", AIBENCH_MILLI_CLOBBERS "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",   \
        "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")
#define AIBENCH_FEW(rows_, vectors_, steps_, STEPS) \
  if constexpr (R == rows_ && N == vectors_ && kSteps == steps_) AIBENCH_FEW_STRIPS(rows_, vectors_, STEPS);
// Three vectors wide, or one.
#define AIBENCH_FEW_WIDE(rows_)               \
  AIBENCH_FEW(rows_, 3, 8, "0,1,2,3,4,5,6,7") \
  AIBENCH_FEW(rows_, 3, 1, "0")
#define AIBENCH_FEW_HIGH(rows_)               \
  AIBENCH_FEW(rows_, 1, 8, "0,1,2,3,4,5,6,7") \
  AIBENCH_FEW(rows_, 1, 1, "0")

// R rows of A, strips of N vectors, groups of kSteps rows of B. kFetch: memory is asked for what is ahead, L2 for the strip after the next one where strips are wide.
template <int R, int N, int kSteps, bool kFetch, bool kPartial>
void few_strips(const FewStrips& f) {
  const std::ptrdiff_t past_b = kSteps * f.ldb, past_words = kSteps * f.pitch, groups = static_cast<std::ptrdiff_t>(f.groups);
  FewArguments m{f.strips, f.groups, past_b, past_words, groups * past_b - 64 * N, groups * past_words, f.mask};
  const char *words = f.words, *words4 = words + 4 * f.pitch, *b = f.b, *b4 = b + 4 * f.ldb, *ahead = f.ahead, *ahead4 = ahead + 4 * f.ldb;
  char* sums = f.sums;
  std::size_t left;
  AIBENCH_FEW_WIDE(1) AIBENCH_FEW_WIDE(2) AIBENCH_FEW_WIDE(3) AIBENCH_FEW_WIDE(4) AIBENCH_FEW_WIDE(5)
  AIBENCH_FEW_HIGH(1) AIBENCH_FEW_HIGH(2) AIBENCH_FEW_HIGH(3) AIBENCH_FEW_HIGH(4)
  AIBENCH_FEW_HIGH(5) AIBENCH_FEW_HIGH(6) AIBENCH_FEW_HIGH(7) AIBENCH_FEW_HIGH(8)
  AIBENCH_FEW_HIGH(9) AIBENCH_FEW_HIGH(10) AIBENCH_FEW_HIGH(11) AIBENCH_FEW_HIGH(12)
  AIBENCH_FEW_HIGH(13) AIBENCH_FEW_HIGH(14) AIBENCH_FEW_HIGH(15) AIBENCH_FEW_HIGH(16)
}

using FewFunction = void (*)(const FewStrips&);
template <int N, int kSteps, bool kFetch, bool kPartial = false>
FewFunction few_function(std::size_t height) {
  switch (height) {
#define AIBENCH_FEW_CASE(rows_) \
  case rows_:                   \
    return few_strips<rows_, N, kSteps, kFetch, kPartial>;
    AIBENCH_FEW_CASE(1) AIBENCH_FEW_CASE(2) AIBENCH_FEW_CASE(3) AIBENCH_FEW_CASE(4) AIBENCH_FEW_CASE(5)
  }
  if constexpr (N == 1) {
    switch (height) {
      AIBENCH_FEW_CASE(6) AIBENCH_FEW_CASE(7) AIBENCH_FEW_CASE(8) AIBENCH_FEW_CASE(9) AIBENCH_FEW_CASE(10) AIBENCH_FEW_CASE(11) AIBENCH_FEW_CASE(12)
      AIBENCH_FEW_CASE(13) AIBENCH_FEW_CASE(14) AIBENCH_FEW_CASE(15) AIBENCH_FEW_CASE(16)
    }
#undef AIBENCH_FEW_CASE
  }
  return nullptr;
}

// A group of `height` rows of A over all columns: whole strips of N vectors, then single vectors, of which the last may be partial. `first`: of all
// groups that go over these rows of B.
template <typename V, int N, int kSteps>
void few_group(FewStrips s, std::size_t height, std::size_t n, bool first) {
  constexpr std::size_t kStrip = N * V::kLanes;
  const std::size_t strips = n / kStrip, rest = n - strips * kStrip, vectors = rest / V::kLanes, tail = rest % V::kLanes;
  const bool fetch = first && kSteps == kFewMilliSteps;
  const FewFunction function = fetch ? few_function<N, kFewMilliSteps, true>(height) : few_function<N, kSteps, false>(height);
  // Memory is asked for eight rows at a time, from end to end: while a part of the strips is in work, for those of one group.
  const std::size_t parts = fetch ? s.groups : 1;
  for (std::size_t part = 0; part < parts; ++part) {
    s.strips = cut(strips, parts, part + 1) - cut(strips, parts, part);
    if (s.strips != 0) function(s);
    s.b += s.strips * N * 64;
    s.sums += s.strips * height * N * 64;
    s.ahead += 8 * s.ldb;
  }
  if (vectors != 0) {
    s.strips = vectors;
    few_function<1, kSteps, false>(height)(s);
    s.b += vectors * 64;
    s.sums += vectors * height * 64;
  }
  if (tail != 0) {
    s.strips = 1;
    s.mask = (std::size_t{1} << tail * AIBENCH_MILLI_BYTES / 4) - 1;
    few_function<1, kSteps, false, true>(height)(s);
  }
}

template <typename V, int N>
void few_groups(const FewRows<typename V::Source>& f) {
  using E = typename V::Element;
  constexpr std::size_t kStrip = N * V::kLanes;
  const std::size_t columns = (f.n + V::kLanes - 1) / V::kLanes * V::kLanes;
  const Pieces groups(f.m, kFewRowsAtOnce<N>);
  for (std::size_t i = 0; i < columns * f.m; i += V::kLanes) V::store(f.sums + i, V::zero());
  FewStrips s{};
  s.pitch = static_cast<std::ptrdiff_t>(f.m * sizeof(E));
  s.ldb = f.ldb * static_cast<std::ptrdiff_t>(sizeof(E));
  for (std::size_t l = 0, depth = 0; l < f.k; l += depth) {
    const std::size_t left = f.k - l, steps = left < kFewMilliSteps ? 1 : kFewMilliSteps;
    s.groups = steps == 1 ? left : left / steps < kFewGroups<N> ? left / steps : kFewGroups<N>;
    depth = s.groups * steps;
    s.b = reinterpret_cast<const char*>(f.b) + static_cast<std::ptrdiff_t>(l) * s.ldb;
    s.ahead = l + 2 * depth <= f.k ? s.b + static_cast<std::ptrdiff_t>(depth) * s.ldb : reinterpret_cast<const char*>(f.next);
    for (std::size_t g = 0; g < groups.parts; ++g) {
      const std::size_t row = groups.begin(g), height = groups.size(g);
      s.words = reinterpret_cast<const char*>(f.a + l * f.m + row);
      s.sums = reinterpret_cast<char*>(f.sums + row * columns);
      if (steps == kFewMilliSteps) few_group<V, N, kFewMilliSteps>(s, height, f.n, g == 0);
      else few_group<V, N, 1>(s, height, f.n, g == 0);
    }
  }
  FewRows<E> part = f;
  for (std::size_t g = 0; g < groups.parts; ++g) {
    const std::size_t row = groups.begin(g);
    part.m = groups.size(g);
    part.c = f.c + static_cast<std::ptrdiff_t>(row) * f.ldc;
    const E* sums = f.sums + row * columns;
    std::size_t j = 0;
    for (; j + kStrip <= f.n; j += kStrip, sums += part.m * kStrip) few_store<V>(part, j, N, V::kLanes, sums);
    for (; j < f.n; j += V::kLanes, sums += part.m * V::kLanes) few_store<V>(part, j, 1, f.n - j < V::kLanes ? f.n - j : V::kLanes, sums);
  }
}

// Up to five rows of A wait for memory, which prefers few streams; more of them for their sums and for B from L2. Measured: docs/kernels.md.
template <typename V>
void few_rows_milli(const FewRows<typename V::Source>& f) {
  f.m <= kFewRowsAtOnce<3> ? few_groups<V, 3>(f) : few_groups<V, 1>(f);
}

// Long stretches of B's rows; where many of them are in work short ones, so that they stay in L2 beside the sums.
template <typename V>
std::size_t few_columns_milli(std::size_t m) {
  return (m <= kFewRowsAtOnce<3> ? 16384 : 4096) / sizeof(typename V::Element);
}

// The microkernel of V with few_rows() as above; products of more rows do better with packed panels.
template <typename V>
constexpr Microkernel<typename V::Source> with_few_millikernels(Microkernel<typename V::Source> kernel) {
  kernel.few_rows = few_rows_milli<V>;
  kernel.few_columns = few_columns_milli<V>;
  kernel.few_unit = static_cast<int>(kFewGroups<1>) * V::kLanes;  // what each group is asked for while one part is in work is then all of it
  kernel.few_most = 48;
  return kernel;
}
#endif

}  // namespace
}  // namespace aibench
