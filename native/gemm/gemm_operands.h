// The operands of a GEMM problem: where they lie, what they are filled with, and what C then has to be.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/thread_team.h"
#include "gemm/gemm.h"
#include "gemm/gemm_problem.h"
#include "gemm/random_fill.h"
#include "gemm/transpose.h"
#include "gemm/verification.h"

namespace aibench {

// Streams of random numbers that belong to one seed.
enum Stream : std::uint64_t { kStreamA = 1, kStreamB, kStreamSigns, kStreamFault, kStreamC, kStreamOrder };

// What C holds before the first run: NaN, or the s32 that no product of int8 reaches.
template <typename C>
C unwritten() {
  return std::is_integral_v<C> ? std::numeric_limits<C>::min() : std::numeric_limits<C>::quiet_NaN();
}

// What C holds before the first run where it is read: of int8, small enough that sums cannot overflow.
template <typename C>
C initial(std::uint64_t seed, std::uint64_t index) {
  if constexpr (std::is_integral_v<C>) return static_cast<C>(random_bits(seed, index) % 2001) - 1000;
  else return random_unit<C>(seed, index);
}

// T is the type of A.
template <typename T>
class GemmOperands {
  using B = WeightOf<T>;
  using C = OutputOf<T>;

 public:
  explicit GemmOperands(const GemmProblemOptions& options) : options_(options) {}

  // Fails with OUT_OF_MEMORY.
  Status reserve() {
    Status status = a_.reserve(size_a() * options_.batch * sizeof(T));
    if (status.ok()) status = b_.reserve(size_b() * options_.batch * sizeof(B));
    if (status.ok()) status = c_.reserve(size_c() * options_.batch * sizeof(C));
    if (status.ok() && options_.beta != 0) status = c0_.reserve(size_c() * options_.batch * sizeof(C));
    return status;
  }

  std::size_t size_a() const { return options_.m * options_.k; }
  std::size_t size_b() const { return options_.k * options_.n; }
  std::size_t size_c() const { return options_.m * options_.n; }

  // Bytes of A, B and C, all products.
  std::size_t bytes_a() const { return size_a() * options_.batch * sizeof(T); }
  std::size_t bytes_b() const { return size_b() * options_.batch * sizeof(B); }
  std::size_t bytes_c() const { return size_c() * options_.batch * sizeof(C); }
  T* a() { return a_.template as<T>(); }
  B* b() { return b_.template as<B>(); }
  C* c() { return c_.template as<C>(); }
  std::size_t bytes_allocated() const { return a_.size() + b_.size() + c_.size() + c0_.size(); }
  std::size_t huge_page_bytes() const { return a_.huge_page_bytes() + b_.huge_page_bytes() + c_.huge_page_bytes(); }
  // All products; alpha is for the problem to change.
  GemmBatch<T>& batch() { return batch_; }

