// Collectives: every row of the algorithm table, every dtype, operation and ISA, against what the checker makes, at 1 to
// 16 ranks, odd counts, counts below the rank count and zero; and a verifier that sees every kind of damage.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "collective/algorithm.h"
#include "collective/collective_problem.h"
#include "collective/core_latency.h"
#include "collective/domains.h"
#include "core/cpu_features.h"
#include "core/half.h"
#include "core/thread_team.h"
#include "core/timed_loop.h"

namespace {

using aibench::Collective;
using aibench::CollectiveAlgorithm;
using aibench::CollectiveOptions;
using aibench::Isa;
using aibench::Problem;

void require(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  std::exit(1);
}

std::string describe(const CollectiveOptions& o) {
  return o.collective + " " + o.algorithm + " " + o.dtype + " " + o.op + " " + o.isa + " " + std::to_string(o.ranks) +
         (o.processes ? " processes" : " threads") + (o.in_place ? " in place" : "") + (o.private_buffers ? " private" : "") +
         ", " + std::to_string(o.bytes) + " B, seed " + std::to_string(o.seed);
}

std::unique_ptr<Problem> prepared(const CollectiveOptions& options) {
  std::unique_ptr<Problem> problem;
  const aibench::Status made = aibench::make_collective(options, &problem);
  require(made.ok(), describe(options) + ": make: " + made.message);
  const aibench::Status status = problem->prepare();
  require(status.ok(), describe(options) + ": prepare: " + status.message);
  return problem;
}

CollectiveOptions row_options(const CollectiveAlgorithm& row, std::uint64_t count, int ranks) {
  CollectiveOptions options;
  options.collective = aibench::collective_name(row.kind);
  options.algorithm = row.name;
  options.bytes = count * 4;
  options.ranks = ranks;
  options.seed = count + static_cast<std::uint64_t>(ranks);
  return options;
}

template <typename F>
void for_each_row(F&& f) {
  for (const CollectiveAlgorithm* const* row = aibench::collective_algorithms(); *row != nullptr; ++row) f(**row);
}

// Right at the first run and at repeated ones, which reuse every flag and staging area.
void check_right(const CollectiveOptions& options) {
  const std::string name = describe(options);
  const std::unique_ptr<Problem> problem = prepared(options);
  problem->run(1);
  require(problem->verify().passed, name + ": first run");
  problem->run(7);
  require(problem->verify().passed, name + ": repeated run");
}

// The same, and a verifier that sees what is wrong.
void check(const CollectiveOptions& options) {
  const std::string name = describe(options);
  const std::unique_ptr<Problem> problem = prepared(options);
  const bool empty = problem->work().bytes == 0;
  if (!empty && !options.in_place) require(!problem->verify().passed, name + ": output that was never written passes");
  problem->run(1);
  require(problem->verify().passed, name + ": first run");
  problem->run(7);
  require(problem->verify().passed, name + ": repeated run");
  if (empty) {
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

void check_once(const CollectiveOptions& options) {
  const std::unique_ptr<Problem> problem = prepared(options);
  require(problem->facts().at("nonTemporalStores") == "true" || options.isa == "scalar", "stores around the caches");
  problem->run(2);
  require(problem->verify().passed, describe(options));
}

void test_every_algorithm(int max_ranks) {
  for_each_row([&](const CollectiveAlgorithm& row) {
    for (int ranks = 1; ranks <= max_ranks; ++ranks) {
      for (const std::uint64_t count : {0, 1, 2, 3, 13, 14, 15, 16, 17, 255, 1001, 2049, 70001}) {
        if (ranks > 3 && count != 3 && count != 1001) continue;
        if (ranks == 3 && count != 0 && count % 2 == 0) continue;
        if (ranks == 1 && count > 3) continue;
        // What the verifier sees does not hang on the algorithm: damage is tried at one count for a few numbers of ranks.
        const bool damage = count == 0 || (count == 1001 && (ranks <= 3 || ranks == 5 || ranks == max_ranks));
        damage ? check(row_options(row, count, ranks)) : check_right(row_options(row, count, ranks));
      }
    }
  });
}

void test_in_place_and_private() {
  for_each_row([](const CollectiveAlgorithm& row) {
    for (const int ranks : {2, 3, 4}) {
      for (const std::uint64_t count : {5, 1001, 50000}) {
        CollectiveOptions options = row_options(row, count, ranks);
        options.private_buffers = !row.shared_buffers;
        options.in_place = row.kind <= Collective::kBroadcast;
        count == 1001 ? check(options) : check_right(options);
      }
    }
  });
}

// The paths of this CPU that reductions are built for.
std::vector<Isa> reduction_isas() {
  std::vector<Isa> isas;
  for (const Isa isa : aibench::cpu_features().isas) {
    if (isa == Isa::kScalar || isa == Isa::kNeon || isa == Isa::kAvx2 || isa == Isa::kAvx512f) isas.push_back(isa);
  }
  return isas;
}

void test_every_reduction() {
  for (const Isa isa : reduction_isas()) {
    for (const char* dtype : {"f64", "f32", "f16", "bf16", "s32", "s8"}) {
      const std::uint64_t element = std::string(dtype) == "f64" ? 8 : dtype[1] == '3' ? 4 : std::string(dtype) == "s8" ? 1 : 2;
      for (const char* op : {"sum", "min", "max"}) {
        for (const char* algorithm : {"direct", "staged", "ring"}) {
          for (const int ranks : {2, 3}) {
            if (ranks == 3 && std::string(algorithm) != "direct") continue;
            CollectiveOptions options;
            options.dtype = dtype;
            options.op = op;
            options.isa = aibench::isa_name(isa);
            options.algorithm = algorithm;
            options.ranks = ranks;
            options.seed = 7;
            for (const std::uint64_t count : {1, 4099}) {
              options.bytes = count * element;
              ranks == 2 && count > 1 ? check(options) : check_right(options);
            }
          }
        }
      }
    }
  }
}

void test_streaming_stores() {  // a footprint beyond any cache of this size class
  for (const Isa isa : reduction_isas()) {
    for (const char* dtype : {"f32", "bf16"}) {
      if (std::string(dtype) == "bf16" && isa == Isa::kScalar) continue;
      CollectiveOptions options;
      options.dtype = dtype;
      options.isa = aibench::isa_name(isa);
      options.ranks = 2;
      options.bytes = (std::uint64_t{9} << 20) + 12;
      check_once(options);
      options.private_buffers = true;
      check_once(options);
    }
  }
  CollectiveOptions gather;
  gather.collective = "all-gather";
  gather.ranks = 2;
  gather.bytes = std::uint64_t{12} << 20;
  check_once(gather);
}

void test_faults_over_seeds() {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CollectiveOptions options;
    options.op = seed % 3 == 0 ? "sum" : seed % 3 == 1 ? "min" : "max";
    options.bytes = 4 * (1 + seed * seed % 5000);
    options.ranks = 1 + static_cast<int>(seed % 5);
    options.seed = seed;
    check(options);
  }
}

void test_domains() {
  require(aibench::cache_domains(3, "/nonexistent") == std::vector<int>({0, 0, 0}), "one domain where nothing is known");
  setenv("AIBENCH_RANKS_PER_DOMAIN", "2", 1);
  for (const int ranks : {2, 3, 4, 5, 8}) {
    for (const std::uint64_t count : {1, 63, 1001, 70001}) {
      check_right(row_options(*aibench::find_collective_algorithm(Collective::kAllreduce, "hierarchical"), count, ranks));
    }
  }
  unsetenv("AIBENCH_RANKS_PER_DOMAIN");
}

// More ranks than CPUs: they take turns on the CPUs' threads, and a failure ends each of them with its reason.
void test_crowded() {
  const auto cpus = static_cast<int>(aibench::allowed_cpus().size());
  if (cpus > 32) return;
  CollectiveOptions options = row_options(*aibench::find_collective_algorithm(Collective::kAllreduce, "staged"), 1001, 2 * cpus + 1);
  const std::unique_ptr<Problem> problem = prepared(options);
  require(problem->facts().at("oversubscribed") == "true", "more ranks than CPUs");
  problem->run(3);
  require(problem->verify().passed, "crowded: run");
  std::string code;
  try {
    problem->inject_fault("mismatch");
  } catch (const aibench::ProblemFailure& failure) {
    code = failure.status.code;
  }
  require(code == "RANK_MISMATCH", "crowded: mismatch gives " + code);
}

void test_choice() {
  const auto choice = [](std::size_t bytes, bool shared) {
    return std::string(aibench::choose_collective_algorithm(Collective::kAllreduce, bytes, 2, shared).name);
  };
  require(choice(8, true) == "mailbox" && choice(8, false) == "mailbox", "8 B");
  require(choice(1 << 20, true) == "direct" && choice(1 << 20, false) == "staged", "1 MiB");
  const auto crowded = [](bool shared) {
    return std::string(aibench::choose_collective_algorithm(Collective::kAllreduce, 1 << 20, 4, shared, true).name);
  };
  require(crowded(true) == "combining" && crowded(false) == "staged", "more processes than CPUs");
  require(aibench::find_collective_algorithm(Collective::kAllreduce, "no-such") == nullptr, "unknown name");
  const auto links = [](const char* name, int ranks, int domains) {
    return aibench::find_collective_algorithm(Collective::kAllreduce, name)->bytes_on_links(ranks, domains, 100);
  };
  require(links("direct", 4, 1) == 600 && links("ring", 4, 1) == 600 && links("reduce-scatter-all-gather", 4, 1) == 600,
          "bytes on links of the bandwidth-optimal forms");
  require(links("mailbox", 4, 1) == 1200 && links("recursive-doubling", 4, 1) == 800, "bytes on links of the short forms");
  require(links("recursive-doubling", 3, 1) == 400, "bytes on links with an extra rank");
  require(links("hierarchical", 4, 1) == 600 && links("hierarchical", 4, 2) == 600, "bytes on links between caches");
}

void test_bad_options() {
  std::unique_ptr<Problem> problem;
  const auto code = [&](auto&& change) {
    CollectiveOptions options;
    options.bytes = 8;
    options.ranks = 2;
    change(options);
    return aibench::make_collective(options, &problem).code;
  };
  require(code([](auto& o) { o.bytes = 6; }) == "BAD_OPTION", "half an element");
  require(code([](auto& o) { o.ranks = 0; }) == "BAD_OPTION", "no ranks");
  require(code([](auto& o) { o.algorithm = "gossip"; }) == "BAD_OPTION", "unknown algorithm");
  require(code([](auto& o) { o.collective = "scan"; }) == "BAD_OPTION", "unknown collective");
  require(code([](auto& o) { o.algorithm = "direct", o.private_buffers = true; }) == "BAD_OPTION", "direct, but private");
  require(code([](auto& o) { o.collective = "all-to-all", o.in_place = true; }) == "BAD_OPTION", "all-to-all in place");
  require(code([](auto& o) { o.dtype = "s8", o.ranks = 128; }) == "BAD_OPTION", "a sum that is not exact");
  require(code([](auto& o) { o.dtype = "f8"; }) == "UNSUPPORTED_REDUCTION", "unknown dtype");
  require(code([](auto& o) { o.isa = "mmx"; }) == "ISA_UNKNOWN", "unknown isa");
}

void test_timed() {
  for_each_row([](const CollectiveAlgorithm& row) {
    for (const bool per_call : {false, true}) {
      CollectiveOptions options = row_options(row, 1024, 2);
      options.per_call = per_call;
      const std::unique_ptr<Problem> problem = prepared(options);
      const std::atomic<bool> stop{false};
      const aibench::TimedLoopResult result = aibench::run_timed_loop(*problem, {0.01, 5e-4, 0.005, 5, 1000}, stop);
      require(result.complete && problem->verify().passed, std::string(row.name) + ": after the timed loop");
      require(result.rank_samples.size() == 2 && result.rank_samples[1].size() == result.samples.size(),
              "every rank's samples");
    }
  });
  const std::unique_ptr<Problem> problem = prepared(row_options(
      *aibench::find_collective_algorithm(Collective::kAllreduce, "direct"), 1 << 18, 2));
  const auto ceilings = problem->measure_ceilings();
  require(ceilings.at("algorithm_bandwidth_bound") > 0 && ceilings.at("copy_bytes_per_second") > 0, "ceilings");
  const auto fact = [&](const char* name) { return problem->facts().at(name); };
  for (const char* name : {"oneWayNanoseconds", "copyBytesPerSecond"}) {
    require(fact((std::string(name) + "Before").c_str()) == fact((std::string(name) + "After").c_str()), "one look alone");
  }
  problem->measure_ceilings();
  const std::string second = fact("oneWayNanosecondsAfter");
  problem->measure_ceilings();
  require(fact("oneWayNanosecondsBefore") == second, "before and after are the last two looks");
}

void test_core_latency() {
  std::unique_ptr<Problem> problem;
  require(aibench::make_core_latency(1, &problem).code == "BAD_OPTION", "one CPU");
  require(aibench::make_core_latency(1 << 20, &problem).code == "BAD_OPTION", "more CPUs than there are");
  if (!aibench::make_core_latency(2, &problem).ok()) return;  // a machine with one CPU
  require(problem->prepare().ok(), "core latency: prepare");
  require(problem->run_timed(500) > 0 && problem->verify().passed, "core latency: run");
  require(problem->rank_seconds().size() == 1, "core latency: one pair");
  require(problem->inject_fault("lost-flag") && !problem->verify().passed, "core latency: a lost flag went unnoticed");
}

void test_half() {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const bool f16_nan = (bits & 0x7c00) == 0x7c00 && (bits & 0x3ff) != 0, bf16_nan = (bits & 0x7fff) > 0x7f80;
    require(f16_nan || aibench::float_to_f16(aibench::f16_to_float(half)) == half, "f16 there and back");
    require(bf16_nan || aibench::float_to_bf16(aibench::bf16_to_float(half)) == half, "bf16 there and back");
  }
  require(aibench::float_to_f16(1 + 0x1p-11f) == 0x3c00 && aibench::float_to_f16(1 + 3 * 0x1p-11f) == 0x3c02, "f16 ties to even");
  require(aibench::float_to_f16(65519.9f) == 0x7bff && aibench::float_to_f16(65520.f) == 0x7c00, "f16 overflow");
  require(aibench::float_to_bf16(1 + 0x1p-8f) == 0x3f80 && aibench::float_to_bf16(1 + 3 * 0x1p-8f) == 0x3f82, "bf16 ties to even");
}

void run_tests(int max_ranks) {
  test_half();
  test_every_algorithm(max_ranks);
  test_in_place_and_private();
  test_every_reduction();
  test_streaming_stores();
  test_faults_over_seeds();
  test_domains();
  test_crowded();
  test_choice();
  test_bad_options();
  test_timed();
  test_core_latency();
}

}  // namespace

// An argument limits the number of ranks: sanitizers are slow.
int main(int argc, char** argv) {
  const int max_ranks = argc > 1 ? std::atoi(argv[1]) : 16;
  // Not on the main thread: rank 0 pins itself, and the main thread's mask is what says which CPUs there are.
  std::thread(run_tests, max_ranks).join();
  std::puts("collective_test: ok");
}
