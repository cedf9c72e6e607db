// What one rank of the job does for a collective: the same code at rank 0 and at those that follow it.
#pragma once
#include <cstdint>
#include <memory>

#include "collective/pattern.h"
#include "collective/reduction.h"
#include "core/aligned_buffer.h"
#include "mpi/job_rank.h"

namespace aibench {

class MpiRank final : public JobRank {
 public:
  explicit MpiRank(MpiWorld& world) : world_(world), mpi_(world.mpi()) {}
  MpiAnswer perform(const MpiCommand& command) override;

 private:
  MpiAnswer prepare(const MpiCommand& command);
  MpiAnswer run(const MpiCommand& command);
  void call();
  MpiAnswer placement();
  double message_seconds();
  void fresh_input();
  void unwrite_one_line(std::uint64_t serial);

  MpiWorld& world_;
  const MpiLibrary& mpi_;
  MpiCommand what_ = {};
  MpiHandle comm_ = 0;  // of those that take part
  int ranks_ = 1;
  Collective kind_ = Collective::kAllreduce;
  Pattern pattern_;
  const Reduction* reduction_ = nullptr;
  MpiHandle type_ = 0, op_ = 0;
  std::size_t count_ = 0, send_count_ = 0, receive_count_ = 0;
  AlignedBuffer memory_;
  char* send_ = nullptr;
  char* receive_ = nullptr;
};

}  // namespace aibench
