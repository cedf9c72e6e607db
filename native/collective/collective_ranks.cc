#include "collective/collective_ranks.h"

#include <cstring>

#include "collective/domains.h"
#include "core/available_memory.h"
#include "core/clock.h"
#include "core/thread_team.h"
#include "memory/counter_random.h"

namespace aibench {
namespace {

constexpr std::size_t kPage = 4096;
// Between a rank's buffers. Modulo 4096 the output lies behind the input, so that no load has the low address bits of a
// store that has just been issued.
constexpr std::size_t kStaggerBytes = kPage - 256;
// More than this per rank is beyond every cache: larger copies only take longer.
constexpr std::size_t kMaxCopyBytes = std::size_t{64} << 20;

std::size_t round_up(std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; }

}  // namespace

CollectiveRanks::CollectiveRanks(const CollectiveOptions& options, const Reduction& reduction,
                                 const CollectiveAlgorithm& algorithm, const Pattern& pattern, std::size_t count,
                                 bool streaming)
    : options_(options), reduction_(reduction), algorithm_(algorithm), pattern_(pattern), count_(count),
      streaming_(streaming), ranks_(options.ranks), send_count_(send_elements(algorithm.kind, count, ranks_)),
      receive_count_(receive_elements(algorithm.kind, count, ranks_)) {
  const std::size_t smaller = (send_count_ < receive_count_ ? send_count_ : receive_count_) * reduction.element_bytes;
  copy_bytes_ = smaller < kMaxCopyBytes ? smaller : kMaxCopyBytes;
}

CollectiveRanks::~CollectiveRanks() { team_.reset(); }

// A rank's input, output and scratch, one behind the other.
std::size_t CollectiveRanks::buffer_bytes() const {
  const std::size_t element = reduction_.element_bytes;
  const std::size_t larger = (send_count_ > receive_count_ ? send_count_ : receive_count_) * element;
  const std::size_t vectors = options_.in_place ? round_up(larger, kLineBytes) + kStaggerBytes
                                                : round_up(send_count_ * element, kLineBytes) + kStaggerBytes +
                                                      round_up(receive_count_ * element, kLineBytes) + kStaggerBytes;
  return round_up(vectors + round_up(copy_bytes_, kLineBytes), kPage) + 2 * kPage;
}

Status CollectiveRanks::start() {
  const auto n = static_cast<std::size_t>(ranks_);
  const std::size_t staging = ranks_ > 1 ? algorithm_.staging_bytes(ranks_) : 0;
  const bool private_buffers = options_.private_buffers;
  const std::size_t head = round_up(sizeof(GroupBoard), 128) + n * (sizeof(AliveMark) + sizeof(Answer)) +
                           round_up(sizeof(Task), 128) + process_team_bytes(ranks_);
  const std::size_t group = Communicator::bytes(ranks_, staging);
  const std::size_t shared = round_up(head, kPage) + group + (private_buffers ? 0 : n * buffer_bytes());
  bytes_allocated_ = shared + (private_buffers ? n * buffer_bytes() : 0);
  const std::string what = std::string("the collective ") + collective_name(algorithm_.kind);
  if (Status status = check_memory(static_cast<double>(bytes_allocated_), what); !status.ok()) return status;
  if (Status status = shared_.map(shared, options_.processes); !status.ok()) return status;

  char* at = shared_.data();
  const auto take = [&](std::size_t bytes) {
    char* taken = at;
    at += round_up(bytes, 128);
    return taken;
  };
  auto* board = new (take(sizeof(GroupBoard))) GroupBoard;
  auto* alive = reinterpret_cast<AliveMark*>(take(n * sizeof(AliveMark)));
  for (std::size_t rank = 0; rank < n; ++rank) new (alive + rank) AliveMark;
  answers_ = reinterpret_cast<Answer*>(take(n * sizeof(Answer)));
  task_ = new (take(sizeof(Task))) Task{};
  char* control = take(process_team_bytes(ranks_));
  at = shared_.data() + round_up(head, kPage);

  watch_ = std::make_unique<GroupWatch>(board, alive, ranks_, options_.patience_seconds);
  team_ = options_.processes ? make_process_team(ranks_, watch_.get(), control) : make_thread_team(ranks_, watch_.get());
  communicator_ = std::make_unique<Communicator>(ranks_, staging, at, team_->waiting(), watch_.get());
  communicator_->set_domains(cache_domains(ranks_));
  const std::size_t cpus = allowed_cpus().size();
  std::vector<int> cpu_of_rank;
  for (std::size_t rank = 0; rank < n; ++rank) cpu_of_rank.push_back(static_cast<int>(rank % cpus));  // as teams place them
  communicator_->set_cpus(cpu_of_rank);
  at += group;
  private_ = std::vector<AlignedBuffer>(n);
  send_.assign(n, nullptr);
  receive_.assign(n, nullptr);
  scratch_.assign(n, nullptr);
  if (!private_buffers) {
    for (int rank = 0; rank < ranks_; ++rank) place_buffers(rank, at + static_cast<std::size_t>(rank) * buffer_bytes());
  }
  if (Status status = team_->start(); !status.ok()) return status;
  Task task{};
  task.action = Action::kPrepare;
  try {
    perform(task);
  } catch (const ProblemFailure& failure) {
    return failure.status;
  }
  for (std::size_t rank = 0; rank < n; ++rank) {
    if (!answers_[rank].out_of_memory) continue;
    return Status::failure("OUT_OF_MEMORY", "the operating system refused memory to rank " + std::to_string(rank),
                           "Choose a smaller size or free memory on this machine.");
  }
  return Status::success();
}

void CollectiveRanks::perform(const Task& task) {
  *task_ = task;
  const Status status =
      team_->run([](void* self, int rank) { static_cast<CollectiveRanks*>(self)->act(rank); }, this);
  if (!status.ok()) throw ProblemFailure(status);
}

void CollectiveRanks::act(int rank) {
  Answer& answer = answers_[rank];
  const auto r = static_cast<std::size_t>(rank);
  switch (task_->action) {
    case Action::kPrepare: return prepare(rank);
    case Action::kRun: return run(rank);
    case Action::kVerify:
      answer.wrong = pattern_.wrong_received(rank, receive_[r], 0, receive_count_);
      if (!options_.in_place) answer.wrong += pattern_.wrong_sent(rank, send_[r], 0, send_count_);
      return;
    case Action::kUnwrite:
      if (rank != task_->rank) return;
      return pattern_.unwrite(receive_[r], task_->at, task_->iterations);
    case Action::kFlip:
      if (rank == task_->rank) static_cast<unsigned char*>(receive_[r])[task_->at] ^= static_cast<unsigned char>(1 << task_->bit);
      return;
    case Action::kLeaveOut: return pattern_.leave_out(task_->rank, rank, receive_[r]);
    case Action::kOneWay: answer.value = communicator_->one_way_seconds(rank, 0, task_->rank); return;
    case Action::kCopy: return copy(rank);
  }
}

void CollectiveRanks::place_buffers(int rank, char* memory) {
  const auto r = static_cast<std::size_t>(rank);
  const std::size_t element = reduction_.element_bytes;
  const std::size_t own = r * (count_ / static_cast<std::size_t>(ranks_)) * element;
  if (options_.in_place) {  // as nccl-tests: the smaller vector lies at this rank's place in the larger
    send_[r] = memory + (algorithm_.kind == Collective::kAllGather ? own : 0);
    receive_[r] = memory + (algorithm_.kind == Collective::kReduceScatter ? own : 0);
    const std::size_t larger = (send_count_ > receive_count_ ? send_count_ : receive_count_) * element;
    scratch_[r] = memory + round_up(larger, kLineBytes) + kStaggerBytes;
    return;
  }
  send_[r] = memory;
  char* receive = memory + round_up(send_count_ * element, kLineBytes) + kStaggerBytes;
  receive_[r] = receive;
  scratch_[r] = receive + round_up(receive_count_ * element, kLineBytes) + kStaggerBytes;
}

void CollectiveRanks::prepare(int rank) {
  const auto r = static_cast<std::size_t>(rank);
  communicator_->attach(rank);
  answers_[rank] = {};
  if (options_.private_buffers) {
    if (!private_[r].allocate(buffer_bytes()).ok()) {
      answers_[rank].out_of_memory = true;
      return;
    }
    place_buffers(rank, private_[r].as<char>());
  }
  if (count_ == 0) return;
  pattern_.unwrite(receive_[r], 0, receive_count_);
  pattern_.fill(rank, const_cast<void*>(send_[r]), 0, send_count_);
  std::memset(scratch_[r], 0, copy_bytes_);
}

// Every rank says what call it is about to make; all must say the same. Once per batch, outside of the timing.
void CollectiveRanks::agree(int rank) {
  Answer& answer = answers_[rank];
  answer.serial = task_->serial;
  answer.fingerprint = random_bits(count_ * reduction_.element_bytes, static_cast<std::uint64_t>(algorithm_.kind), task_->iterations);
  if (task_->rank == rank && task_->bit != 0) ++answer.fingerprint;  // the injected mismatch
  communicator_->barrier(rank);
  for (int other = 0; other < ranks_; ++other) {
    if (answers_[other].fingerprint == answers_[0].fingerprint && answers_[other].serial == answers_[0].serial) continue;
    // With two ranks either may be wrong; with more the majority is right.
    int agreeing = 0;
    for (int third = 0; third < ranks_; ++third) agreeing += answers_[third].fingerprint == answers_[other].fingerprint;
    const int odd = 2 * agreeing > ranks_ ? 0 : other;
    watch_->fail("RANK_MISMATCH", "rank " + std::to_string(odd) + " calls the collective with another count, type or number of "
                                  "iterations than the others");
  }
}

void CollectiveRanks::run(int rank) {
  const CollectiveCall call = this->call();
  const auto r = static_cast<std::size_t>(rank);
  Answer& answer = answers_[rank];
  if (options_.in_place) {
    if (task_->refill) {
      pattern_.unwrite(receive_[r], 0, receive_count_);
      pattern_.fill(rank, const_cast<void*>(send_[r]), 0, send_count_);
    }
  } else {
    unwrite_one_line(rank);
  }
  if (ranks_ == 1) {
    answer.begin = monotonic_seconds();
    for (std::uint64_t i = 0; i < task_->iterations; ++i) {
      if (call.receive[0] != call.send[0]) std::memcpy(call.receive[0], call.send[0], call.bytes(receive_count_));
      asm volatile("" ::: "memory");  // each copy counts
    }
    answer.end = monotonic_seconds();
    return;
  }
  agree(rank);
  if (options_.per_call) {
    answer.begin = 0;
    answer.end = 0;
    for (std::uint64_t i = 0; i < task_->iterations; ++i) {
      communicator_->barrier(rank);
      const double begin = monotonic_seconds();
      algorithm_.run(*communicator_, rank, call);
      answer.end += monotonic_seconds() - begin;
    }
    return;
  }
  communicator_->barrier(rank);
  answer.begin = monotonic_seconds();
  for (std::uint64_t i = 0; i < task_->iterations; ++i) algorithm_.run(*communicator_, rank, call);
  answer.end = monotonic_seconds();
}

// What bounds a collective: every rank copies its own input at the same time, with one of three kinds of loop.
void CollectiveRanks::copy(int rank) {
  const auto r = static_cast<std::size_t>(rank);
  const bool streaming = task_->bit == 1 && reduction_.copy_streaming != nullptr;
  // The third kind has the streams of a reduction between two ranks: two read, two written, half as long.
  const std::size_t half = copy_bytes_ / 2 / kLineBytes * kLineBytes;
  const char* input = static_cast<const char*>(send_[r]);
  char* output = static_cast<char*>(scratch_[r]);
  const void* inputs[] = {input, input + half};
  void* outputs[] = {output, output + half};
  const std::uint64_t passes = task_->iterations;
  Answer& answer = answers_[rank];
  communicator_->barrier(rank);
  answer.begin = monotonic_seconds();
  for (std::uint64_t i = 0; i < passes; ++i) {
    if (task_->bit == 2) {
      reduction_.reduce(outputs, 2, inputs, 2, 0, half / reduction_.element_bytes);
    } else {
      copy_elements({reduction_, nullptr, nullptr, 0, streaming}, output, input, copy_bytes_ / reduction_.element_bytes,
                    streaming);
    }
    asm volatile("" ::: "memory");
  }
  answer.end = monotonic_seconds();
}

// The results repeat, so an output left from an earlier batch would look right. Each batch therefore begins with one line
// of every rank's output taken back (one store of 64 bytes, before the clock starts).
void CollectiveRanks::unwrite_one_line(int rank) {
  const std::size_t line = kLineBytes / reduction_.element_bytes;
  const std::size_t lines = (receive_count_ + line - 1) / line;
  if (lines == 0) return;
  const std::uint64_t random = random_bits(options_.seed, (1u << 21) + static_cast<std::uint64_t>(rank), task_->serial);
  const std::size_t at = random_below(random, lines) * line;
  pattern_.unwrite(receive_[static_cast<std::size_t>(rank)], at, receive_count_ - at < line ? receive_count_ - at : line);
}

}  // namespace aibench
