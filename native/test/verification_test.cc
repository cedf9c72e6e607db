// The checker is checked: every kind of fault, over many seeds, at sizes where the reference is used and at sizes where
// Freivalds' check is used, for every dtype; and correct products pass.
#include <cstdio>
#include <memory>
#include <string>

#include "core/cpu_features.h"
#include "gemm/gemm_problem.h"
#include "gemm/peak_problem.h"
#include "gemm/verification.h"

namespace aibench {
namespace {

bool check(const GemmProblemOptions& options, int faults) {
  std::unique_ptr<Problem> problem;
  Status status = create_gemm_problem(options, &problem);
  if (status.ok()) status = problem->prepare();
  if (!status.ok()) {
    std::printf("cannot prepare: %s\n", status.message.c_str());
    return false;
  }
  if (problem->verify().passed) {
    std::printf("an output that was never written passes\n");
    return false;
  }
  problem->run(1);
  const Verification first = problem->verify();
  bool good = first.passed;
  for (const char* kind : {"flip", "value", "stale-tile"}) {
    for (int i = 0; i < faults; ++i) {
      problem->run(1);
      if (!problem->inject_fault(kind)) return false;
      const Verification damaged = problem->verify();
      if (damaged.passed) {
        std::printf("missed %s: error %g, tolerance %g\n", kind, damaged.error, damaged.tolerance);
        good = false;
      }
    }
  }
  if (problem->inject_fault("no-such-kind")) good = false;
  std::printf("gemm %s %zux%zux%zu seed %llu: %s, error %.3g of %.3g: %s\n", options.dtype.c_str(), options.m, options.n,
              options.k, static_cast<unsigned long long>(options.seed), first.method.c_str(), first.error, first.tolerance,
              good ? "ok" : "FAILED");
  return good;
}

bool check_peak(const char* dtype, bool narrow_weights) {
  std::unique_ptr<Problem> problem;
  if (!create_peak_problem(dtype, 2, "", narrow_weights, &problem).ok() || !problem->prepare().ok()) return false;
  if (problem->verify().passed) return false;  // never run
  problem->run(2);
  if (!problem->verify().passed) return false;
  return problem->inject_fault("value") && !problem->verify().passed;
}

}  // namespace
}  // namespace aibench

int main() {
  using aibench::check;
  bool good = true;
  for (const char* dtype : {"f32", "f64", "bf16", "f16", "s8", "u8"}) {
    for (bool narrow_weights : {false, true}) good = aibench::check_peak(dtype, narrow_weights) && good;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      good = check({dtype, 1 + seed * 7 % 60, 1 + seed * 11 % 70, 1 + seed * 5 % 50, 1 + static_cast<int>(seed % 2), seed, "", "", ""}, 3) && good;
    }
    good = check({dtype, 1, 1, 1, 1, 7, "", "", ""}, 3) && good;
    good = check({dtype, 1, 300, 2000, 1, 8, "", "", ""}, 3) && good;
    const std::uint64_t seeds = dtype[1] == '6' || dtype[1] == '3' ? 2 : 1;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {  // Freivalds from here on
      good = check({dtype, 520 + seed, 530, 540, 2, seed, "", "", ""}, 2) && good;
      good = check({dtype, 64, 4096, 1024 + seed, 2, seed, "", "", ""}, 2) && good;
      good = check({dtype, 4096, 33, 1500 + seed, 2, seed, "", "", ""}, 2) && good;
    }
  }
  return good ? 0 : 1;
}
