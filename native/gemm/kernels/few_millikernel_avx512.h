// Products of few rows with AVX-512 where a word is an element (f32, f64): B is read as it lies, some rows side by side. A strip of them, three
// vectors wide, is multiplied by a group of up to eight rows of A, whose sums are in registers for that long; then the next strip. A group of
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

constexpr std::size_t kFewMilliRows = 8, kFewMilliSteps = 8, kFewMostGroups = 4;

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

// What a step reads of B. A strip of one vector may be a partial one: %k1 has a bit for each four bytes of it that count.
#define AIBENCH_FEW_B_3(row) \
  "vmovups " row ", " AIBENCH_V_OF_B(0) "\n\tvmovups 64" row ", " AIBENCH_V_OF_B(1) "\n\tvmovups 128" row ", " AIBENCH_V_OF_B(2) "\n\t"
#define AIBENCH_FEW_B_1(row) "vmovups " row ", " AIBENCH_V_OF_B(0) "%{%%k1%}%{z%}\n\t"
#define AIBENCH_FEW_FAR(row) "prefetcht1 " row "\n\tprefetcht1 64" row "\n\tprefetcht1 128" row "\n\t"
// The strip after the next one, which is in L2 already.
#define AIBENCH_FEW_NEAR(row) "prefetcht0 384" row "\n\tprefetcht0 448" row "\n\tprefetcht0 512" row "\n\t"
#define AIBENCH_FEW_ROW_OF_B(N)                                                                                     \
  AIBENCH_FEW_OF_8("b", "b4", "ldb", "ldb3", AIBENCH_FEW_B_##N)                                                     \
  ".if %c[near]\n\t" AIBENCH_FEW_OF_8("b", "b4", "ldb", "ldb3", AIBENCH_FEW_NEAR) ".endif\n\t"                     \
  ".if %c[far]\n\t" AIBENCH_FEW_OF_8("ahead", "ahead4", "ldb", "ldb3", AIBENCH_FEW_FAR) ".endif\n\t"

// A row of A: its element of step \s, times the vectors.
#define AIBENCH_FEW_ELEMENT(r) AIBENCH_FEW_OF_8("words", "words4", "pitch", "pitch3", AIBENCH_FEW_ELEMENT_##r)
#define AIBENCH_FEW_ELEMENT_0(at) AIBENCH_ELEMENT("0*%c[bytes]" at)
#define AIBENCH_FEW_ELEMENT_1(at) AIBENCH_ELEMENT("1*%c[bytes]" at)
#define AIBENCH_FEW_ELEMENT_2(at) AIBENCH_ELEMENT("2*%c[bytes]" at)
#define AIBENCH_FEW_ELEMENT_3(at) AIBENCH_ELEMENT("3*%c[bytes]" at)
#define AIBENCH_FEW_ELEMENT_4(at) AIBENCH_ELEMENT("4*%c[bytes]" at)
#define AIBENCH_FEW_ELEMENT_5(at) AIBENCH_ELEMENT("5*%c[bytes]" at)
#define AIBENCH_FEW_ELEMENT_6(at) AIBENCH_ELEMENT("6*%c[bytes]" at)
#define AIBENCH_FEW_ELEMENT_7(at) AIBENCH_ELEMENT("7*%c[bytes]" at)
#define AIBENCH_FEW_MULTIPLY_3(r, x, y, z, X)                                                       \
  AIBENCH_FEW_ELEMENT(r) X(AIBENCH_V(x), AIBENCH_V_OF_B(0)) X(AIBENCH_V(y), AIBENCH_V_OF_B(1)) X(AIBENCH_V(z), AIBENCH_V_OF_B(2))
#define AIBENCH_FEW_MULTIPLY_1(r, x, X) AIBENCH_FEW_ELEMENT(r) X(AIBENCH_V(x), AIBENCH_V_OF_B(0))

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
  std::size_t mask = 0xffff;  // of a strip of one vector
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
        [bytes] "i"(AIBENCH_MILLI_BYTES), [far] "i"(kFetch != FewFetch::kNone ? 1 : 0),                                            \
        [near] "i"(kFetch == FewFetch::kFarAndNear ? 1 : 0)                                                                      \
      : "memory", "cc", AIBENCH_MILLI_CLOBBERS "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",   \
        "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")
