// One GPU as a rank of a job: a communicator of NCCL or RCCL over all processes, whose id travels over the job's own calls.
#pragma once
#include <memory>

#include "gpu/collective_rank.h"
#include "gpu/timer.h"
#include "mpi/job_rank.h"

namespace aibench {

class GpuRank final : public JobRank {
 public:
  GpuRank(MpiWorld& world, gpu::GpuLibraries libraries) : world_(world), libraries_(std::move(libraries)) {}
  ~GpuRank() override { release(); }
  MpiAnswer perform(const MpiCommand& command) override;
  std::map<std::string, std::string> facts() const override;

 private:
  // What ranks tell each other before they make a communicator, which all of them must make or none.
  struct Introduction {
    std::int32_t ok;
    char pci[32], uuid[64];
  };
  Status act(const MpiCommand& command, MpiAnswer* answer);
  Status prepare(const MpiCommand& command);
  Status open(const MpiCommand& command);
  Status choose_device(int* device) const;
  Status connect();
  Status call();
  Status run(const MpiCommand& command, MpiAnswer* answer);
  Status damage(const MpiCommand& command);
  void release();

  MpiWorld& world_;
  const gpu::GpuLibraries libraries_;
  MpiCommand what_ = {};
  std::shared_ptr<gpu::Driver> driver_;
  std::shared_ptr<gpu::CollectiveLibrary> library_;
  gpu::CollectivePlan plan_;
  std::unique_ptr<gpu::CollectiveRank> rank_;
  gpu::Buffer gate_;  // one element that is reduced before the clock runs, so that all devices begin together
  gpu::Communicator communicator_ = nullptr;
  std::vector<Introduction> ranks_;
  gpu::Timer timer_;
};

}  // namespace aibench
