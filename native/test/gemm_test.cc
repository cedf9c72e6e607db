// Every microkernel that can run here, through the whole frame, against a plain reference: random shapes with tails in m, n
// and k, dimensions of 0 and 1, strides larger than the rows, every alpha and beta, NaN where C must not be read, transposed
// operands, packed weights, batches.
// AIBENCH_TEST_PROBLEMS sets the number of problems per kernel (2000); AIBENCH_TEST_ISA leaves the others out.
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "core/thread_team.h"
#include "gemm/chain_products.h"
#include "gemm/gemm.h"
#include "gemm/kernel_registry.h"
#include "gemm/random_fill.h"
#include "gemm/wide.h"

namespace aibench {
namespace {

// Deterministic choices: a failing problem can be run again by its number.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : seed_(seed) {}
  std::size_t below(std::size_t bound) { return random_bits(seed_, index_++) % bound; }
  template <typename V>
  V of(std::initializer_list<V> values) { return *(values.begin() + below(values.size())); }

 private:
  std::uint64_t seed_;
  std::uint64_t index_ = 0;
};

std::size_t dimension(Dice& dice) {
  switch (dice.below(8)) {
    case 0: return dice.of<std::size_t>({0, 1});
    case 1: return dice.of<std::size_t>({2, 3, 4, 8, 16, 24, 32, 48, 64});
    case 2: return 1 + dice.below(120);
    case 3: return 64 * (1 + dice.below(2)) + dice.below(3) - 1;
    case 4: return dice.below(4) == 0 ? 300 + dice.below(300) : 1 + dice.below(60);
    default: return 1 + dice.below(40);
  }
}

template <typename T>
std::vector<T> filled(std::size_t count, std::uint64_t seed) {
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = random_element<T>(seed, i);
  return values;
}

// A copy of `values` that ends where its memory ends: behind it is a page that nobody may touch. AddressSanitizer does not see what
// asm statements read and write; this does.
constexpr std::size_t kGuardedBytes = std::size_t{32} << 20;
template <typename T>
T* before_guard(int operand, const std::vector<T>& values) {
  static char* ends[3] = {};
  char*& end = ends[operand];
  if (end == nullptr) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    void* memory = mmap(nullptr, kGuardedBytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    end = static_cast<char*>(memory) + kGuardedBytes;
    if (mprotect(end, page, PROT_NONE) != 0) std::abort();
  }
  if (values.size() * sizeof(T) > kGuardedBytes) std::abort();
  T* copy = reinterpret_cast<T*>(end - values.size() * sizeof(T));
  std::copy(values.begin(), values.end(), copy);
  return copy;
}

template <typename T>
T not_a_number() {
  if constexpr (std::is_floating_point_v<T>) return std::numeric_limits<T>::quiet_NaN();
  else if constexpr (std::is_integral_v<T>) return T{1};
  else return {0x7fff};  // of bf16 and f16
}

// One Gemm per choice of blocks, large enough for every problem: taking and clearing a workspace costs more than a small
// product.
template <typename T>
using Engines = std::map<std::tuple<std::size_t, std::size_t, std::size_t, std::size_t>, std::unique_ptr<Gemm<T>>>;
constexpr std::size_t kLargest = 1024;

template <typename T>
bool check_problem(const Microkernel<T>& kernel, ThreadTeam& team, Engines<T>& engines, std::uint64_t number) {
  using B = WeightOf<T>;
  using C = OutputOf<T>;
  constexpr bool kWhole = std::is_integral_v<T>;
  Dice dice(number);
  std::size_t m = dimension(dice), n = dimension(dice), k = dimension(dice);
  if (number % 40 == 7) {  // what packed A is for: many rows, wide B
    m = 65 + dice.below(10);
    n = 768 + dice.below(40);
  }
  k = std::min(k, m > 200 || n > 200 ? std::size_t{13} : k);  // the reference takes m n k steps
  const bool turned_a = dice.below(4) == 0, turned_b = dice.below(4) == 0;
  const std::size_t lda = (turned_a ? m : k) + dice.of<std::size_t>({0, 0, 1, 7, 64}), ldb = (turned_b ? k : n) + dice.of<std::size_t>({0, 0, 1, 5, 64});
  const std::size_t ldc = n + dice.of<std::size_t>({0, 0, 3, 16});
  const C alpha = dice.of<C>({1, 1, 1, 0, -1, C(kWhole ? 3 : 0.5)}), beta = dice.of<C>({0, 0, 1, -1, C(kWhole ? 2 : 0.75)});
  // Small blocks, so that a small problem crosses their edges; now and then those of this machine.
  Blocking limits{dice.of<std::size_t>({8, 16, 40}), dice.of<std::size_t>({4, 16, 64}), dice.of<std::size_t>({48, 96, 192})};
  // An L2 that small problems do not fit into, or one that holds them.
  limits.l2 = dice.below(2) == 0 ? limits.mc * limits.kc * sizeof(C) : std::size_t{512} << 10;
  if (dice.below(4) == 0) {
    limits = blocking_limits(CacheBudget{}, sizeof(C) / static_cast<std::size_t>(kernel.group), static_cast<std::size_t>(kernel.rows),
                             static_cast<std::size_t>(kernel.columns()));
  }
  const bool packed = dice.below(8) == 0;
  const std::size_t count = !packed && number % 10 == 3 ? dice.below(5) : 1;
  // Operands end where their last element ends: a kernel that goes beyond it stops the test.
  const auto extent = [](std::size_t rows, std::size_t columns, std::size_t ld) { return rows == 0 || columns == 0 ? 0 : (rows - 1) * ld + columns; };
  const std::size_t size_a = turned_a ? extent(k, m, lda) : extent(m, k, lda), size_b = turned_b ? extent(n, k, ldb) : extent(k, n, ldb);
  const std::size_t size_c = extent(m, n, ldc);
  std::vector<T> a = filled<T>(count * size_a, 3 * number);
  std::vector<B> b = filled<B>(count * size_b, 3 * number + 1);
  if constexpr (kWhole) {
    for (B& weight : b) weight = kernel.narrow_weights ? static_cast<B>(weight / 2) : weight;  // [-128, 127] to kNarrowWeights
  }
  std::vector<C> c(count * size_c);
  for (std::size_t i = 0; i < c.size(); ++i) {
    if constexpr (kWhole) c[i] = static_cast<C>(random_bits(3 * number + 2, i) >> 44) - (1 << 19);
    else c[i] = random_unit<C>(3 * number + 2, i);
  }
  // Where an operand must not be read it holds NaN; integers have none.
  if (!kWhole && beta == C{0}) std::fill(c.begin(), c.end(), std::numeric_limits<C>::quiet_NaN());
  if (alpha == C{0}) {
    std::fill(a.begin(), a.end(), not_a_number<T>());
    std::fill(b.begin(), b.end(), not_a_number<B>());
  }
  const std::vector<C> before = c;
  const T* const a_there = before_guard(0, a);
  const B* const b_there = before_guard(1, b);
  C* const c_there = before_guard(2, c);

  std::unique_ptr<Gemm<T>> own;  // now and then one that has room for this problem alone
  std::unique_ptr<Gemm<T>>& gemm = number % 20 < 2 ? own : engines[{limits.mc, limits.kc, limits.nc, limits.l2}];
  if (gemm == nullptr) {
    const bool exact = number % 20 < 2;
    gemm = std::make_unique<Gemm<T>>(kernel, team, exact ? m : kLargest, exact ? n : kLargest, exact ? k : kLargest, limits);
    if (!gemm->allocate().ok()) return false;
  }
  gemm->always_in_pieces(number % 32 == 0);  // every second one of those for several members
  const GemmArguments<T> first{m, n, k, alpha, a_there, lda, b_there, ldb, beta, c_there, ldc, turned_a, turned_b};
  if (packed) {
    if (!gemm->pack_weights(k, n, b_there, ldb, turned_b).ok()) return false;
    GemmArguments<T> without = first;
    without.b = nullptr;
    gemm->run_packed(without);
  } else if (count == 1) {
    gemm->run(first);
  } else {
    GemmBatch<T> batch{first, count, size_a, size_b, size_c};
    std::vector<const T*> as;
    std::vector<const B*> bs;
    std::vector<C*> cs;
    for (std::size_t i = count; i-- > 0;) {  // the other way round
      as.push_back(a_there + i * size_a);
      bs.push_back(b_there + i * size_b);
      cs.push_back(c_there + i * size_c);
    }
    if (dice.below(2) == 0) batch = {first, count, 0, 0, 0, as.data(), bs.data(), cs.data()};
    gemm->run_batch(batch);
  }
  std::copy(c_there, c_there + c.size(), c.begin());

  const double unit = kWhole ? 0 : static_cast<double>(std::numeric_limits<C>::epsilon()) / 2;
  using Wide = std::conditional_t<std::is_same_v<T, double>, long double, double>;
  std::vector<double> wide_b(k * n);
  std::vector<Wide> sums(n);
  std::vector<double> magnitudes(n);
  for (std::size_t i = 0; i < count * m; ++i) {
    const std::size_t product = i / m, row = i % m;
    if (row == 0) {
      const B* from = b.data() + product * size_b;
      for (std::size_t l = 0; l < k; ++l) {
        for (std::size_t j = 0; j < n; ++j) wide_b[l * n + j] = to_double(turned_b ? from[j * ldb + l] : from[l * ldb + j]);
      }
    }
    std::fill(sums.begin(), sums.end(), Wide{0});
    std::fill(magnitudes.begin(), magnitudes.end(), 0.0);
    for (std::size_t l = 0; alpha != C{0} && l < k; ++l) {
      const double x = to_double(a[product * size_a + (turned_a ? l * lda + row : row * lda + l)]);
      for (std::size_t j = 0; j < n; ++j) {
        const Wide term = static_cast<Wide>(x) * wide_b[l * n + j];
        sums[j] += term;
        magnitudes[j] += std::abs(static_cast<double>(term));
      }
    }
    const std::size_t begin = product * size_c + row * ldc;
    for (std::size_t j = 0; j < ldc && row * ldc + j < size_c; ++j) {
      const C got = c[begin + j], old = before[begin + j];
      if (j >= n) {  // between the rows: must be as it was
        if (got != old && (got == got || old == old)) {
          std::printf("%s problem %llu: wrote beyond row %zu\n", kernel.name, static_cast<unsigned long long>(number), i);
          return false;
        }
        continue;
      }
      double magnitude = magnitudes[j];
      long double expected = static_cast<long double>(alpha) * sums[j];
      magnitude *= std::abs(static_cast<double>(alpha));
      if (beta != C{0}) {
        expected += static_cast<long double>(beta) * old;
        magnitude += std::abs(static_cast<double>(beta) * static_cast<double>(old));
      }
      const double error = std::abs(static_cast<double>(static_cast<long double>(got) - expected));
      // Higham 2002, 3.1: k products and sums, alpha, beta and the last sum, in whatever order; integers exactly.
      if (!(error <= static_cast<double>(k + 4) * unit * magnitude)) {
        std::printf("%s problem %llu: m %zu n %zu k %zu alpha %g beta %g%s%s%s, product %zu of %zu: C[%zu,%zu] = %.17g, expected %.17g\n", kernel.name,
                    static_cast<unsigned long long>(number), m, n, k, static_cast<double>(alpha), static_cast<double>(beta),
                    turned_a ? ", A transposed" : "", turned_b ? ", B transposed" : "", packed ? ", packed" : "", product, count, row, j,
                    static_cast<double>(got), static_cast<double>(expected));
        return false;
      }
    }
  }
  return true;
}

// The multiply-add chains of the peak probe end at steps * a * b.
template <typename T>
bool check_chains(const Microkernel<T>& kernel) {
  T a[kMaxLanes * kMaxGroup];
  WeightOf<T> b[kMaxLanes * kMaxGroup];
  std::vector<OutputOf<T>> sums(static_cast<std::size_t>(kPeakChains * kernel.lanes));
  for (int i = 0; i < kMaxLanes * kMaxGroup; ++i) {
    a[i] = small_whole<T>(1 + i);
    b[i] = small_whole<WeightOf<T>>(kMaxLanes - i);
  }
  kernel.multiply_add_chains(1000, a, b, sums.data());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (static_cast<double>(sums[i]) != 1000 * chain_products(kernel, static_cast<int>(i), a, b)) {
      std::printf("%s: chain element %zu is %g\n", kernel.name, i, static_cast<double>(sums[i]));
      return false;
    }
  }
  return true;
}