#define AIBENCH_FEW(rows_, vectors_, steps_, STEPS) \
  if constexpr (R == rows_ && N == vectors_ && kSteps == steps_) AIBENCH_FEW_STRIPS(rows_, vectors_, STEPS);
#define AIBENCH_FEW_HEIGHT(rows_)                  \
  AIBENCH_FEW(rows_, 3, 8, "0,1,2,3,4,5,6,7")      \
  AIBENCH_FEW(rows_, 3, 1, "0")                    \
  AIBENCH_FEW(rows_, 1, 8, "0,1,2,3,4,5,6,7")      \
  AIBENCH_FEW(rows_, 1, 1, "0")

// What is asked for beside: memory for the strips ahead; L2 for the strip after the next one as well.
enum class FewFetch { kNone, kFar, kFarAndNear };

// R rows of A, strips of N vectors, groups of kSteps rows of B.
template <int R, int N, int kSteps, FewFetch kFetch>
void few_strips(const FewStrips& f) {
  const std::ptrdiff_t past_b = kSteps * f.ldb, past_words = kSteps * f.pitch, groups = static_cast<std::ptrdiff_t>(f.groups);
  FewArguments m{f.strips, f.groups, past_b, past_words, groups * past_b - 64 * N, groups * past_words, f.mask};
  const char *words = f.words, *words4 = words + 4 * f.pitch, *b = f.b, *b4 = b + 4 * f.ldb, *ahead = f.ahead, *ahead4 = ahead + 4 * f.ldb;
  char* sums = f.sums;
  std::size_t left;
  AIBENCH_FEW_HEIGHT(1) AIBENCH_FEW_HEIGHT(2) AIBENCH_FEW_HEIGHT(3) AIBENCH_FEW_HEIGHT(4)
  AIBENCH_FEW_HEIGHT(5) AIBENCH_FEW_HEIGHT(6) AIBENCH_FEW_HEIGHT(7) AIBENCH_FEW_HEIGHT(8)
}

using FewFunction = void (*)(const FewStrips&);
// By height, from 1 on.
template <int N, int kSteps, FewFetch kFetch>
constexpr FewFunction kFewFunctions[kFewMilliRows] = {few_strips<1, N, kSteps, kFetch>, few_strips<2, N, kSteps, kFetch>, few_strips<3, N, kSteps, kFetch>,
                                                      few_strips<4, N, kSteps, kFetch>, few_strips<5, N, kSteps, kFetch>, few_strips<6, N, kSteps, kFetch>,
                                                      few_strips<7, N, kSteps, kFetch>, few_strips<8, N, kSteps, kFetch>};

// A group of `height` rows of A over all columns: whole strips, then single vectors, of which the last may be partial.
template <typename V, int kSteps>
void few_group(FewStrips s, std::size_t height, std::size_t n, FewFetch fetch) {
  constexpr std::size_t kStrip = 3 * V::kLanes;
  const std::size_t strips = n / kStrip, rest = n - strips * kStrip, vectors = rest / V::kLanes, tail = rest % V::kLanes;
  FewFunction function = kFewFunctions<3, kSteps, FewFetch::kNone>[height - 1];
  if (kSteps == 8 && fetch == FewFetch::kFar) function = kFewFunctions<3, 8, FewFetch::kFar>[height - 1];
  if (kSteps == 8 && fetch == FewFetch::kFarAndNear) function = kFewFunctions<3, 8, FewFetch::kFarAndNear>[height - 1];
  // Memory is asked for eight rows at a time, from end to end: while a part of the strips is in work, for those of one group.
  const std::size_t parts = kSteps == 8 && fetch != FewFetch::kNone ? s.groups : 1;
  for (std::size_t part = 0; part < parts; ++part) {
    s.strips = cut(strips, parts, part + 1) - cut(strips, parts, part);
    if (s.strips != 0) function(s);
    s.b += s.strips * 192;
    s.sums += s.strips * height * 192;
    s.ahead += 8 * s.ldb;
  }
  if (vectors != 0) {
    s.strips = vectors;
    kFewFunctions<1, kSteps, FewFetch::kNone>[height - 1](s);
    s.b += vectors * 64;
    s.sums += vectors * height * 64;
  }
  if (tail != 0) {
    s.strips = 1;
    s.mask = (std::size_t{1} << tail * AIBENCH_MILLI_BYTES / 4) - 1;
    kFewFunctions<1, kSteps, FewFetch::kNone>[height - 1](s);
  }
}

