#include "mpi/mpi_rank.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/clock.h"
#include "memory/counter_random.h"

namespace aibench {
namespace {

constexpr int kTag = 78;
constexpr std::size_t kStaggerBytes = 4096 - 256;
std::size_t round_to_line(std::size_t bytes) { return (bytes + kLineBytes - 1) / kLineBytes * kLineBytes; }

// MPI has no 16-bit floats: they travel as pairs of bytes and are reduced by our kernels, which MPI calls back.
const Reduction* called_back = nullptr;
void combine_for_mpi(void* in, void* in_out, int* count, void*) {
  called_back->combine(in_out, in, in_out, static_cast<std::size_t>(*count));
}

struct PairType {
  MpiHandle type = 0, op = 0;
};
PairType sixteen_bits(const MpiLibrary& mpi) {
  static PairType made;
  if (made.type == 0) {
    mpi.Type_contiguous(2, mpi.is.byte, &made.type);
    mpi.Type_commit(&made.type);
    mpi.Op_create(combine_for_mpi, 1, &made.op);
  }
  return made;
}

}  // namespace

MpiAnswer MpiRank::perform(const MpiCommand& command) {
  MpiAnswer answer = answer_of(Status::success());
  if (command.kind == MpiCommand::kPrepare) {
    comm_ = world_.first_ranks(command.ranks);
    ranks_ = command.ranks;
  }
  if (world_.rank() >= ranks_) return answer;
  switch (command.kind) {
    case MpiCommand::kPrepare: return prepare(command);
    case MpiCommand::kRun: return run(command);
    case MpiCommand::kVerify:
      answer.wrong = pattern_.wrong_received(world_.rank(), receive_, 0, receive_count_);
      if (!what_.in_place) answer.wrong += pattern_.wrong_sent(world_.rank(), send_, 0, send_count_);
      break;
    case MpiCommand::kUnwrite:
      if (command.rank == world_.rank()) pattern_.unwrite(receive_, command.at, command.iterations);
      break;
    case MpiCommand::kFlip:
      if (command.rank == world_.rank()) receive_[command.at] = static_cast<char>(receive_[command.at] ^ (1 << command.bit));
      break;
    case MpiCommand::kPlacement: return placement();
    case MpiCommand::kLeaveOut: pattern_.leave_out(command.rank, world_.rank(), receive_); break;
    default: break;
  }
  return answer;
}

MpiAnswer MpiRank::prepare(const MpiCommand& command) {
  what_ = command;
  kind_ = static_cast<Collective>(command.collective);
  if (kind_ == Collective::kBroadcast) what_.in_place = 1;  // MPI's broadcast has one buffer
  const int n = ranks_;
  const MpiAnswer failed = answer_of(Status::failure("OUT_OF_MEMORY", "it could not get its memory", "Choose a smaller message or free memory on that host."));
  if (!find_reduction(command.dtype, command.op, "", &reduction_).ok()) return failed;
  count_ = whole_blocks(kind_, command.bytes / reduction_->element_bytes, n);
  if (!Pattern::make(kind_, command.dtype, command.op, n, count_, command.seed, &pattern_).ok()) return failed;
  send_count_ = send_elements(kind_, count_, n);
  receive_count_ = receive_elements(kind_, count_, n);

  const std::string dtype = command.dtype, op = command.op;
  if (dtype == "f16" || dtype == "bf16") {
    const PairType pair = sixteen_bits(mpi_);
    type_ = pair.type;
    op_ = pair.op;
    called_back = reduction_;
  } else {
    type_ = dtype == "f64" ? mpi_.is.f64 : dtype == "f32" ? mpi_.is.f32 : dtype == "s32" ? mpi_.is.s32 : mpi_.is.s8;
    op_ = op == "sum" ? mpi_.is.sum : op == "min" ? mpi_.is.min : mpi_.is.max;
  }
  const std::size_t element = reduction_->element_bytes;
  const std::size_t larger = count_ * element;
  const std::size_t send_bytes = round_to_line(send_count_ * element) + kStaggerBytes;
  const std::size_t bytes = what_.in_place ? larger : send_bytes + receive_count_ * element;
  if (!memory_.allocate(bytes + kLineBytes).ok()) return failed;
  const std::size_t own = static_cast<std::size_t>(world_.rank()) * (count_ / static_cast<std::size_t>(n)) * element;
  send_ = memory_.as<char>() + (what_.in_place && kind_ == Collective::kAllGather ? own : 0);
  receive_ = memory_.as<char>() + (what_.in_place ? 0 : send_bytes);
  pattern_.unwrite(receive_, 0, receive_count_);
  pattern_.fill(world_.rank(), send_, 0, send_count_);
  return answer_of(Status::success());
}

void MpiRank::fresh_input() {
  pattern_.unwrite(receive_, 0, receive_count_);
  pattern_.fill(world_.rank(), send_, 0, send_count_);
}

void MpiRank::unwrite_one_line(std::uint64_t serial) {
  const std::size_t line = kLineBytes / reduction_->element_bytes;
  const std::size_t lines = (receive_count_ + line - 1) / line;
  if (lines == 0) return;
  const std::uint64_t random = random_bits(what_.seed, (1u << 21) + static_cast<std::uint64_t>(world_.rank()), serial);
  const std::size_t at = random_below(random, lines) * line;
  pattern_.unwrite(receive_, at, receive_count_ - at < line ? receive_count_ - at : line);
}

MpiAnswer MpiRank::run(const MpiCommand& command) {
  MpiAnswer answer = answer_of(Status::success());
  if (what_.in_place) {
    if (command.refill != 0) fresh_input();
  } else {
    unwrite_one_line(command.serial);
  }
  answer.fingerprint = random_bits(count_ * reduction_->element_bytes, static_cast<std::uint64_t>(kind_), command.iterations);
  if (command.bit != 0 && command.rank == world_.rank()) ++answer.fingerprint;  // the injected mismatch
  if (!ranks_agree(world_, ranks_, answer.fingerprint)) return answer;  // rank 0 sees why
  if (what_.per_call != 0) {
    for (std::uint64_t i = 0; i < command.iterations; ++i) {
      mpi_.Barrier(comm_);
      const double begin = monotonic_seconds();
      call();
      answer.seconds += monotonic_seconds() - begin;
    }
    return answer;
  }
  mpi_.Barrier(comm_);
  const double begin = monotonic_seconds();
  for (std::uint64_t i = 0; i < command.iterations; ++i) call();
  answer.seconds = monotonic_seconds() - begin;
  return answer;
}

// How the ranks sit, as far as it can be told through MPI: each pair of neighbours exchanges small messages, and all copy at once.
MpiAnswer MpiRank::placement() {
  constexpr std::size_t kCopyBytes = std::size_t{4} << 20;
  constexpr int kCopies = 12;
  MpiAnswer answer = answer_of(Status::success());
  mpi_.Barrier(comm_);
  answer.values[0] = message_seconds();
  AlignedBuffer memory;
  const bool has_memory = memory.allocate(2 * kCopyBytes).ok();  // without it there is one figure less
  if (has_memory) std::memset(memory.as<char>(), 1, 2 * kCopyBytes);
  mpi_.Barrier(comm_);
  for (int i = 0; i < kCopies && has_memory; ++i) {
    const double begin = monotonic_seconds();
    std::memcpy(memory.as<char>() + kCopyBytes, memory.as<char>(), kCopyBytes);
    asm volatile("" ::: "memory");
    answer.values[1] = std::max(answer.values[1], static_cast<double>(kCopyBytes) / (monotonic_seconds() - begin));
  }
  return answer;
}

// Half of the fastest round trip between this rank and its right neighbour, at even ranks; the others answer, and return 0.
double MpiRank::message_seconds() {
  constexpr int kTries = 20;
  constexpr double kBudgetSeconds = 0.02, kTrySeconds = 100e-6;  // a try is long beside two clock readings
  const int rank = world_.rank(), other = rank ^ 1;
  if (other >= ranks_) return 0;
  std::int32_t more = 1;
  if (rank % 2 == 1) {
    while (more != 0) {
      mpi_.Recv(&more, sizeof more, mpi_.is.byte, other, kTag, comm_, mpi_.is.status_ignore);
      mpi_.Send(&more, sizeof more, mpi_.is.byte, other, kTag, comm_);
    }
    return 0;
  }
  const auto round_trip = [&] {
    mpi_.Send(&more, sizeof more, mpi_.is.byte, other, kTag, comm_);
    mpi_.Recv(&more, sizeof more, mpi_.is.byte, other, kTag, comm_, mpi_.is.status_ignore);
  };
  round_trip();  // may wait for a rank that has yet to come
  const double deadline = monotonic_seconds() + kBudgetSeconds;
  double best = 0;
  for (int i = 0; i < kTries && (i == 0 || monotonic_seconds() < deadline); ++i) {
    // The clock is read once in eight trips, or after the first of them that is slow: a rank that loses its CPU ends the try.
    const double begin = monotonic_seconds();
    double elapsed = 0;
    int trips = 0;
    while (elapsed < kTrySeconds) {
      round_trip();
      if (++trips == 1 || trips % 8 == 0) elapsed = monotonic_seconds() - begin;
    }
    best = best == 0 ? elapsed / trips : std::min(best, elapsed / trips);
  }
  more = 0;
  round_trip();
  return best / 2;
}

void MpiRank::call() {
  const auto count = static_cast<int>(count_);
  const int n = ranks_, rank = world_.rank();
  const int block = count / n;
  const void* from = what_.in_place ? mpi_.is.in_place : send_;
  switch (kind_) {
    case Collective::kAllreduce: mpi_.Allreduce(from, receive_, count, type_, op_, comm_); break;
    case Collective::kReduceScatter: mpi_.Reduce_scatter_block(from, receive_, block, type_, op_, comm_); break;
    case Collective::kAllGather: mpi_.Allgather(from, block, type_, receive_, block, type_, comm_); break;
    case Collective::kAllToAll: mpi_.Alltoall(send_, block, type_, receive_, block, type_, comm_); break;
    case Collective::kBroadcast:
      mpi_.Bcast(receive_, count, type_, 0, comm_);  // one buffer for both: always in place
      break;
    case Collective::kShift:
      mpi_.Sendrecv(send_, count, type_, (rank + 1) % n, kTag, receive_, count, type_, (rank + n - 1) % n, kTag, comm_,
                    mpi_.is.status_ignore);
      break;
    case Collective::kPingPong:
      if (rank == 0) {
        mpi_.Send(send_, count, type_, 1, kTag, comm_);
        mpi_.Recv(receive_, count, type_, 1, kTag, comm_, mpi_.is.status_ignore);
      } else if (rank == 1) {
        mpi_.Recv(receive_, count, type_, 0, kTag, comm_, mpi_.is.status_ignore);
        mpi_.Send(send_, count, type_, 0, kTag, comm_);
      }
      break;
  }
}

}  // namespace aibench
