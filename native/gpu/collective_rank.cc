#include "gpu/collective_rank.h"

#include <algorithm>

namespace aibench::gpu {
namespace {

// ncclDataType_t and ncclRedOp_t of nccl.h.
struct TypeRow {
  const char* dtype;
  int type;
  std::size_t bytes;
};
constexpr TypeRow kTypes[] = {{"s8", 0, 1}, {"s32", 2, 4}, {"f16", 6, 2}, {"f32", 7, 4}, {"f64", 8, 8}, {"bf16", 9, 2}};
constexpr int kSum = 0, kMax = 2, kMin = 3;

Status bad_option(std::string message, std::string remedy) { return Status::failure("BAD_OPTION", std::move(message), std::move(remedy)); }

}  // namespace

Status CollectivePlan::make(const std::string& collective, const std::string& dtype, const std::string& op, std::uint64_t bytes, int ranks, bool in_place,
                            std::uint64_t seed, CollectivePlan* plan) {
  if (!parse_collective(collective, &plan->kind)) return bad_option("there is no collective '" + collective + "'", "See src/native/types.ts.");
  const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeRow& row) { return dtype == row.dtype; });
  if (type == std::end(kTypes)) return bad_option("there is no dtype '" + dtype + "' for collectives", "See src/native/types.ts.");
  if (ranks < 1) return bad_option("a collective wants at least one device", "See src/native/types.ts.");
  if (bytes % type->bytes != 0) {
    return bad_option("a message of " + std::to_string(bytes) + " bytes does not hold a whole number of " + dtype + " elements",
                      "Choose a multiple of " + std::to_string(type->bytes) + " bytes.");
  }
  if (plan->kind == Collective::kPingPong && ranks < 2) return bad_option("ping-pong wants two devices", "Run it on a machine with more GPUs.");
  if (in_place && (plan->kind == Collective::kAllToAll || plan->kind == Collective::kShift || plan->kind == Collective::kPingPong)) {
    return bad_option(std::string(collective_name(plan->kind)) + " has no form in place", "Leave inPlace out.");
  }
  plan->dtype = dtype;
  plan->op = op;
  plan->type = type->type;
  plan->operation = op == "max" ? kMax : op == "min" ? kMin : kSum;
  plan->element_bytes = type->bytes;
  plan->ranks = ranks;
  plan->in_place = in_place;
  plan->count = whole_blocks(plan->kind, bytes / type->bytes, ranks);
  return Pattern::make(plan->kind, dtype, op, ranks, plan->count, seed, &plan->pattern);
}

Status CollectiveRank::open(std::shared_ptr<Driver> driver, int device) {
  if (Status status = Context::open(std::move(driver), device, &context_); !status.ok()) return status;
  // Vectors of nothing still have an address.
  const auto bytes = [this](std::size_t elements) { return std::max<std::size_t>(256, (elements * plan_.element_bytes + 3) / 4 * 4); };
  const std::size_t larger = std::max(plan_.sent(), plan_.received());
  Status status = context_->allocate(bytes(plan_.in_place ? larger : plan_.sent()), "the vector that a rank sends", &send_);
  if (status.ok() && !plan_.in_place) status = context_->allocate(bytes(plan_.received()), "the vector that a rank receives", &receive_);
  return status.ok() ? refill() : status;
}

// In place the smaller vector is the rank's own block of the larger.
DevicePointer CollectiveRank::own_block() const { return send_.device() + static_cast<std::size_t>(rank_) * plan_.block() * plan_.element_bytes; }
DevicePointer CollectiveRank::source() const { return plan_.in_place && plan_.kind == Collective::kAllGather ? own_block() : send_.device(); }
DevicePointer CollectiveRank::target() const {
  if (!plan_.in_place) return receive_.device();
  return plan_.kind == Collective::kReduceScatter ? own_block() : send_.device();
}

Status CollectiveRank::refill() const {
  std::vector<unsigned char> host(std::max(plan_.sent(), plan_.received()) * plan_.element_bytes);
  if (Status status = use(); !status.ok()) return status;
  if (plan_.received() > 0) {
    plan_.pattern.unwrite(host.data(), 0, plan_.received());
    if (Status status = context_->upload(target(), host.data(), plan_.received() * plan_.element_bytes); !status.ok()) return status;
  }
  if (plan_.sent() > 0) {
    plan_.pattern.fill(rank_, host.data(), 0, plan_.sent());
    return context_->upload(source(), host.data(), plan_.sent() * plan_.element_bytes);
  }
  return Status::success();
}

Status CollectiveRank::download(std::vector<unsigned char>* host) const {
  host->resize(plan_.received() * plan_.element_bytes);
  if (Status status = use(); !status.ok() || host->empty()) return status;
  return context_->download(host->data(), target(), host->size());
}

Status CollectiveRank::upload(const std::vector<unsigned char>& host) const {
  if (Status status = use(); !status.ok()) return status;
  return context_->upload(target(), host.data(), host.size());
}

Status CollectiveRank::give(const CollectiveLibrary& library, Communicator communicator, DevicePointer from, std::size_t count, int to) const {
  return library.check("ncclSend", library.call().send(from, count, plan_.type, to, communicator, context_->stream()));
}

Status CollectiveRank::take(const CollectiveLibrary& library, Communicator communicator, DevicePointer to, std::size_t count, int from) const {
  return library.check("ncclRecv", library.call().receive(to, count, plan_.type, from, communicator, context_->stream()));
}

Status CollectiveRank::ask(const CollectiveLibrary& library, Communicator communicator, int phase) const {
  const CollectiveCalls& nccl = library.call();
  const DevicePointer from = source(), to = target();
  const std::size_t count = plan_.count, block = plan_.block();
  const Stream stream = context_->stream();
  switch (plan_.kind) {
    case Collective::kAllreduce:
      return library.check("ncclAllReduce", nccl.all_reduce(from, to, count, plan_.type, plan_.operation, communicator, stream));
    case Collective::kReduceScatter:
      return library.check("ncclReduceScatter", nccl.reduce_scatter(from, to, block, plan_.type, plan_.operation, communicator, stream));
    case Collective::kAllGather:
      return library.check("ncclAllGather", nccl.all_gather(from, to, block, plan_.type, communicator, stream));
    case Collective::kBroadcast:
      return library.check("ncclBroadcast", nccl.broadcast(from, to, count, plan_.type, 0, communicator, stream));
    case Collective::kShift: {
      const Status status = give(library, communicator, from, count, (rank_ + 1) % plan_.ranks);
      return status.ok() ? take(library, communicator, to, count, (rank_ + plan_.ranks - 1) % plan_.ranks) : status;
    }
    case Collective::kPingPong:
      // There, and back when it has come: the stream of rank 1 keeps that order. It sends back a vector of its own.
      if (rank_ > 1) return Status::success();
      return rank_ == phase ? give(library, communicator, from, count, 1 - rank_) : take(library, communicator, to, count, 1 - rank_);
    default: {  // all-to-all
      Status status = Status::success();
      for (int other = 0; other < plan_.ranks && status.ok(); ++other) {
        const std::size_t offset = static_cast<std::size_t>(other) * block * plan_.element_bytes;
        status = give(library, communicator, from + offset, block, other);
        if (status.ok()) status = take(library, communicator, to + offset, block, other);
      }
      return status;
    }
  }
}

}  // namespace aibench::gpu
