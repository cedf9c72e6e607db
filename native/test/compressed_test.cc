// Compressed weights: what compress() keeps is what its form says, and the products by it are right on every path that this
// CPU has, at sizes with tails everywhere; the verifier sees damage in them.
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "core/cpu_features.h"
#include "gemm/compressed/compressed_weights.h"
#include "gemm/gemm_problem.h"
#include "gemm/kernel_registry.h"
#include "gemm/random_fill.h"
#include "gemm/wide.h"

namespace aibench {
namespace {

bool fail(const std::string& what) {
  std::printf("FAILED: %s\n", what.c_str());
  return false;
}

template <typename T>
struct Weights {
  std::size_t k, n;
  std::vector<WeightOf<T>> before, after;
  std::unique_ptr<CompressedWeights<T>> form;
  double old_at(std::size_t l, std::size_t j) const { return to_double(before[l * n + j]); }
  double at(std::size_t l, std::size_t j) const { return to_double(after[l * n + j]); }
};

template <typename T>
Weights<T> compressed(const char* kind, std::size_t k, std::size_t n, std::uint64_t seed) {
  Weights<T> w{k, n, std::vector<WeightOf<T>>(k * n), {}, nullptr};
  for (std::size_t i = 0; i < k * n; ++i) w.before[i] = random_element<WeightOf<T>>(seed, i);
  w.after = w.before;
  const Microkernel<T>* kernel = nullptr;
  if (choose_microkernel<T>("", false, &kernel).ok() && make_compressed_weights<T>(kind, *kernel, 1, &w.form).ok()) {
    w.form->compress({k, n, w.after.data()});
  }
  return w;
}

// Of elements that were not 0 before.
template <typename T>
double kept_share(const Weights<T>& w) {
  double kept = 0, all = 0;
  for (std::size_t l = 0; l < w.k; ++l) {
    for (std::size_t j = 0; j < w.n; ++j) kept += w.at(l, j) != 0, all += w.old_at(l, j) != 0;
  }
  return kept / all;
}

template <typename T>
bool check_2_to_4(std::size_t k, std::size_t n) {
  const Weights<T> w = compressed<T>("2:4", k, n, k + n);
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t g = 0; g < k; g += 4) {
      const std::size_t end = std::min(k, g + 4);
      std::size_t kept = 0, zeros = 0;
      double least_kept = 1000, most_dropped = 0;
      for (std::size_t l = g; l < end; ++l) {
        const double old = w.old_at(l, j), now = w.at(l, j);
        if (now != 0 && now != old) return fail("2:4 changed a weight");
        zeros += old == 0;
        if (now != 0) ++kept, least_kept = std::min(least_kept, std::abs(old));
        else most_dropped = std::max(most_dropped, std::abs(old));
      }
      const std::size_t most = std::min<std::size_t>(2, end - g);
      if (kept > most || kept + zeros < most || most_dropped > least_kept) return fail("2:4 keeps the wrong ones");
    }
  }
  const double density = w.form->density(k, n);
  if (std::is_same_v<T, float> && kept_share(w) != density) return fail("2:4 density");
  return std::abs(kept_share(w) - density) < 0.3 || fail("2:4 density");
}

template <typename T>
bool check_int4(std::size_t k, std::size_t n) {
  const Weights<T> w = compressed<T>("int4", k, n, k + n);
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t g = 0; g < k; g += 32) {
      double largest = 0;
      for (std::size_t l = g; l < std::min(k, g + 32); ++l) largest = std::max(largest, std::abs(w.old_at(l, j)));
      // The scale of bf16 has five significant bits: up to a sixteenth above, which the largest code tells.
      const bool rounded = std::is_same_v<T, Bf16>;
      double scale = static_cast<float>(largest) / 7.0f;
      if (rounded) {
        int exponent = 0;
        const double fraction = std::frexp(scale, &exponent);
        scale = std::ldexp(std::ceil(fraction * 32), exponent - 5);
      }
      for (std::size_t l = g; l < std::min(k, g + 32); ++l) {
        const double now = w.at(l, j), code = std::round(now / scale);
        if (now != static_cast<float>(scale) * static_cast<float>(code) || std::abs(code) > 7) return fail("int4 is no multiple of its scale");
        if (std::abs(now - w.old_at(l, j)) > 0.5001 * scale) return fail("int4 is further off than half a step");
      }
    }
  }
  // 4 bits and 32 bits per 32 elements, with whole panels: at most a panel more in n.
  return w.form->bytes(k, n) >= 0.5 * static_cast<double>(k * n) && w.form->bytes(4096, 4096) < 0.63 * 4096 * 4096 ? true : fail("int4 bytes");
}