template <typename T>
bool check_kernels(std::uint64_t problems) {
  bool passed = true;
  ThreadTeam alone(1), team(3);
  const char* wanted = std::getenv("AIBENCH_TEST_ISA");
  for (const Microkernel<T>* kernel : microkernels<T>()) {
    if (wanted != nullptr && std::string(wanted) != isa_name(kernel->isa)) continue;
#ifdef AIBENCH_SIMDE
    // Built on emulated intrinsics; what the CPU has is gemm_test's.
    if (kernel->isa < Isa::kAvxVnni) continue;
    const bool runs = true;
#else
    const bool runs = isa_supported(kernel->isa);
#endif
    if (!runs) {
      std::printf("%s skipped: this CPU or OS lacks %s\n", kernel->name, isa_name(kernel->isa));
      continue;
    }
    bool good = check_chains(*kernel);
    // Small blocks make most problems ones of few rows: every second one goes by tiles all the same.
    Microkernel<T> by_tiles = *kernel;
    by_tiles.few_rows = nullptr;
    Engines<T> of_one, of_three, tiles_of_one;
    for (std::uint64_t i = 0; good && i < problems; ++i) {
      if (i % 16 == 0) good = check_problem(*kernel, team, of_three, i);
      else good = i % 2 == 0 ? check_problem(by_tiles, alone, tiles_of_one, i) : check_problem(*kernel, alone, of_one, i);
    }
    std::printf("%s %s\n", kernel->name, good ? "ok" : "FAILED");
    passed = passed && good;
  }
  return passed;
}

}  // namespace
}  // namespace aibench

int main() {
#ifdef __linux__
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);  // else 2 MiB are zeroed for each of thousands of small buffers
#endif
  const char* text = std::getenv("AIBENCH_TEST_PROBLEMS");
  const std::uint64_t problems = text == nullptr ? 2000 : std::strtoull(text, nullptr, 10);
  using aibench::check_kernels;
  bool good = check_kernels<float>(problems);
  good = check_kernels<double>(problems) && good;
  good = check_kernels<aibench::Bf16>(problems) && good;
  good = check_kernels<aibench::F16>(problems) && good;
  good = check_kernels<std::int8_t>(problems) && good;
  good = check_kernels<std::uint8_t>(problems) && good;
  return good ? 0 : 1;
}
