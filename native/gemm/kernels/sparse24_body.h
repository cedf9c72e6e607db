// Products by 2:4 weights (gemm/compressed/sparse24_kernels.h), written once. A kernel file defines a struct V:
//   Source, Element, Register, kLanes, kMostRows, vectors(rows)   as in strips_body.h
//   Places                   words of places of kLanes columns in a register
//   load_places(p), next(places)   those at p; those of the next step at the bottom
//   kStepBytes               of a row of A: what a step is about
//   Data, load_data(a)           them, for all lanes
//   Picks, picks(places)     of the kept elements: how they are taken out of Data
//   Values, load_values(p)   of a step
//   accumulate(sum, data, picks, values)
//   zero(), store(p, v)
// and, where the kernel's a_offset is not 0, add_offsets(v, p), which adds what is at p.
#pragma once
#include "gemm/compressed/sparse24_kernels.h"
#include "gemm/kernels/strips_body.h"

namespace aibench {
namespace {

// X(row, vector) for R rows and N vectors.
#define AIBENCH_SPARSE_ROW(X, r) X(r, 0) X(r, 1) X(r, 2) X(r, 3)
#define AIBENCH_SPARSE_GRID(X)                                                                              \
  AIBENCH_SPARSE_ROW(X, 0) AIBENCH_SPARSE_ROW(X, 1) AIBENCH_SPARSE_ROW(X, 2) AIBENCH_SPARSE_ROW(X, 3)       \
  AIBENCH_SPARSE_ROW(X, 4) AIBENCH_SPARSE_ROW(X, 5) AIBENCH_SPARSE_ROW(X, 6) AIBENCH_SPARSE_ROW(X, 7)

template <typename V>
struct Sparse24Form {
  using Source = typename V::Source;
  using Rows = Sparse24Rows<Source>;
  using Element = typename V::Element;
  using Register = typename V::Register;
  static constexpr std::size_t kLanes = V::kLanes, kMostRows = V::kMostRows;
  static constexpr int vectors(int rows) { return V::vectors(rows); }
  static void store(Element* p, Register v) { V::store(p, v); }
  static Register finished(const Rows& t, std::size_t, std::size_t column, Register v) {
    if constexpr (requires { V::add_offsets(v, t.offsets); }) return V::add_offsets(v, t.offsets + column);
    else return v;
  }

  template <int R, int N>
  static void tile(const Rows& t, std::size_t first, std::size_t last, const char* a, Register totals[R * N]) {
    constexpr std::size_t kPerStrip = kStrip / kLanes, kStepWords = kSparse24ValueWords<Source> / kSparse24Steps<Source> * kStrip;
    constexpr std::size_t kAhead = 512;  // words
    const std::size_t strip_words = t.blocks * kSparse24BlockWords<Source>;
    const auto strip_of = [&](std::size_t v) {
      const std::size_t vector = first + v < last ? first + v : last - 1;  // the last one again where there is none
      return t.strips + vector / kPerStrip * strip_words + vector % kPerStrip * kLanes;
    };
    const std::uint32_t *p0 = strip_of(0), *p1 = strip_of(N > 1 ? 1 : 0), *p2 = strip_of(N > 2 ? 2 : 0), *p3 = strip_of(N > 3 ? 3 : 0);
#define AIBENCH_SPARSE_DECLARE(r, v) [[maybe_unused]] Register c##r##v = V::zero();
    AIBENCH_SPARSE_GRID(AIBENCH_SPARSE_DECLARE)
#undef AIBENCH_SPARSE_DECLARE
    [[maybe_unused]] const std::ptrdiff_t pitch = t.pitch, pitch3 = 3 * pitch;
    for (std::size_t block = 0; block < t.blocks; ++block) {
#define AIBENCH_SPARSE_PLACES(v)                                    \
  [[maybe_unused]] typename V::Places places##v{};                  \
  if constexpr (N > v) {                                            \
    places##v = V::load_places(p##v);                               \
    __builtin_prefetch(p##v + kAhead, 0, 2);                        \
    p##v += kStrip;                                                 \
  }
      AIBENCH_SPARSE_PLACES(0) AIBENCH_SPARSE_PLACES(1) AIBENCH_SPARSE_PLACES(2) AIBENCH_SPARSE_PLACES(3)
#undef AIBENCH_SPARSE_PLACES
      for (std::size_t step = 0; step < kSparse24Steps<Source>; ++step) {
        [[maybe_unused]] const char* a_high = a + 4 * pitch;
#define AIBENCH_SPARSE_STEP(v)                                      \
  [[maybe_unused]] typename V::Picks picks##v{};                    \
  [[maybe_unused]] typename V::Values values##v{};                  \
  if constexpr (N > v) {                                            \
    picks##v = V::picks(places##v);                                 \
    places##v = V::next(places##v);                                 \
    values##v = V::load_values(p##v);                               \
    for (std::size_t w = 0; w < kStepWords; w += kStrip) __builtin_prefetch(p##v + w + kAhead, 0, 2); \
    p##v += kStepWords;                                             \
  }
        AIBENCH_SPARSE_STEP(0) AIBENCH_SPARSE_STEP(1) AIBENCH_SPARSE_STEP(2) AIBENCH_SPARSE_STEP(3)
#undef AIBENCH_SPARSE_STEP
#define AIBENCH_SPARSE_MULTIPLY(r, at)                                        \
  if constexpr (R > r) {                                                      \
    const typename V::Data data = V::load_data(at);                                \
    V::accumulate(c##r##0, data, picks0, values0);                            \
    if constexpr (N > 1) V::accumulate(c##r##1, data, picks1, values1);       \
    if constexpr (N > 2) V::accumulate(c##r##2, data, picks2, values2);       \
    if constexpr (N > 3) V::accumulate(c##r##3, data, picks3, values3);       \
  }
        AIBENCH_SPARSE_MULTIPLY(0, a)
        AIBENCH_SPARSE_MULTIPLY(1, a + pitch)
        AIBENCH_SPARSE_MULTIPLY(2, a + 2 * pitch)
        AIBENCH_SPARSE_MULTIPLY(3, a + pitch3)
        AIBENCH_SPARSE_MULTIPLY(4, a_high)
        AIBENCH_SPARSE_MULTIPLY(5, a_high + pitch)
        AIBENCH_SPARSE_MULTIPLY(6, a_high + 2 * pitch)
        AIBENCH_SPARSE_MULTIPLY(7, a_high + pitch3)
#undef AIBENCH_SPARSE_MULTIPLY
        a += V::kStepBytes;
      }
    }
#define AIBENCH_SPARSE_KEEP(r, v) \
  if constexpr (R > r && N > v) totals[r * N + v] = c##r##v;
    AIBENCH_SPARSE_GRID(AIBENCH_SPARSE_KEEP)
#undef AIBENCH_SPARSE_KEEP
  }
};
#undef AIBENCH_SPARSE_GRID
#undef AIBENCH_SPARSE_ROW

template <typename V>
void sparse24_rows(const Sparse24Rows<typename V::Source>& t) {
  strip_rows<Sparse24Form<V>>(t);
}

}  // namespace
}  // namespace aibench
