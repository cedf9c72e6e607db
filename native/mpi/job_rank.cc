#include "mpi/job_rank.h"

#include <cstdio>

#include "mpi/gpu_rank.h"
#include "mpi/mpi_product.h"
#include "mpi/mpi_rank.h"

namespace aibench {

MpiAnswer answer_of(const Status& status) {
  MpiAnswer answer = {};
  answer.ok = status.ok() ? 1 : 0;
  std::snprintf(answer.code, sizeof answer.code, "%s", status.code.c_str());
  std::snprintf(answer.message, sizeof answer.message, "%s", status.message.c_str());
  std::snprintf(answer.remedy, sizeof answer.remedy, "%s", status.remedy.c_str());
  return answer;
}

namespace {

std::unique_ptr<JobRank> make_job_rank(MpiWorld& world, std::int32_t engine, const std::vector<gpu::GpuLibraries>& libraries) {
  if (engine == MpiCommand::kMpi) return std::make_unique<MpiRank>(world);
  if (engine == MpiCommand::kProduct) return std::make_unique<MpiProductPart>(world);
  const gpu::VendorTable* vendor = gpu::find_vendor(engine == MpiCommand::kNccl ? "cuda" : "rocm");
  gpu::GpuLibraries own;
  for (const gpu::GpuLibraries& one : libraries) {
    if (one.vendor == vendor) own = one;
  }
  own.vendor = vendor;
  return std::make_unique<GpuRank>(world, own);
}

}  // namespace

MpiAnswer JobRankHolder::perform(const MpiCommand& command) {
  if (command.kind == MpiCommand::kPrepare) {
    rank_.reset();
    rank_ = make_job_rank(world_, command.engine, libraries_);
    problem_ = command.problem;
  }
  if (command.kind == MpiCommand::kRelease) {
    if (command.problem == problem_) rank_.reset();
    return answer_of(Status::success());
  }
  if (rank_ == nullptr || command.problem != problem_) {
    return answer_of(Status::failure("RANK_GONE", "another collective has been prepared since", "Prepare it again."));
  }
  return rank_->perform(command);
}

bool ranks_agree(MpiWorld& world, int ranks, std::uint64_t fingerprint) {
  const MpiLibrary& mpi = world.mpi();
  std::vector<std::uint64_t> all(static_cast<std::size_t>(ranks));
  mpi.Allgather(&fingerprint, sizeof fingerprint, mpi.is.byte, all.data(), sizeof fingerprint, mpi.is.byte, world.first_ranks(ranks));
  for (const std::uint64_t other : all) {
    if (other != all.front()) return false;
  }
  return true;
}

}  // namespace aibench
