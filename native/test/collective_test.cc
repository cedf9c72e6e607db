// Allreduce: every row of the algorithm table and of the reduction table, against the sum made by the checker, at 1 to
// 16 ranks, odd counts, counts below the rank count and zero; and a verifier that sees every kind of damage.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "collective/algorithm.h"
#include "collective/allreduce.h"
#include "core/cpu_features.h"
#include "core/timed_loop.h"

namespace {

using aibench::AllreduceAlgorithm;
using aibench::AllreduceOptions;
using aibench::Isa;
using aibench::Problem;

void require(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  std::exit(1);
}

std::unique_ptr<Problem> prepared(const AllreduceOptions& options, const std::string& name) {
  std::unique_ptr<Problem> problem;
  require(aibench::make_allreduce(options, &problem).ok(), name + ": make");
  require(problem->prepare().ok(), name + ": prepare");
  return problem;
}

void check(const AllreduceOptions& options) {
  const std::string name = "allreduce " + options.algorithm + " " + options.isa + " " + std::to_string(options.ranks) +
                           " ranks, " + std::to_string(options.bytes) + " B, seed " + std::to_string(options.seed);
  const std::unique_ptr<Problem> problem = prepared(options, name);
  if (options.bytes > 0) require(!problem->verify().passed, name + ": output that was never written passes");
  problem->run(1);
  require(problem->verify().passed, name + ": first run");
  problem->run(7);
  require(problem->verify().passed, name + ": repeated run");
  if (options.bytes == 0) {
    require(!problem->inject_fault("flip"), name + ": nothing to damage");
    return;
  }
  for (const char* kind : {"flip", "skipped-rank", "stale-chunk"}) {
    require(problem->inject_fault(kind), name + ": inject " + kind);
    require(!problem->verify().passed, name + ": " + kind + " went unnoticed");
    problem->run(1);
    require(problem->verify().passed, name + ": run after " + kind);
  }
  require(!problem->inject_fault("no-such-fault"), name + ": unknown fault accepted");
}

void test_every_algorithm(int max_ranks) {
  for (const AllreduceAlgorithm* const* row = aibench::allreduce_algorithms(); *row != nullptr; ++row) {
    for (int ranks = 1; ranks <= max_ranks; ++ranks) {
      for (const std::uint64_t count : {0, 1, 2, 3, 13, 14, 15, 16, 17, 255, 1001, 2049, 70001}) {
        if (count > 10000 && ranks > 5 && ranks != 16) continue;
        check({"f32", "sum", count * 4, ranks, count + static_cast<std::uint64_t>(ranks), (*row)->name, ""});
      }
    }
  }
}

void test_every_reduction() {
  for (const Isa isa : aibench::cpu_features().isas) {
    for (const AllreduceAlgorithm* const* row = aibench::allreduce_algorithms(); *row != nullptr; ++row) {
      for (const int ranks : {2, 3}) {
        for (const std::uint64_t count : {1, 31, 257, 100003}) {
          check({"f32", "sum", count * 4, ranks, count, (*row)->name, aibench::isa_name(isa)});
        }
      }
    }
  }
}

void test_streaming_stores() {  // a footprint beyond any cache of this size class
  for (const Isa isa : aibench::cpu_features().isas) {
    check({"f32", "sum", (std::uint64_t{20} << 20) + 12, 2, 5, "direct", aibench::isa_name(isa)});
  }
}

void test_faults_over_seeds() {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const int ranks = 1 + static_cast<int>(seed % 5);
    check({"f32", "sum", 4 * (1 + seed * seed % 5000), ranks, seed, "", ""});
  }
}

void test_choice() {
  require(std::string(aibench::choose_allreduce_algorithm(8, 2).name) == "mailbox", "8 B");
  require(std::string(aibench::choose_allreduce_algorithm(1 << 20, 2).name) == "direct", "1 MiB");
  require(aibench::find_allreduce_algorithm("no-such") == nullptr, "unknown name");
  const auto links = [](const char* name, int ranks) {
    return aibench::find_allreduce_algorithm(name)->bytes_on_links(ranks, 100);
  };
  require(links("direct", 4) == 600 && links("ring", 4) == 600 && links("reduce-scatter-all-gather", 4) == 600,
          "bytes on links of the bandwidth-optimal forms");
  require(links("mailbox", 4) == 1200 && links("recursive-doubling", 4) == 800, "bytes on links of the short forms");
  require(links("recursive-doubling", 3) == 400, "bytes on links with an extra rank");
}

void test_bad_options() {
  std::unique_ptr<Problem> problem;
  const auto code = [&](const AllreduceOptions& options) { return aibench::make_allreduce(options, &problem).code; };
  require(code({"f32", "sum", 6, 2, 0, "", ""}) == "BAD_OPTION", "half an element");
  require(code({"f32", "sum", 8, 0, 0, "", ""}) == "BAD_OPTION", "no ranks");
  require(code({"f32", "sum", 8, 2, 0, "gossip", ""}) == "BAD_OPTION", "unknown algorithm");
  require(code({"f16", "sum", 8, 2, 0, "", ""}) == "UNSUPPORTED_REDUCTION", "unknown dtype");
  require(code({"f32", "sum", 8, 2, 0, "", "mmx"}) == "ISA_UNKNOWN", "unknown isa");
}

void test_timed() {
  for (const AllreduceAlgorithm* const* row = aibench::allreduce_algorithms(); *row != nullptr; ++row) {
    const std::unique_ptr<Problem> problem = prepared({"f32", "sum", 4096, 2, 9, (*row)->name, ""}, (*row)->name);
    const std::atomic<bool> stop{false};
    const aibench::TimedLoopResult result = aibench::run_timed_loop(*problem, {0.02, 1e-3, 0.02, 5, 1000}, stop);
    require(result.complete && problem->verify().passed, std::string((*row)->name) + ": after the timed loop");
  }
}

}  // namespace

// An argument limits the number of ranks: sanitizers are slow.
int main(int argc, char** argv) {
  const int max_ranks = argc > 1 ? std::atoi(argv[1]) : 16;
  test_every_algorithm(max_ranks);
  test_every_reduction();
  test_streaming_stores();
  test_faults_over_seeds();
  test_choice();
  test_bad_options();
  test_timed();
  std::puts("collective_test: ok");
}