// The codes of s8, by column.
bool check_int4_codes(std::size_t k, std::size_t n) {
  const Weights<std::int8_t> w = compressed<std::int8_t>("int4", k, n, k + n);
  for (std::size_t j = 0; j < n; ++j) {
    double largest = 0;
    for (std::size_t l = 0; l < k; ++l) largest = std::max(largest, std::abs(w.old_at(l, j)));
    for (std::size_t l = 0; l < k; ++l) {
      if (std::abs(w.at(l, j)) > 7) return fail("int4 code beyond 7");
      if (std::abs(w.at(l, j) * largest / 7 - w.old_at(l, j)) > 0.5001 * largest / 7) return fail("int4 code is off by more than half a step");
    }
  }
  return w.form->bytes(4096, 4096) < 0.52 * 4096 * 4096 || fail("int4 code bytes");
}

template <typename T>
bool check_block(std::size_t k, std::size_t n) {
  const Weights<T> w = compressed<T>("block", k, n, k + n);
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t l = 0; l < k; ++l) {
      if (w.at(l, j) != 0 && w.at(l, j) != w.old_at(l, j)) return fail("block changed a weight");
      const bool known = l % 64 != 0 && w.old_at(l, j) != 0 && w.old_at(l - 1, j) != 0;
      if (known && (w.at(l, j) == 0) != (w.at(l - 1, j) == 0)) return fail("block drops half a block");
    }
  }
  return std::abs(kept_share(w) - w.form->density(k, n)) < (std::is_integral_v<T> ? 0.01 : 1e-12) || fail("block density");
}

bool check_product(const char* dtype, const char* kind, const char* isa, std::uint64_t number) {
  const auto size = [&](std::uint64_t stream, std::size_t bound) {
    return 1 + static_cast<std::size_t>(random_bits(number, stream) % bound);
  };
  GemmProblemOptions options;
  options.dtype = dtype;
  options.m = number % 5 == 0 ? 1 : size(1, number % 3 == 0 ? 8 : 220);
  options.n = size(2, 150);
  options.k = size(3, number % 4 == 0 ? 900 : 140);
  options.threads = number % 8 == 1 ? 2 : 1;
  options.seed = number;
  options.isa = isa;
  options.weights = kind;
  std::unique_ptr<Problem> problem;
  if (!create_gemm_problem(options, &problem).ok() || !problem->prepare().ok()) return fail("prepare");
  if (problem->verify().passed) return fail("an output that was never written passes");
  problem->run(2);
  const std::string name = std::string(dtype) + " " + kind + " " + isa + " " + std::to_string(options.m) + "x" + std::to_string(options.n) + "x" +
                           std::to_string(options.k);
  const Verification right = problem->verify();
  if (!right.passed) return fail(name + ": error " + std::to_string(right.error));
  if (!problem->inject_fault("value") || problem->verify().passed) return fail(name + ": damage went unnoticed");
  return true;
}

}  // namespace
}  // namespace aibench

int main() {
  using namespace aibench;
  bool good = true;
  for (const auto& [k, n] : {std::pair<std::size_t, std::size_t>{64, 48}, {1, 1}, {130, 33}, {519, 50}, {6, 25}}) {
    good = check_2_to_4<float>(k, n) && check_int4<float>(k, n) && check_block<float>(k, n) && good;
    good = check_2_to_4<Bf16>(k, n) && check_int4<Bf16>(k, n) && check_block<Bf16>(k, n) && good;
    good = check_2_to_4<std::int8_t>(k, n) && check_int4_codes(k, n) && check_block<std::int8_t>(k, n) && good;
  }
  for (const KernelRow& row : kernel_rows()) {
    const std::string dtype = row.dtype;
    if ((dtype != "f32" && dtype != "bf16" && dtype != "s8") || !isa_supported(row.isa)) continue;
    for (const char* kind : {"2:4", "block", "int4"}) {
      for (std::uint64_t number = 0; good && number < 50; ++number) good = check_product(row.dtype, kind, isa_name(row.isa), number);
    }
  }
  GemmProblemOptions options;
  options.dtype = "f64";
  options.m = options.n = options.k = 4;
  options.weights = "int4";
  std::unique_ptr<Problem> problem;
  if (create_gemm_problem(options, &problem).code != "DTYPE_UNSUPPORTED") good = fail("f64 with int4 weights");
  options.dtype = "f32";
  options.weights = "1:2";
  if (create_gemm_problem(options, &problem).code != "BAD_OPTION") good = fail("an unknown form");
  std::puts(good ? "compressed ok" : "compressed FAILED");
  return good ? 0 : 1;
}
