// Kernels of int4 weights (gemm/compressed/int4_kernels.h), written once. A kernel file defines a struct V:
//   Source                 of A
//   Register, kLanes, kGroup, zero, load, store, fma   as in tile_body.h
//   Codes                  words of kLanes columns in a register
//   load_codes(p)          those at p
//   weights<kWord>(codes)  the kWord-th of the words of 8 / kGroup steps that they hold, unscaled, as accumulate() and packed panels want it
//   panel_word(w, scale)   such a word as it stands in a packed panel (scaled)
//   accumulate(sum, a, w)  sum += the word of A at a times w
// Sums of kInt4Group elements times their scales are added to totals. int8 has no scales: kScaled = false, sums are totals, and add(v, broadcast(p))
// adds a row's offset.
#pragma once
#include "gemm/compressed/int4_kernels.h"
#include "gemm/kernels/strips_body.h"

namespace aibench {
namespace {

template <typename V>
void unpack_strip(std::size_t words, const std::uint32_t* codes, const float* scales, typename V::Element* panel, std::size_t pitch) {
  constexpr std::size_t kWordsPerGroup = kInt4Group / kInt4Codes;
  typename V::Register scale = V::zero();
  for (std::size_t l = 0; l < words; ++l, codes += kStrip) {
    if constexpr (V::kScaled) {
      if (l % kWordsPerGroup == 0) scale = V::load(scales + l / kWordsPerGroup * kStrip);
    }
    const typename V::Codes word = V::load_codes(codes);
#define AIBENCH_INT4_STEP(i) \
  if constexpr (i < static_cast<int>(kInt4Codes) / V::kGroup) V::store(panel + i * pitch, V::panel_word(V::template weights<i>(word), scale));
    AIBENCH_INT4_STEP(0) AIBENCH_INT4_STEP(1) AIBENCH_INT4_STEP(2) AIBENCH_INT4_STEP(3)
    AIBENCH_INT4_STEP(4) AIBENCH_INT4_STEP(5) AIBENCH_INT4_STEP(6) AIBENCH_INT4_STEP(7)
#undef AIBENCH_INT4_STEP
    panel += static_cast<std::size_t>(kInt4Codes) / V::kGroup * pitch;
  }
}

// X(row, vector) for R rows and N vectors.
#define AIBENCH_INT4_ROW(X, r) X(r, 0) X(r, 1) X(r, 2) X(r, 3)
#define AIBENCH_INT4_GRID(X)                                                                            \
  AIBENCH_INT4_ROW(X, 0) AIBENCH_INT4_ROW(X, 1) AIBENCH_INT4_ROW(X, 2) AIBENCH_INT4_ROW(X, 3)           \
  AIBENCH_INT4_ROW(X, 4) AIBENCH_INT4_ROW(X, 5) AIBENCH_INT4_ROW(X, 6) AIBENCH_INT4_ROW(X, 7)

// R rows of A, N vectors of columns, all k. `distance`: from a vector's codes to those of the next one, in words; the same of scales.
template <typename V, int R, int N>
void int4_tile(const Int4Rows<typename V::Source>& t, const std::uint32_t* const codes_of[N], const float* const scales_of[N], const char* a,
               typename V::Register totals[R * N]) {
  constexpr std::size_t kWordsPerGroup = kInt4Group / kInt4Codes;
  constexpr std::ptrdiff_t kWordBytes = V::kWordBytes, kSteps = kInt4Codes / V::kGroup;
  [[maybe_unused]] const std::ptrdiff_t pitch = t.pitch, pitch3 = 3 * pitch;
  const std::uint32_t *p0 = codes_of[0], *p1 = codes_of[N > 1 ? 1 : 0], *p2 = codes_of[N > 2 ? 2 : 0], *p3 = codes_of[N > 3 ? 3 : 0];
#define AIBENCH_INT4_DECLARE(r, v) [[maybe_unused]] typename V::Register c##r##v = V::zero(), s##r##v = V::zero();
  AIBENCH_INT4_GRID(AIBENCH_INT4_DECLARE)
#undef AIBENCH_INT4_DECLARE
  for (std::size_t l = 0; l < t.words; ++l) {
    [[maybe_unused]] const char* a_high = a + 4 * pitch;
#define AIBENCH_INT4_LOAD(v)                                     \
  [[maybe_unused]] typename V::Codes w##v{};                     \
  if constexpr (N > v) {                                         \
    w##v = V::load_codes(p##v + l * kStrip);                 \
    __builtin_prefetch(p##v + l * kStrip + 256, 0, 2);       \
  }
    AIBENCH_INT4_LOAD(0) AIBENCH_INT4_LOAD(1) AIBENCH_INT4_LOAD(2) AIBENCH_INT4_LOAD(3)
#undef AIBENCH_INT4_LOAD
#define AIBENCH_INT4_AT_0 a
#define AIBENCH_INT4_AT_1 a + pitch
#define AIBENCH_INT4_AT_2 a + 2 * pitch
#define AIBENCH_INT4_AT_3 a + pitch3
#define AIBENCH_INT4_AT_4 a_high
#define AIBENCH_INT4_AT_5 a_high + pitch
#define AIBENCH_INT4_AT_6 a_high + 2 * pitch
#define AIBENCH_INT4_AT_7 a_high + pitch3
#define AIBENCH_INT4_ACCUMULATE(r, v) \
  if constexpr (R > r && N > v) V::accumulate(s##r##v, AIBENCH_INT4_AT_##r + i * kWordBytes, x##v);
#define AIBENCH_INT4_WEIGHTS(v) \
  [[maybe_unused]] typename V::Weights x##v{}; \
  if constexpr (N > v) x##v = V::template weights<i>(w##v);
#define AIBENCH_INT4_STEP(i_)                                                                               \
  if constexpr (i_ < kSteps) {                                                                              \
    constexpr int i = i_;                                                                                   \
    AIBENCH_INT4_WEIGHTS(0) AIBENCH_INT4_WEIGHTS(1) AIBENCH_INT4_WEIGHTS(2) AIBENCH_INT4_WEIGHTS(3)         \
    AIBENCH_INT4_GRID(AIBENCH_INT4_ACCUMULATE)                                                              \
  }
    AIBENCH_INT4_STEP(0) AIBENCH_INT4_STEP(1) AIBENCH_INT4_STEP(2) AIBENCH_INT4_STEP(3)
    AIBENCH_INT4_STEP(4) AIBENCH_INT4_STEP(5) AIBENCH_INT4_STEP(6) AIBENCH_INT4_STEP(7)
#undef AIBENCH_INT4_STEP
#undef AIBENCH_INT4_WEIGHTS
#undef AIBENCH_INT4_ACCUMULATE
    a += kSteps * kWordBytes;
    if constexpr (V::kScaled) {
      if (l % kWordsPerGroup != kWordsPerGroup - 1 && l + 1 != t.words) continue;
      const std::size_t group = l / kWordsPerGroup * kStrip;
#define AIBENCH_INT4_SCALES(v) \
  [[maybe_unused]] typename V::Register y##v{}; \
  if constexpr (N > v) y##v = V::load(scales_of[v] + group);
      AIBENCH_INT4_SCALES(0) AIBENCH_INT4_SCALES(1) AIBENCH_INT4_SCALES(2) AIBENCH_INT4_SCALES(3)
#undef AIBENCH_INT4_SCALES
#define AIBENCH_INT4_FINISH(r, v)                    \
  if constexpr (R > r && N > v) {                    \
    c##r##v = V::fma(s##r##v, y##v, c##r##v);     \
    s##r##v = V::zero();                             \
  }
      AIBENCH_INT4_GRID(AIBENCH_INT4_FINISH)
#undef AIBENCH_INT4_FINISH
    }
  }
#define AIBENCH_INT4_KEEP(r, v) \
  if constexpr (R > r && N > v) totals[r * N + v] = V::kScaled ? c##r##v : s##r##v;
  AIBENCH_INT4_GRID(AIBENCH_INT4_KEEP)
#undef AIBENCH_INT4_KEEP
}

// As strips_body.h wants it.
template <typename V>
struct Int4Form {
  using Rows = Int4Rows<typename V::Source>;
  using Element = typename V::Element;
  using Register = typename V::Register;
  static constexpr std::size_t kLanes = V::kLanes, kMostRows = V::kMostRows;
  static constexpr int vectors(int rows) { return V::vectors(rows); }
  static void store(Element* p, Register v) { V::store(p, v); }
  static Register finished(const Rows& t, std::size_t row, std::size_t, Register v) {
    if constexpr (V::kScaled) return v;
    else return V::add(v, V::broadcast(t.offsets + row));
  }
  template <int R, int N>
  static void tile(const Rows& t, std::size_t first, std::size_t last, const char* a, Register totals[R * N]) {
    constexpr std::size_t kPerStrip = kStrip / kLanes;
    const std::size_t strip_codes = t.words * kStrip, strip_scales = (t.words + 3) / 4 * kStrip;
    const std::uint32_t* codes[N];
    const float* scales[N];
    for (std::size_t v = 0; v < N; ++v) {
      const std::size_t vector = first + v < last ? first + v : last - 1;  // the last one again where there is none
      codes[v] = t.codes + vector / kPerStrip * strip_codes + vector % kPerStrip * kLanes;
      scales[v] = V::kScaled ? t.scales + vector / kPerStrip * strip_scales + vector % kPerStrip * kLanes : nullptr;
    }
    int4_tile<V, R, N>(t, codes, scales, a, totals);
  }
};

template <typename V>
void int4_rows(const Int4Rows<typename V::Source>& t) {
  strip_rows<Int4Form<V>>(t);
}
#undef AIBENCH_INT4_GRID
#undef AIBENCH_INT4_ROW

}  // namespace
}  // namespace aibench