template <typename V>
void few_rows_milli(const FewRows<typename V::Source>& f) {
  using E = typename V::Element;
  constexpr std::size_t kStrip = 3 * V::kLanes;
  const std::size_t columns = (f.n + V::kLanes - 1) / V::kLanes * V::kLanes;
  const Pieces groups(f.m, kFewMilliRows);
  for (std::size_t i = 0; i < columns * f.m; i += V::kLanes) V::store(f.sums + i, V::zero());
  FewStrips s{};
  s.pitch = static_cast<std::ptrdiff_t>(f.m * sizeof(E));
  s.ldb = f.ldb * static_cast<std::ptrdiff_t>(sizeof(E));
  // Few rows of A wait for memory, which prefers few streams; many wait for the stores of their sums. Measured: docs/kernels.md.
  const std::size_t most = f.m < 6 ? 1 : f.m < 8 ? 2 : f.m == 8 ? 3 : kFewMostGroups;
  const FewFetch fetch = f.m < 6 || f.m == 8 ? FewFetch::kFarAndNear : FewFetch::kFar;
  for (std::size_t l = 0, depth = 0; l < f.k; l += depth) {
    const std::size_t left = f.k - l, steps = left < kFewMilliSteps ? 1 : kFewMilliSteps;
    s.groups = steps == 1 ? left : left / steps < most ? left / steps : most;
    depth = s.groups * steps;
    s.b = reinterpret_cast<const char*>(f.b) + static_cast<std::ptrdiff_t>(l) * s.ldb;
    s.ahead = l + 2 * depth <= f.k ? s.b + static_cast<std::ptrdiff_t>(depth) * s.ldb : reinterpret_cast<const char*>(f.next);
    for (std::size_t g = 0; g < groups.parts; ++g) {
      const std::size_t row = groups.begin(g), height = groups.size(g);
      s.words = reinterpret_cast<const char*>(f.a + l * f.m + row);
      s.sums = reinterpret_cast<char*>(f.sums + row * columns);
      if (steps == kFewMilliSteps) few_group<V, 8>(s, height, f.n, g == 0 ? fetch : FewFetch::kNone);
      else few_group<V, 1>(s, height, f.n, FewFetch::kNone);
    }
  }
  FewRows<E> part = f;
  for (std::size_t g = 0; g < groups.parts; ++g) {
    const std::size_t row = groups.begin(g);
    part.m = groups.size(g);
    part.c = f.c + static_cast<std::ptrdiff_t>(row) * f.ldc;
    const E* sums = f.sums + row * columns;
    std::size_t j = 0;
    for (; j + kStrip <= f.n; j += kStrip, sums += part.m * kStrip) few_store<V>(part, j, 3, V::kLanes, sums);
    for (; j < f.n; j += V::kLanes, sums += part.m * V::kLanes) few_store<V>(part, j, 1, f.n - j < V::kLanes ? f.n - j : V::kLanes, sums);
  }
}

// Up to 8 rows long stretches of B's rows; then shorter ones, so that the many rows of B that are in work stay in L2 beside the sums.
template <typename V>
std::size_t few_columns_milli(std::size_t m) {
  return m <= 8 ? 16384 / sizeof(typename V::Element) : 768;
}

// The microkernel of V with few_rows() as above; products of more rows do better with packed panels.
template <typename V>
constexpr Microkernel<typename V::Source> with_few_millikernels(Microkernel<typename V::Source> kernel) {
  kernel.few_rows = few_rows_milli<V>;
  kernel.few_columns = few_columns_milli<V>;
  kernel.few_unit = static_cast<int>(kFewMostGroups) * 3 * V::kLanes;
  kernel.few_most = 48;
  return kernel;
}
#endif

}  // namespace
}  // namespace aibench
