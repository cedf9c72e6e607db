// One GPU as a rank of a collective by NCCL or RCCL: its vectors and what it asks the library for. The same for all GPUs of a process and for
// one GPU per process.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "collective/algorithm.h"
#include "collective/pattern.h"
#include "gpu/collective_library.h"
#include "gpu/context.h"

namespace aibench::gpu {

// What is exchanged: the same on every rank.
struct CollectivePlan {
  Collective kind = Collective::kAllreduce;
  std::string dtype, op;
  int type = 0, operation = 0;  // ncclDataType_t, ncclRedOp_t
  std::size_t element_bytes = 0, count = 0;
  int ranks = 0;
  bool in_place = false;
  Pattern pattern;

  // `bytes`: of the larger of a rank's two vectors. Fails with BAD_OPTION.
  static Status make(const std::string& collective, const std::string& dtype, const std::string& op, std::uint64_t bytes, int ranks, bool in_place,
                     std::uint64_t seed, CollectivePlan* plan);
  std::size_t sent() const { return send_elements(kind, count, ranks); }
  std::size_t received() const { return receive_elements(kind, count, ranks); }
  std::size_t block() const { return count / static_cast<std::size_t>(ranks); }
  // A ping-pong is two groups, there and back; all others are one.
  int phases() const { return count == 0 ? 0 : kind == Collective::kPingPong ? 2 : 1; }  // 0: nothing to exchange, as MPI
};

class CollectiveRank {
 public:
  CollectiveRank(const CollectivePlan& plan, int rank) : plan_(plan), rank_(rank) {}

  // Takes the device and memory on it, and writes the input. Fails with the codes of Context::open.
  Status open(std::shared_ptr<Driver> driver, int device);
  const Context& context() const { return *context_; }
  Status use() const { return context_->use(); }

  // The input as it was, and in the output what no element ever holds.
  Status refill() const;
  // The output: what received() elements hold.
  Status download(std::vector<unsigned char>* host) const;
  Status upload(const std::vector<unsigned char>& host) const;

  // What this rank has to do in one group; the caller begins and ends it, with the context in use.
  Status ask(const CollectiveLibrary& library, Communicator communicator, int phase) const;

 private:
  DevicePointer own_block() const;
  DevicePointer source() const;
  DevicePointer target() const;
  Status give(const CollectiveLibrary& library, Communicator communicator, DevicePointer from, std::size_t count, int to) const;
  Status take(const CollectiveLibrary& library, Communicator communicator, DevicePointer to, std::size_t count, int from) const;

  const CollectivePlan& plan_;
  const int rank_;
  std::shared_ptr<Context> context_;
  Buffer send_, receive_;  // in place: send_ alone
};

}  // namespace aibench::gpu
