// What one rank of the job does for a collective: the same code at rank 0 and at those that follow it.
#pragma once
#include <cstdint>
#include <memory>

#include "collective/pattern.h"
#include "collective/reduction.h"
#include "core/aligned_buffer.h"
#include "mpi/mpi_world.h"

namespace aibench {

// Sent by rank 0 before each step; plain bytes between ranks of one build.
struct MpiCommand {
  enum Kind : std::int32_t { kPrepare, kRun, kVerify, kUnwrite, kFlip, kLeaveOut, kEnd };
  std::int32_t kind;
  // The collective, for kPrepare.
  std::int32_t collective;
  char dtype[8];
  char op[8];
  std::uint64_t bytes;
  std::uint64_t seed;
  std::int32_t in_place, per_call;
  // As CollectiveRanks::Task.
  std::uint64_t iterations, serial, at;
  std::int32_t rank, bit, refill;
  std::int32_t exit_code;  // for kEnd
};

// What each rank answers.
struct MpiAnswer {
  double seconds;
  std::uint64_t wrong;
  std::uint64_t fingerprint;
  std::int32_t ok;
};

class MpiRank {
 public:
  explicit MpiRank(MpiWorld& world) : world_(world), mpi_(world.mpi()) {}
  // Does the command; the answer goes to rank 0 by the caller.
  MpiAnswer perform(const MpiCommand& command);

 private:
  MpiAnswer prepare(const MpiCommand& command);
  MpiAnswer run(const MpiCommand& command);
  void call();
  void fresh_input();
  void unwrite_one_line(std::uint64_t serial);

  MpiWorld& world_;
  const MpiLibrary& mpi_;
  MpiCommand what_ = {};
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
