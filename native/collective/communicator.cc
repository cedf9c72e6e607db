#include "collective/communicator.h"

#include <cstring>
#include <map>
#include <new>

#include "core/clock.h"

namespace aibench {
namespace {

constexpr std::size_t kPage = 4096;
std::size_t round_up(std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; }

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
      waiting_(waiting), watch_(watch) {
  for (int rank = 0; rank < ranks; ++rank) {
    new (members_ + rank) Member;
    char* staging = reinterpret_cast<char*>(mailboxes(rank) + 2);
    for (auto& area : staging_) {
      area.push_back(staging);
      staging += staging_bytes;
    }
  }
  set_domains(std::vector<int>(static_cast<std::size_t>(ranks), 0));
}

void Communicator::set_domains(const std::vector<int>& domain_of_rank) {
  domains_.clear();
  domain_of_.clear();
  index_in_domain_.clear();
  std::map<int, std::size_t> numbers;  // domains in the order in which ranks name them
  for (std::size_t rank = 0; rank < domain_of_rank.size(); ++rank) {
    const std::size_t number = numbers.try_emplace(domain_of_rank[rank], numbers.size()).first->second;
    if (number == domains_.size()) domains_.emplace_back();
    domain_of_.push_back(static_cast<int>(number));
    index_in_domain_.push_back(static_cast<int>(domains_[number].size()));
    domains_[number].push_back(static_cast<int>(rank));
  }
}

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
