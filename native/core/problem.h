// A problem is one thing to be timed: allocated, filled, verified, run again and again, and verified once more.
// Every native workload (GEMM, STREAM, pointer chase, allreduce, FMA peak) is a Problem, so that the timed loop
// (core/timed_loop) and the binding (addon/problem_binding) are written once.
#pragma once
#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/status.h"

namespace aibench {

// What one iteration does, for rates. Zero means "does not apply".
struct Work {
  double flops = 0;
  double bytes = 0;
  double items = 0;
};

struct Verification {
  std::string method;    // "scaled residual against f64", "freivalds", "bit for bit", ...
  bool passed = false;
  double error = 0;      // in the method's own unit
  double tolerance = 0;  // passed == (error <= tolerance), NaN fails
};

// Thrown by a method that cannot go on (a rank has died): the one exception that a Problem may throw, caught by the binding.
struct ProblemFailure : std::exception {
  explicit ProblemFailure(Status reason) : status(std::move(reason)) {}
  const char* what() const noexcept override { return status.message.c_str(); }
  Status status;
};

// A number as Problem::facts() holds it: six significant digits.
inline std::string fact_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

class Problem {
 public:
  virtual ~Problem() = default;
  // Called on the measuring thread (already pinned), never on the JavaScript thread.
  // Allocation and filling of inputs. Fails with OUT_OF_MEMORY and the like; never throws.
  virtual Status prepare() = 0;
  // The timed work: `iterations` back to back. Nothing else may happen here.
  virtual void run(std::uint64_t iterations) = 0;
  // run() with the seconds that it took. A problem that knows better when its work begins and ends, such as one of many
  // ranks, measures by itself.
  virtual double run_timed(std::uint64_t iterations) {
    const double begin = monotonic_seconds();
    run(iterations);
    return monotonic_seconds() - begin;
  }
  // What each rank measured in the last run_timed(), seconds by rank; empty where there are no ranks.
  virtual std::vector<double> rank_seconds() const { return {}; }
  // Ceilings of the machine for this work, measured now and in the same place: rates by name, in SI units. May run between
  // prepare() and verify(), never damages the output. Empty where there are none.
  virtual std::map<std::string, double> measure_ceilings() { return {}; }
  // Checks the output as run() left it. `run` has been called at least once before.
  virtual Verification verify() = 0;
  // Damages the output as a real defect would (one flipped value, one stale tile, one skipped rank), for the test of
  // the verifier. False when the kind is unknown. The kinds are listed in fault_kinds().
  virtual bool inject_fault(const std::string& kind) = 0;
  virtual const char* fault_kinds() const = 0;  // comma separated
  virtual Work work() const = 0;
  // Facts for the record: kernel name, isa, blocking, bytes allocated. Keys are camelCase.
  virtual std::map<std::string, std::string> facts() const = 0;
  virtual int threads() const = 0;
  // Called before every sample and after the last, outside of what is timed: a look, well under a millisecond, at what
  // the machine could do at best just now. A clock that moves then moves the ceiling too, and a ceiling taken only before
  // and after cannot come out below what ran in between.
  virtual void sample_ceilings() {}
  // The highest that sample_ceilings() has seen, by the names of the result document (fma_flops_per_second, ...).
  virtual std::map<std::string, double> ceilings() const { return {}; }
};

}  // namespace aibench
