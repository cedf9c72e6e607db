// STREAM and the pointer chase: right results on every path, and a verifier that sees every kind of damage.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "core/cpu_features.h"
#include "core/timed_loop.h"
#include "memory/pointer_chase.h"
#include "memory/read_bandwidth.h"
#include "memory/stream.h"

namespace {

using aibench::Isa;
using aibench::Problem;
using aibench::Status;

void require(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  std::exit(1);
}

// The paths of this CPU that the memory kernels are built for.
std::vector<Isa> memory_isas() {
  std::vector<Isa> isas;
  for (const Isa isa : aibench::cpu_features().isas) {
    if (isa == Isa::kScalar || isa == Isa::kNeon || isa == Isa::kAvx2 || isa == Isa::kAvx512f) isas.push_back(isa);
  }
  return isas;
}

// Prepared and run once, found right; then damaged in each way, each of which must be found and be mended by a new run
// where a run mends it.
void check_problem(const std::string& name, const auto& make, bool rerun_mends) {
  std::unique_ptr<Problem> problem = make();
  require(problem->prepare().ok(), name + ": prepare");
  require(!problem->verify().passed || problem->work().items > 0, name + ": output that was never written passes");
  problem->run(1);
  require(problem->verify().passed, name + ": first run");
  problem->run(3);
  require(problem->verify().passed, name + ": repeated run");
  std::string kinds = problem->fault_kinds();
  for (std::size_t begin = 0; begin < kinds.size();) {
    const std::size_t end = std::min(kinds.find(',', begin), kinds.size());
    const std::string kind = kinds.substr(begin, end - begin);
    require(problem->inject_fault(kind), name + ": inject " + kind);
    require(!problem->verify().passed, name + ": " + kind + " went unnoticed");
    if (rerun_mends) {
      problem->run(1);
    } else {
      require(problem->prepare().ok(), name + ": prepare again");
      problem->run(1);
    }
    require(problem->verify().passed, name + ": run after " + kind);
    begin = end + 1;
  }
  require(!problem->inject_fault("no-such-fault"), name + ": unknown fault accepted");
}

void test_stream() {
  const std::uint64_t llc_beyond = std::uint64_t{24} << 20;  // with 2 or 3 arrays beyond a 32 MiB cache: streaming stores
  for (const Isa isa : memory_isas()) {
    for (const char* kernel : {"copy", "scale", "add", "triad"}) {
      for (const std::uint64_t bytes : {std::uint64_t{8}, std::uint64_t{64}, std::uint64_t{136}, std::uint64_t{4096},
                                        std::uint64_t{1000 * 8}, llc_beyond + 24}) {
        for (const int threads : {1, 2, 3, 7}) {
          if (bytes > (1 << 20) && threads == 7) continue;
          const aibench::StreamOptions options{kernel, bytes, threads, bytes + 17, aibench::isa_name(isa)};
          const std::string name = std::string("stream ") + kernel + " " + aibench::isa_name(isa) + " " +
                                   std::to_string(bytes) + " B, " + std::to_string(threads) + " threads";
          check_problem(name, [&] {
            std::unique_ptr<Problem> problem;
            require(aibench::make_stream(options, &problem).ok(), name + ": make");
            return problem;
          }, true);
        }
      }
    }
  }
}

void test_stream_faults_over_seeds() {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    check_problem("stream seed " + std::to_string(seed), [&] {
      std::unique_ptr<Problem> problem;
      require(aibench::make_stream({"triad", 8 * (1 + seed * 37), 1 + static_cast<int>(seed % 4), seed, ""}, &problem).ok(),
              "make");
      return problem;
    }, true);
  }
}

void test_stream_work() {
  std::unique_ptr<Problem> problem;
  require(aibench::make_stream({"triad", 8000, 2, 1, ""}, &problem).ok(), "make triad");
  require(problem->work().bytes == 24000 && problem->work().flops == 2000, "work of triad");
  require(aibench::make_stream({"copy", 8000, 2, 1, ""}, &problem).ok(), "make copy");
  require(problem->work().bytes == 16000 && problem->work().flops == 0, "work of copy");
}

void test_read() {
  for (const Isa isa : memory_isas()) {
    for (const std::uint64_t bytes : {std::uint64_t{768}, std::uint64_t{10000}, std::uint64_t{1} << 20}) {
      for (const int threads : {1, 3}) {
        const std::string name = std::string("read ") + aibench::isa_name(isa) + " " + std::to_string(bytes) + " B";
        check_problem(name, [&] {
          std::unique_ptr<Problem> problem;
          require(aibench::make_read_bandwidth({bytes, threads, bytes, aibench::isa_name(isa)}, &problem).ok(), name);
          return problem;
        }, true);
      }
    }
  }
}

void test_pointer_chase() {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const std::uint64_t bytes = 128 + seed * seed * 64;
    check_problem("pointer chase over " + std::to_string(bytes), [&] {
      std::unique_ptr<Problem> problem;
      require(aibench::make_pointer_chase({bytes, seed}, &problem).ok(), "make");
      return problem;
    }, false);
  }
}

void test_bad_options() {
  std::unique_ptr<Problem> problem;
  const auto refused = [](const Status& status) { return status.code == "BAD_OPTION" && !status.remedy.empty(); };
  require(refused(aibench::make_stream({"quad", 64, 1, 0, ""}, &problem)), "unknown kernel");
  require(refused(aibench::make_stream({"copy", 0, 1, 0, ""}, &problem)), "no bytes");
  require(refused(aibench::make_stream({"copy", 12, 1, 0, ""}, &problem)), "half an element");
  require(refused(aibench::make_stream({"copy", 64, 0, 0, ""}, &problem)), "no threads");
  require(refused(aibench::make_pointer_chase({64, 0}, &problem)), "one node");
  require(refused(aibench::make_read_bandwidth({255, 1, 0, ""}, &problem)), "less than a step to read");
  require(aibench::make_stream({"copy", 64, 1, 0, "mmx"}, &problem).code == "ISA_UNKNOWN", "unknown isa");
  require(aibench::make_stream({"copy", std::uint64_t{1} << 50, 1, 0, ""}, &problem).ok(), "huge array");
  require(problem->prepare().code == "OUT_OF_MEMORY", "an array that cannot fit");
}

void test_timed() {
  std::unique_ptr<Problem> problem;
  require(aibench::make_pointer_chase({1 << 20, 3}, &problem).ok(), "make");
  require(problem->prepare().ok(), "prepare");
  const std::atomic<bool> stop{false};
  const aibench::TimedLoopResult result = aibench::run_timed_loop(*problem, {0.05, 1e-3, 0.05, 5, 1000}, stop);
  require(result.complete && result.samples.size() >= 5, "timed loop");
  require(problem->verify().passed, "after the timed loop");
}

}  // namespace

int main() {
  test_stream();
  test_stream_faults_over_seeds();
  test_stream_work();
  test_read();
  test_pointer_chase();
  test_bad_options();
  test_timed();
  std::puts("memory_test: ok");
}
