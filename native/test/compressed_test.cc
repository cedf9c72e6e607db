// Compressed weights: what compress() keeps is what its form says, and the products by it are right on every path that this
// CPU has, at sizes with tails everywhere; the verifier sees damage in them.
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "core/cpu_features.h"
#include "gemm/compressed/compressed_weights.h"
#include "gemm/gemm_problem.h"
#include "gemm/kernel_registry.h"
#include "gemm/random_fill.h"

namespace aibench {
namespace {

bool fail(const std::string& what) {
  std::printf("FAILED: %s\n", what.c_str());
  return false;
}

struct Weights {
  std::size_t k, n;
  std::vector<float> before, after;
  std::unique_ptr<CompressedWeights> form;
};

Weights compressed(const char* kind, std::size_t k, std::size_t n, std::uint64_t seed) {
  Weights w{k, n, std::vector<float>(k * n), {}, nullptr};
  for (std::size_t i = 0; i < k * n; ++i) w.before[i] = random_unit<float>(seed, i);
  w.after = w.before;
  const Microkernel<float>* kernel = nullptr;
  if (choose_microkernel<float>("", &kernel).ok() && make_compressed_weights(kind, *kernel, 1, &w.form).ok()) {
    w.form->compress({k, n, w.after.data()});
  }
  return w;
}

double kept_share(const Weights& w) {
  double kept = 0;
  for (const float x : w.after) kept += x != 0;
  return kept / static_cast<double>(w.after.size());
}

bool check_2_to_4(std::size_t k, std::size_t n) {
  const Weights w = compressed("2:4", k, n, k + n);
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t g = 0; g < k; g += 4) {
      const std::size_t end = std::min(k, g + 4);
      std::size_t kept = 0;
      float least_kept = 2, most_dropped = 0;
      for (std::size_t l = g; l < end; ++l) {
        const float old = w.before[l * n + j], now = w.after[l * n + j];
        if (now != 0 && now != old) return fail("2:4 changed a weight");
        if (now != 0) ++kept, least_kept = std::min(least_kept, std::abs(old));
        else most_dropped = std::max(most_dropped, std::abs(old));
      }
      if (kept != std::min<std::size_t>(2, end - g) || most_dropped > least_kept) return fail("2:4 keeps the wrong ones");
    }
  }
  return kept_share(w) == w.form->density(k, n) || fail("2:4 density");
}

bool check_int4(std::size_t k, std::size_t n) {
  const Weights w = compressed("int4", k, n, k + n);
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t g = 0; g < k; g += 32) {
      float largest = 0;
      for (std::size_t l = g; l < std::min(k, g + 32); ++l) largest = std::max(largest, std::abs(w.before[l * n + j]));
      const float scale = largest / 7;
      for (std::size_t l = g; l < std::min(k, g + 32); ++l) {
        const float now = w.after[l * n + j], code = std::round(now / scale);
        if (now != scale * code || std::abs(code) > 7) return fail("int4 is no multiple of its scale");
        if (std::abs(now - w.before[l * n + j]) > 0.5001f * scale) return fail("int4 is further off than half a step");
      }
    }
  }
  // 4 bits and 32 bits per 32 elements, with whole panels: at most a panel more in n.
  return w.form->bytes(k, n) >= 0.5 * static_cast<double>(k * n) && w.form->bytes(4096, 4096) < 0.63 * 4096 * 4096 ? true : fail("int4 bytes");
}

bool check_block(std::size_t k, std::size_t n) {
  const Weights w = compressed("block", k, n, k + n);
  for (std::size_t i = 0; i < k * n; ++i) {
    if (w.after[i] != 0 && w.after[i] != w.before[i]) return fail("block changed a weight");
  }
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t l = 1; l < k; ++l) {
      if (l % 64 != 0 && (w.after[l * n + j] == 0) != (w.after[(l - 1) * n + j] == 0)) return fail("block drops half a block");
    }
  }
  return std::abs(kept_share(w) - w.form->density(k, n)) < 1e-12 || fail("block density");
}

bool check_product(const char* kind, const char* isa, std::uint64_t number) {
  const auto size = [&](std::uint64_t stream, std::size_t bound) {
    return 1 + static_cast<std::size_t>(random_bits(number, stream) % bound);
  };
  GemmProblemOptions options;
  options.dtype = "f32";
  options.m = size(1, number % 3 == 0 ? 8 : 220);
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
  const std::string name = std::string(kind) + " " + isa + " " + std::to_string(options.m) + "x" + std::to_string(options.n) + "x" +
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
    good = check_2_to_4(k, n) && check_int4(k, n) && check_block(k, n) && good;
  }
  for (const char* isa : {"scalar", "neon", "avx2", "avx512f"}) {
    Isa known;
    if (!parse_isa(isa, &known) || !isa_supported(known)) continue;
    for (const char* kind : {"2:4", "block", "int4"}) {
      for (std::uint64_t number = 0; good && number < 150; ++number) good = check_product(kind, isa, number);
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
