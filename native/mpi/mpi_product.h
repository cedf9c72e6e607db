// A matrix product over the ranks of a job: every rank multiplies its share of the rows of A by all of B with our own kernels, and
// an iteration ends when the last rank is done (a barrier). Nothing else is exchanged: what is measured is how cores, memory and
// clocks of many places hold together.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/problem.h"
#include "mpi/job_rank.h"
#include "mpi/mpi_world.h"

namespace aibench {

struct MpiProductOptions {
  std::string dtype = "f32";
  std::size_t m = 0, n = 0, k = 0;
  int threads = 1;  // of each rank; 0: one per CPU of its own
  int ranks = 0;    // the first so many; 0: all
  std::uint64_t seed = 0;
};

// For rank 0. Fails as create_gemm_problem does, and with BAD_OPTION for more ranks than there are or than there are rows. prepare()
// fails as that of a product does, and names the rank.
Status make_mpi_product(MpiWorld& world, const MpiProductOptions& options, std::unique_ptr<Problem>* problem);

class MpiProductPart final : public JobRank {
 public:
  explicit MpiProductPart(MpiWorld& world) : world_(world) {}
  ~MpiProductPart() override;
  MpiAnswer perform(const MpiCommand& command) override;
  std::map<std::string, std::string> facts() const override { return share_ ? share_->facts() : std::map<std::string, std::string>{}; }

 private:
  MpiAnswer prepare(const MpiCommand& command);
  MpiAnswer run(std::uint64_t iterations);
  void give_cpus_back();

  MpiWorld& world_;
  MpiHandle comm_ = 0;
  bool takes_part_ = false;
  std::unique_ptr<Problem> share_;
  // What this process and this thread could run on before.
  std::vector<int> process_cpus_, thread_cpus_;
};

}  // namespace aibench
