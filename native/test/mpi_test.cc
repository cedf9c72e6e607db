// The MPI loader against fakes of the three ABIs, one process each since MPI is joined only once: handles, the world of one,
// and what is said when the library is missing, is no MPI, or belongs to another launcher.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "mpi/mpi_collective.h"
#include "mpi/mpi_product.h"
#include "mpi/mpi_world.h"

namespace {

using aibench::MpiCollectiveOptions;
using aibench::MpiWorld;
using aibench::Problem;

void require(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  std::_Exit(1);
}

const std::string folder = AIBENCH_FAKES;

// Runs `test` in a process of its own.
template <typename F>
void apart(const std::string& name, F&& test) {
  const pid_t child = fork();
  if (child == 0) {
    for (const char* variable : {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMI_SIZE", "UCX_MEM_EVENTS"}) unsetenv(variable);
    test();
    std::_Exit(0);
  }
  int state = 0;
  waitpid(child, &state, 0);
  require(WIFEXITED(state) && WEXITSTATUS(state) == 0, name);
}

void test_product(MpiWorld& world, const std::string& library) {
  aibench::MpiProductOptions options;
  options.m = 37;
  options.n = 65;
  options.k = 29;
  std::unique_ptr<Problem> problem;
  require(aibench::make_mpi_product(world, options, &problem).ok(), library + ": product");
  require(problem->work().flops == 2.0 * 37 * 65 * 29, library + ": product, work");
  require(problem->prepare().ok(), library + ": product, memory");
  problem->run(1);
  require(problem->run_timed(3) > 0 && problem->rank_seconds().size() == 1, library + ": product, time");
  const aibench::Verification verification = problem->verify();
  require(verification.passed && verification.error <= verification.tolerance, library + ": product, result");
  problem->sample_ceilings();
  require(problem->ceilings().at("fma_flops_per_second") > 0, library + ": product, ceilings");
  for (const char* kind : {"flip", "value", "stale-tile"}) {
    require(problem->inject_fault(kind) && !problem->verify().passed, library + ": product, " + kind + " went unnoticed");
    problem->run(1);
    require(problem->verify().passed, library + ": product, run after " + kind);
  }
  require(problem->facts().at("ranks") == "1" && problem->facts().at("cores") == "1", library + ": product, facts");
  problem.reset();
  options.ranks = 2;
  require(aibench::make_mpi_product(world, options, &problem).code == "BAD_OPTION", "more ranks than the job has");
  options = {};
  options.dtype = "f7";
  options.m = options.n = options.k = 8;
  require(aibench::make_mpi_product(world, options, &problem).code == "DTYPE_UNKNOWN", "an unknown dtype");
}

void test_abi(const std::string& library, aibench::MpiAbi abi) {
  apart(library, [&] {
    setenv("AIBENCH_MPI_LIB", (folder + "/" + library).c_str(), 1);
    MpiWorld* world = nullptr;
    const aibench::Status status = MpiWorld::join("build", &world);
    require(status.ok(), library + ": " + status.message);
    require(world->mpi().abi == abi && world->mpi().version == "fake MPI", library + ": kind");
    require(world->size() == 1 && std::string(world->ranks()[0].host) == "here", library + ": world");
    for (const char* collective : {"allreduce", "reduce-scatter", "all-gather", "broadcast", "all-to-all", "shift"}) {
      for (const char* dtype : {"f64", "f32", "f16", "bf16", "s32", "s8"}) {
        for (const char* op : {"sum", "min", "max"}) {
          MpiCollectiveOptions options;
          options.collective = collective;
          options.dtype = dtype;
          options.op = op;
          options.bytes = 8 * 1001;
          std::unique_ptr<Problem> problem;
          const std::string name = library + " " + collective + " " + dtype + " " + op;
          require(aibench::make_mpi_collective(*world, options, &problem).ok() && problem->prepare().ok(), name);
          problem->run(2);
          require(problem->run_timed(3) >= 0 && problem->verify().passed, name + ": result");
          for (const char* kind : {"flip", "stale-chunk"}) {
            require(problem->inject_fault(kind) && !problem->verify().passed, name + ": " + kind + " went unnoticed");
            problem->run(1);
          }
        }
      }
    }
    test_product(*world, library);
    world->finalize();
  });
}

void test_refusals() {
  apart("launcher mismatch", [] {
    setenv("AIBENCH_MPI_LIB", (folder + "/fake_mpich.so").c_str(), 1);
    setenv("PMI_RANK", "0", 1);
    setenv("PMI_SIZE", "4", 1);
    MpiWorld* world = nullptr;
    const aibench::Status status = MpiWorld::join("build", &world);
    require(status.code == "MPI_MISMATCH" && status.message.find("4 ranks") != std::string::npos, status.message);
  });
  apart("absent", [] {
    setenv("AIBENCH_MPI_LIB", "libmpi-no-such.so.7", 1);
    MpiWorld* world = nullptr;
    require(MpiWorld::join("build", &world).code == "MPI_ABSENT", "absent");
  });
  apart("no MPI", [] {
    setenv("AIBENCH_MPI_LIB", (folder + "/fake_nvml.so").c_str(), 1);
    MpiWorld* world = nullptr;
    const aibench::Status status = MpiWorld::join("build", &world);
    require(status.code == "MPI_INCOMPLETE" && status.message.find("MPI_Allreduce") != std::string::npos, status.message);
  });
}

void test_choice_of_library() {
  const auto open_mpi = aibench::mpi_launch([](const char* name) -> const char* {
    const std::string n = name;
    return n == "OMPI_COMM_WORLD_RANK" ? "1" : n == "OMPI_COMM_WORLD_SIZE" ? "4" : nullptr;
  });
  require(open_mpi.present && open_mpi.rank == 1 && open_mpi.size == 4, "Open MPI's environment");
  require(aibench::mpi_library_names("", open_mpi)[0] == "libmpi.so.40", "Open MPI's library first");
  const auto hydra = aibench::mpi_launch([](const char* name) -> const char* {
    const std::string n = name;
    return n == "PMI_RANK" ? "0" : n == "PMI_SIZE" ? "2" : nullptr;
  });
  require(aibench::mpi_library_names("", hydra)[0] == "libmpi.so.12", "MPICH's library first");
  require(aibench::mpi_library_names("/x/libmpi.so", hydra).size() == 1, "a named library alone");
  require(!aibench::mpi_launch([](const char*) -> const char* { return nullptr; }).present, "no launcher");
}

// Ranks that share CPUs are seen on every host, also where a cpuset leaves them fewer than the host has.
void test_crowded() {
  const auto rank = [](const char* host, std::uint64_t cpus, int cpu_count, int host_cpus) {
    aibench::MpiRankInfo info = {};
    std::snprintf(info.host, sizeof info.host, "%s", host);
    info.cpus = cpus;
    info.cpu_count = cpu_count;
    info.host_cpus = host_cpus;
    return info;
  };
  require(!aibench::crowded({rank("a", 1, 2, 2), rank("a", 1, 2, 2), rank("b", 1, 2, 2)}, 3), "a CPU per rank");
  require(aibench::crowded({rank("a", 1, 4, 4), rank("b", 1, 1, 1), rank("b", 1, 1, 1)}, 3), "another host is crowded");
  require(!aibench::crowded({rank("a", 1, 4, 4), rank("b", 1, 1, 1), rank("b", 1, 1, 1)}, 2), "the first two alone");
  require(aibench::crowded({rank("a", 7, 1, 8), rank("a", 7, 1, 8)}, 2), "bound to one and the same CPU");
  require(!aibench::crowded({rank("a", 7, 1, 8), rank("a", 8, 1, 8)}, 2), "bound to a CPU each");
}

}  // namespace

int main() {
  test_crowded();
  test_choice_of_library();
  test_abi("fake_mpich.so", aibench::MpiAbi::kMpich);
  test_abi("fake_openmpi.so", aibench::MpiAbi::kOpenMpi);
  test_abi("fake_mpi_abi.so", aibench::MpiAbi::kMpi5);
  test_refusals();
  std::puts("mpi_test: ok");
}