  // Dense matrices one after the other; scattered: the same places in an order of their own, for each operand.
  void arrange_batch() {
    const bool ta = options_.transpose_a, tb = options_.transpose_b;
    const std::size_t count = options_.batch;
    batch_.first = {options_.m, options_.n, options_.k, static_cast<C>(options_.alpha), a_.template as<T>(), ta ? options_.m : options_.k,
                    b_.template as<B>(), tb ? options_.k : options_.n, static_cast<C>(options_.beta), c_.template as<C>(), options_.n, ta, tb};
    batch_.count = count;
    batch_.stride_a = size_a();
    batch_.stride_b = size_b();
    batch_.stride_c = size_c();
    if (!options_.scattered) return;
    std::vector<std::size_t> order(count);
    for (std::size_t i = 0; i < count; ++i) order[i] = i;
    for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random_bits(stream(kStreamOrder), i) % i]);
    for (std::size_t i = 0; i < count; ++i) {
      as_.push_back(a_.template as<T>() + order[i] * size_a());
      bs_.push_back(b_.template as<B>() + order[count - 1 - i] * size_b());
      cs_.push_back(c_.template as<C>() + order[i] * size_c());
    }
    batch_.a = as_.data();
    batch_.b = bs_.data();
    batch_.c = cs_.data();
  }

  // Every element is written first by a thread that will read it, so that its page lies near that thread: a member fills
  // what the grid gives it of C, and a share of the rows of A and the columns of B that it multiplies; of a batch, whole products.
  void fill(const Microkernel<T>& kernel, ThreadTeam& team) {
    const Gemm<T> layout(kernel, team, options_.m, options_.n, options_.k);
    const auto members = static_cast<std::size_t>(options_.threads);
    team.run([&](int member) {
      for (std::size_t p = 0; p < options_.batch; ++p) {
        if (options_.batch == 1) fill_part(0, layout.part_of(member, options_.m, options_.n));
        else if (p * members / options_.batch == static_cast<std::size_t>(member)) fill_part(p, {0, options_.m, 0, options_.n});
      }
    });
  }

  // Checks all products as they have to be after so many runs; the worst of them.
  Verification verify(std::uint64_t runs, std::uint64_t seed) {
    Product<T> product{options_.m, options_.n, options_.k, nullptr, options_.k, nullptr, options_.n, nullptr, options_.n};
    expect_after_runs(runs, &product);
    product.products = static_cast<double>(options_.batch);
    Verification worst;
    for (std::size_t i = 0; i < options_.batch; ++i) {
      const GemmArguments<T> g = batch_.at(i);
      std::vector<T> a;
      std::vector<B> b;
      product.a = turned(g.transpose_a, options_.k, options_.m, g.a, &a);
      product.b = turned(g.transpose_b, options_.n, options_.k, g.b, &b);
      product.c = g.c;
      if (options_.beta != 0) product.c0 = c0_.template as<C>() + (g.c - c());
      const Verification one = verify_product(product, seed);
      if (i == 0 || !(one.error <= worst.error)) worst = one;
    }
    return worst;
  }

  // With beta = 1 or -1 C is set back to what it was at first after so many runs, so that no drift adds up: one copy in place of a
  // 64th of the runs' own traffic of C.
  static constexpr std::uint64_t kRunsBetweenRestores = 64;
  void restore_c() { std::copy_n(c0_.template as<C>(), size_c() * options_.batch, c()); }

  // How many times a single run's rounding error may stand in C.
  double gain() const {
    const double beta = std::abs(options_.beta), alpha = std::max(1.0, std::abs(options_.alpha));
    if (options_.beta == 0) return std::abs(options_.alpha);
    return beta == 1 ? 2 * alpha : alpha / (1 - beta);
  }

 private:
  std::uint64_t stream(Stream which) const { return random_bits(options_.seed, which); }

  // C after `runs` runs is scale * A B + c0_scale * C0. What one run rounds stands in it once, and shrinks by beta with each further
  // run. With beta = 1 the runs add and subtract the same product, with -1 they do so by themselves: (c + x) - x comes back to the same
  // two values (Knuth, TAOCP 4.2.2, theorem D). Where C is written once per block of k it may drift instead, by a rounding error a run:
  // hence kRunsBetweenRestores.
  void expect_after_runs(std::uint64_t runs, Product<T>* product) const {
    const double alpha = static_cast<double>(static_cast<C>(options_.alpha)), beta = static_cast<double>(static_cast<C>(options_.beta));
    product->gain = gain();
    runs = std::max<std::uint64_t>(runs, 1);  // what was never run shall not pass
    if (beta == 0) {
      product->scale = alpha;
      return;
    }
    if (beta == 1 || beta == -1) {
      const bool odd = runs % 2 == 1;
      product->scale = odd ? alpha : 0;
      product->c0_scale = odd ? beta : 1;
      return;
    }
    double scale = 0, c0_scale = 1;
    constexpr std::uint64_t kSettled = 100000;  // far beyond where the sum has converged in double
    for (std::uint64_t i = 0; i < std::min(runs, kSettled); ++i) {
      scale = alpha + beta * scale;
      c0_scale *= beta;
    }
    product->scale = scale;
    product->c0_scale = c0_scale;
  }

  // An operand as the verification wants it: `copy` where it is stored transposed, rows x columns.
  template <typename E>
  const E* turned(bool transposed, std::size_t rows, std::size_t columns, const E* stored, std::vector<E>* copy) const {
    if (!transposed) return stored;
    copy->resize(rows * columns);
    transpose(rows, columns, stored, columns, copy->data(), rows);
    return copy->data();
  }

  void fill_part(std::size_t product, const typename Gemm<T>::Part& part) {
    const std::size_t m = options_.m, n = options_.n, k = options_.k;
    const std::size_t row_end = part.row + part.rows, column_end = part.column + part.columns;
    // The first part of a row of parts fills A, the first of a column of parts fills B.
    if (part.column == 0) {
      T* a = a_.template as<T>();
      const std::size_t from = product * size_a();
      if (options_.transpose_a) fill_rectangle(a, stream(kStreamA), from, m, 0, k, part.row, row_end);
      else fill_rectangle(a, stream(kStreamA), from, k, part.row, row_end, 0, k);
    }
    if (part.row == 0 && part.rows != 0) {
      B* b = b_.template as<B>();
      const std::size_t from = product * size_b();
      if (options_.transpose_b) fill_rectangle(b, stream(kStreamB), from, k, part.column, column_end, 0, k, options_.narrow_weights);
      else fill_rectangle(b, stream(kStreamB), from, n, 0, k, part.column, column_end, options_.narrow_weights);
    }
    C* c = c_.template as<C>() + product * size_c();
    for (std::size_t i = part.row; i < row_end; ++i) {
      for (std::size_t j = part.column; j < column_end; ++j) {
        // An element that no kernel writes, or a kernel that reads C although beta is 0, does not go unnoticed.
        c[i * n + j] = options_.beta == 0 ? unwritten<C>() : initial<C>(stream(kStreamC), product * size_c() + i * n + j);
        if (options_.beta != 0) c0_.template as<C>()[product * size_c() + i * n + j] = c[i * n + j];
      }
    }
  }

  template <typename E>
  static void fill_rectangle(E* to, std::uint64_t seed, std::size_t from, std::size_t width, std::size_t row, std::size_t row_end,
                             std::size_t column, std::size_t column_end, bool narrow = false) {
    for (std::size_t i = row; i < row_end; ++i) {
      for (std::size_t j = column; j < column_end; ++j) {
        E& element = to[from + i * width + j];
        element = random_element<E>(seed, from + i * width + j);
        if constexpr (std::is_integral_v<E>) element = static_cast<E>(narrow ? element / 2 : element);
      }
    }
  }

  const GemmProblemOptions& options_;
  AlignedBuffer a_, b_, c_;
  AlignedBuffer c0_;  // what C held before the first run, where beta is not 0
  GemmBatch<T> batch_;
  std::vector<const T*> as_;
  std::vector<const B*> bs_;
  std::vector<C*> cs_;
};

}  // namespace aibench
