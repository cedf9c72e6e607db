#include "collective/communicator.h"

#include <cstring>
#include <map>
#include <new>
#include <numeric>

#include "core/clock.h"

namespace aibench {
namespace {

constexpr std::size_t kPage = 4096;
std::size_t round_up(std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; }

std::vector<int> numbers_up_to(int count) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

}  // namespace

std::size_t Communicator::area_bytes(std::size_t staging_bytes) {
  // Two pages more than needed between areas: equal offsets in them then do not fall into the same cache set.
  return round_up(2 * sizeof(MailboxSlot) + 2 * staging_bytes, kPage) + 2 * kPage;
}

std::size_t Communicator::bytes(int ranks, std::size_t staging_bytes) {
  const auto n = static_cast<std::size_t>(ranks);
  return round_up(n * sizeof(Member), kPage) + n * area_bytes(staging_bytes);
}

Communicator::Communicator(int ranks, std::size_t staging_bytes, char* memory, Waiting waiting, GroupWatch* watch)
    : ranks_(ranks), staging_bytes_(staging_bytes), area_bytes_(area_bytes(staging_bytes)),
      members_(reinterpret_cast<Member*>(memory)),
      areas_(memory + round_up(static_cast<std::size_t>(ranks) * sizeof(Member), kPage)),
      by_domain_(std::vector<int>(static_cast<std::size_t>(ranks), 0)), by_cpu_(numbers_up_to(ranks)), waiting_(waiting), watch_(watch) {
  for (int rank = 0; rank < ranks; ++rank) {
    new (members_ + rank) Member;
    char* staging = reinterpret_cast<char*>(mailboxes(rank) + 2);
    for (auto& area : staging_) {
      area.push_back(staging);
      staging += staging_bytes;
    }
  }
}

Communicator::Groups::Groups(const std::vector<int>& group_of_rank) {
  std::map<int, std::size_t> numbers;
  for (std::size_t rank = 0; rank < group_of_rank.size(); ++rank) {
    const std::size_t number = numbers.try_emplace(group_of_rank[rank], numbers.size()).first->second;
    if (number == members.size()) members.emplace_back();
    of.push_back(static_cast<int>(number));
    index.push_back(static_cast<int>(members[number].size()));
    members[number].push_back(static_cast<int>(rank));
  }
}

void Communicator::set_domains(const std::vector<int>& domain_of_rank) { by_domain_ = Groups(domain_of_rank); }
void Communicator::set_cpus(const std::vector<int>& cpu_of_rank) { by_cpu_ = Groups(cpu_of_rank); }

void Communicator::attach(int rank) {
  for (int i = 0; i < 2; ++i) {
    new (mailboxes(rank) + i) MailboxSlot;
    std::memset(staging_[i][static_cast<std::size_t>(rank)], 0, staging_bytes_);
  }
}

// Dissemination barrier (Hensgen, Finkel, Manber 1988): in round r, rank i tells rank i + 2^r and hears from i - 2^r.
// With two ranks that is one symmetric exchange of flags. Flags count episodes, so none has to be reset.
void Communicator::barrier(int rank) {
  const std::uint32_t episode = ++member(rank).episode;
  if (waiting_ == Waiting::kYields) {
    // Ranks that share a CPU pay a context switch per round; here they pay one per barrier.
    const auto everyone = episode * static_cast<std::uint32_t>(ranks_);
    if (member(0).count.value.fetch_add(1, std::memory_order_acq_rel) + 1 == everyone) {
      member(0).open.value.store(episode, std::memory_order_release);
    } else {
      spin(rank).until(member(0).open.value, episode);
    }
    return;
  }
  for (int round = 0, distance = 1; distance < ranks(); ++round, distance *= 2) {
    member((rank + distance) % ranks()).arrived[round].value.store(episode, std::memory_order_release);
    spin(rank).until(member(rank).arrived[round].value, episode);
  }
}

Communicator::Chunk Communicator::next_chunk(int rank, std::uint32_t ticks) {
  Member& self = member(rank);
  const Chunk chunk{self.ticks, staging_[self.chunks++ & 1].data()};
  self.ticks += ticks;
  return chunk;
}

Communicator::Walk Communicator::next_walk(int rank, std::uint32_t ticks, std::uint32_t chunks) {
  Member& self = member(rank);
  const Walk walk{self.ticks, self.chunks};
  self.ticks += ticks;
  self.chunks += chunks;
  return walk;
}

bool Communicator::come_to_cpu(int rank) {
  const std::vector<int>& together = by_cpu_.members[static_cast<std::size_t>(cpu(rank))];
  Member& first = member(together.front());
  const std::uint32_t call = ++member(rank).cpu_calls;
  const auto all = call * static_cast<std::uint32_t>(together.size());
  if (first.cpu_count.value.fetch_add(1, std::memory_order_acq_rel) + 1 == all) return true;
  spin(rank).until(first.cpu_done.value, call);
  return false;
}

void Communicator::leave_cpu(int rank) {
  first_of_cpu(rank).cpu_done.value.store(member(rank).cpu_calls, std::memory_order_release);
}

// As barrier(). Who comes here is alone on its CPU until it leaves, so that it may wait without giving the CPU away.
void Communicator::cpu_barrier(int rank) {
  const std::uint32_t episode = ++first_of_cpu(rank).cpu_episode;
  SpinWait wait = waiting_ == Waiting::kYields ? SpinWait(Waiting::kSpins, watch_, rank) : spin(rank);
  for (int round = 0, distance = 1; distance < cpus(); ++round, distance *= 2) {
    const int to = by_cpu_.members[static_cast<std::size_t>((cpu(rank) + distance) % cpus())].front();
    member(to).cpu_arrived[round].value.store(episode, std::memory_order_release);
    wait.until(first_of_cpu(rank).cpu_arrived[round].value, episode);
  }
}

Communicator::RoundTrips Communicator::round_trips(int rank, int from, int to, std::uint64_t count) {
  RoundTrips trips;
  std::atomic<std::uint32_t>& mine = member(rank).ping.value;
  barrier(rank);
  mine.store(0, std::memory_order_relaxed);
  barrier(rank);
  if (rank == from || rank == to) {
    const std::atomic<std::uint32_t>& theirs = member(rank == from ? to : from).ping.value;
    SpinWait wait = spin(rank);
    const double begin = monotonic_seconds();
    for (std::uint64_t i = 1; i <= count; ++i) {
      const auto sequence = static_cast<std::uint32_t>(i);
      if (rank == from) mine.store(sequence, std::memory_order_release);
      wait.until(theirs, sequence);
      if (rank == to) {
        trips.arrived += theirs.load(std::memory_order_relaxed) == sequence;
        mine.store(sequence, std::memory_order_release);
      }
    }
    trips.seconds = monotonic_seconds() - begin;
  }
  barrier(rank);
  return trips;
}

double Communicator::one_way_seconds(int rank, int from, int to) {
  constexpr std::uint32_t kRoundTrips = 200;  // per try: two clock readings are then below 1 % of it
  constexpr int kTries = 20;
  constexpr double kBudgetSeconds = 0.02;  // on a busy machine a try can take many time slices
  constexpr std::uint32_t kEnd = 1;        // in the low bit: this is the last one
  std::atomic<std::uint32_t>& mine = member(rank).ping.value;
  barrier(rank);
  mine.store(0, std::memory_order_relaxed);
  barrier(rank);
  double best = 0;
  if (rank == from) {
    std::atomic<std::uint32_t>& theirs = member(to).ping.value;
    SpinWait wait = spin(rank);
    std::uint32_t sequence = 0;
    const double deadline = monotonic_seconds() + kBudgetSeconds;
    for (int attempt = 0; attempt < kTries && monotonic_seconds() < deadline; ++attempt) {
      const double begin = monotonic_seconds();
      for (std::uint32_t i = 0; i < kRoundTrips; ++i) {
        sequence += 2;
        mine.store(sequence, std::memory_order_release);
        wait.until(theirs, sequence);
      }
      const double seconds = (monotonic_seconds() - begin) / kRoundTrips / 2;
      if (best == 0 || seconds < best) best = seconds;
    }
    mine.store((sequence + 2) | kEnd, std::memory_order_release);
    wait.until(theirs, sequence + 2);
  } else if (rank == to) {
    std::atomic<std::uint32_t>& theirs = member(from).ping.value;
    SpinWait wait = spin(rank);
    for (std::uint32_t sequence = 2;; sequence += 2) {
      wait.until(theirs, sequence);
      const bool last = (theirs.load(std::memory_order_relaxed) & kEnd) != 0;
      mine.store(sequence, std::memory_order_release);
      if (last) break;
    }
  }
  barrier(rank);
  return best;
}

}  // namespace aibench
