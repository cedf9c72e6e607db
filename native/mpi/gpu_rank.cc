#include "mpi/gpu_rank.h"

#include <cstdio>
#include <cstring>

#include "core/available_memory.h"
#include "gpu/device_facts.h"
#include "memory/counter_random.h"

namespace aibench {
namespace {

using gpu::CollectivePlan, gpu::CollectiveRank;

constexpr int kNcclF32 = 7, kNcclSum = 0;

// Of this process, kept until it ends: drivers and NCCL have threads of their own, which a library that is closed would pull the ground from.
struct Opened {
  std::shared_ptr<gpu::Driver> driver;
  std::shared_ptr<gpu::CollectiveLibrary> library;
};
Status open_libraries(const gpu::GpuLibraries& libraries, Opened* opened) {
  static std::map<const gpu::VendorTable*, Opened> kept;
  Opened& entry = kept[libraries.vendor];
  Status status = Status::success();
  if (entry.driver == nullptr) status = gpu::Driver::open(*libraries.vendor, libraries.driver, &entry.driver);
  if (status.ok() && entry.library == nullptr) status = gpu::CollectiveLibrary::open(*entry.driver, libraries.collective, &entry.library);
  if (status.ok()) *opened = entry;
  return status;
}

}  // namespace

MpiAnswer GpuRank::perform(const MpiCommand& command) {
  MpiAnswer answer = answer_of(Status::success());
  Status status = Status::success();
  try {
    status = act(command, &answer);
  } catch (const ProblemFailure& failure) {
    status = failure.status;
  }
  if (status.ok()) return answer;
  MpiAnswer failed = answer_of(status);
  failed.fingerprint = answer.fingerprint;
  return failed;
}

Status GpuRank::act(const MpiCommand& command, MpiAnswer* answer) {
  switch (command.kind) {
    case MpiCommand::kPrepare: return prepare(command);
    case MpiCommand::kRun: return run(command, answer);
    case MpiCommand::kRelease: release(); return Status::success();
    case MpiCommand::kVerify: {
      std::vector<unsigned char> host;
      if (plan_.received() == 0) return Status::success();
      if (plan_.pattern.takes_part(world_.rank())) {
        if (Status status = rank_->download(&host); !status.ok()) return status;
        answer->wrong = plan_.pattern.wrong_received(world_.rank(), host.data(), 0, plan_.received());
      }
      // What comes next has to write all of it again.
      return rank_->refill();
    }
    default: return damage(command);
  }
}

// As a defect would; for the tests of the verifier.
Status GpuRank::damage(const MpiCommand& command) {
  if (command.kind != MpiCommand::kLeaveOut && command.rank != world_.rank()) return Status::success();
  if (!plan_.pattern.takes_part(world_.rank())) return Status::success();
  std::vector<unsigned char> host;
  if (Status status = rank_->download(&host); !status.ok()) return status;
  if (command.kind == MpiCommand::kUnwrite) plan_.pattern.unwrite(host.data(), command.at, command.iterations);
  if (command.kind == MpiCommand::kFlip) host[command.at] = static_cast<unsigned char>(host[command.at] ^ 1 << command.bit);
  if (command.kind == MpiCommand::kLeaveOut) plan_.pattern.leave_out(command.rank, world_.rank(), host.data());
  return rank_->upload(host);
}

Status GpuRank::prepare(const MpiCommand& command) {
  release();
  what_ = command;
  timer_ = gpu::Timer();
  const Status status = open(command);
  Introduction own = {};
  own.ok = status.ok() ? 1 : 0;
  if (status.ok()) {
    std::snprintf(own.pci, sizeof own.pci, "%s", rank_->context().device().pci.c_str());
    std::snprintf(own.uuid, sizeof own.uuid, "%s", rank_->context().device().uuid.c_str());
  }
  ranks_.assign(static_cast<std::size_t>(world_.size()), {});
  const MpiLibrary& mpi = world_.mpi();
  mpi.Allgather(&own, sizeof own, mpi.is.byte, ranks_.data(), sizeof own, mpi.is.byte, mpi.is.world);
  if (!status.ok()) return status;
  for (const Introduction& one : ranks_) {
    if (one.ok == 0) return Status::success();  // that rank says why, and none goes on
  }
  return connect();
}

Status GpuRank::open(const MpiCommand& command) {
  Opened opened;
  if (Status status = open_libraries(libraries_, &opened); !status.ok()) return status;
  driver_ = opened.driver;
  library_ = opened.library;
  int device = 0;
  if (Status status = choose_device(&device); !status.ok()) return status;
  if (Status status = CollectivePlan::make(collective_name(static_cast<Collective>(command.collective)), command.dtype, command.op, command.bytes,
                                           world_.size(), command.in_place != 0, command.seed, &plan_);
      !status.ok()) {
    return status;
  }
  if (Status status = check_memory(static_cast<double>(plan_.count * plan_.element_bytes), "a rank's vector on the host"); !status.ok()) return status;
  rank_ = std::make_unique<CollectiveRank>(plan_, world_.rank());
  if (Status status = rank_->open(driver_, device); !status.ok()) return status;
  gpu::Context& context = const_cast<gpu::Context&>(rank_->context());
  return context.allocate(256, "the gate", &gate_);
}

// A launcher may show each rank a GPU of its own; else the ranks of a host take them in turn.
Status GpuRank::choose_device(int* device) const {
  const std::vector<int> local = world_.local_ranks();
  int place = 0;
  while (local[static_cast<std::size_t>(place)] != world_.rank()) ++place;
  const int count = driver_->device_count();
  *device = count == 1 ? 0 : place;
  if (*device < count) return Status::success();
  return Status::failure("GPU_NO_SUCH_DEVICE", std::to_string(local.size()) + " ranks on this host share " + std::to_string(count) + " GPUs",
                         "Start one rank per GPU.");
}

Status GpuRank::connect() {
  // All ranks know all of it: the two that share say so, the others go no further either.
  bool is_shared = false;
  for (int a = 0; a < world_.size() && !is_shared; ++a) {
    for (int b = a + 1; b < world_.size() && !is_shared; ++b) {
      const auto i = static_cast<std::size_t>(a), j = static_cast<std::size_t>(b);
      is_shared = ranks_[i].pci[0] != '\0' && std::strcmp(world_.ranks()[i].host, world_.ranks()[j].host) == 0 && std::strcmp(ranks_[i].uuid, ranks_[j].uuid) == 0 &&
                  std::strcmp(ranks_[i].pci, ranks_[j].pci) == 0;
      if (is_shared && (a == world_.rank() || b == world_.rank())) {
        return Status::failure("GPU_SHARED", "the ranks " + std::to_string(a) + " and " + std::to_string(b) + " have the same GPU",
                               "Start one rank per GPU, and let each see all of them or one of its own.");
      }
    }
  }
  if (is_shared) return Status::success();
  if (Status status = rank_->use(); !status.ok()) return status;
  // NCCL's own way: rank 0 makes an id that holds where it listens, and all others hear it.
  struct Offer {
    MpiAnswer answer;
    gpu::UniqueId id;
  } offer = {};
  if (world_.rank() == 0) offer.answer = answer_of(library_->check("ncclGetUniqueId", library_->call().unique_id(&offer.id)));
  const MpiLibrary& mpi = world_.mpi();
  mpi.Bcast(&offer, sizeof offer, mpi.is.byte, 0, mpi.is.world);
  if (offer.answer.ok == 0) {
    return world_.rank() == 0 ? Status::failure(offer.answer.code, offer.answer.message, offer.answer.remedy) : Status::success();
  }
  return library_->check("ncclCommInitRank", library_->call().init_rank(&communicator_, world_.size(), offer.id, world_.rank()));
}

Status GpuRank::call() {
  Status status = Status::success();
  for (int phase = 0; phase < plan_.phases() && status.ok(); ++phase) {
    status = library_->check("ncclGroupStart", library_->call().group_begin());
    if (!status.ok()) return status;
    status = rank_->ask(*library_, communicator_, phase);
    const Status ended = library_->check("ncclGroupEnd", library_->call().group_end());
    if (status.ok()) status = ended;
  }
  return status;
}

Status GpuRank::run(const MpiCommand& command, MpiAnswer* answer) {
  if (plan_.in_place && command.refill != 0) {
    if (Status status = rank_->refill(); !status.ok()) return status;
  }
  answer->fingerprint = random_bits(plan_.count * plan_.element_bytes, static_cast<std::uint64_t>(plan_.kind), command.iterations);
  if (command.bit != 0 && command.rank == world_.rank()) ++answer->fingerprint;  // the injected mismatch
  if (!ranks_agree(world_, world_.size(), answer->fingerprint)) return Status::success();       // rank 0 sees why
  if (Status status = rank_->use(); !status.ok()) return status;
  const gpu::Context& context = rank_->context();
  const auto begin_together = [&] {
    return library_->check("ncclAllReduce", library_->call().all_reduce(gate_.device(), gate_.device(), 1, kNcclF32, kNcclSum, communicator_, context.stream()));
  };
  if (Status status = begin_together(); !status.ok()) return status;
  if (Status status = context.wait(); !status.ok()) return status;
  // The first has made connections where that was still to be done; now it takes microseconds.
  if (Status status = begin_together(); !status.ok()) return status;
  const double begin = monotonic_seconds();
  if (Status status = context.mark_begin(); !status.ok()) return status;
  for (std::uint64_t i = 0; i < command.iterations; ++i) {
    Status status = call();
    if (status.ok() && what_.per_call != 0) status = context.wait();
    if (!status.ok()) return status;
  }
  if (Status status = context.mark_end(); !status.ok()) return status;
  double seconds = 0;
  if (Status status = context.marked_seconds(&seconds); !status.ok()) return status;
  answer->seconds = timer_.judge(seconds, monotonic_seconds() - begin);
  answer->batches = timer_.samples();
  answer->disagreements = timer_.disagreements();
  return Status::success();
}

void GpuRank::release() {
  if (communicator_ != nullptr && rank_->use().ok()) static_cast<void>(library_->call().destroy(communicator_));
  communicator_ = nullptr;
  gate_ = gpu::Buffer();
  rank_.reset();
}

std::map<std::string, std::string> GpuRank::facts() const {
  std::map<std::string, std::string> facts;
  if (rank_ == nullptr) return facts;
  gpu::device_facts(*driver_, {&rank_->context().device()}, facts);
  // Of the GPUs on the host of rank 0, which its sensors see.
  std::string uuids, places;
  for (const int other : world_.local_ranks()) {
    const Introduction& one = ranks_[static_cast<std::size_t>(other)];
    uuids += (uuids.empty() ? "" : " ") + std::string(one.uuid);
    places += (places.empty() ? "" : " ") + std::string(one.pci);
  }
  facts["deviceUuids"] = uuids;
  facts["devicePciBusIds"] = places;
  facts["library"] = library_->path();
  facts["libraryVersion"] = library_->version();
  return facts;
}

}  // namespace aibench
