// What the ranks of one group share: flags to meet at, mailboxes for small messages, staging for the algorithms that
// do not reach into each other's buffers. Nothing here knows which collective runs, or whether ranks are threads or
// processes.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "collective/group_watch.h"
#include "collective/spin_wait.h"

namespace aibench {

inline constexpr std::size_t kLineBytes = 64;

// One rank's slot for a message: up to kInlineBytes lie in the line of the flag, more of them behind it.
struct MailboxSlot {
  static constexpr std::size_t kInlineBytes = 56;
  static constexpr std::size_t kPayloadBytes = 8 << 10;
  alignas(128) std::atomic<std::uint32_t> flag{0};
  alignas(8) char inline_data[kInlineBytes];
  alignas(kLineBytes) char payload[kPayloadBytes];
};

class Communicator {
 public:
  // Memory that a group needs; zeroed, aligned to 128 bytes, and shared before ranks are made.
  static std::size_t bytes(int ranks, std::size_t staging_bytes);

  // Each rank must attach() before any communicates.
  Communicator(int ranks, std::size_t staging_bytes, char* memory, Waiting waiting, GroupWatch* watch);

  // Called by the thread or process that is to be `rank`, so that its memory is close to it.
  void attach(int rank);

  int ranks() const { return ranks_; }
  // Which ranks share a last-level cache: rank r is member domain_index(r) of domain(r). One domain until it is said.
  void set_domains(const std::vector<int>& domain_of_rank);
  const std::vector<std::vector<int>>& domains() const { return by_domain_.members; }
  int domain(int rank) const { return by_domain_.of[static_cast<std::size_t>(rank)]; }
  int domain_index(int rank) const { return by_domain_.index[static_cast<std::size_t>(rank)]; }
  SpinWait spin(int rank) const { return SpinWait(waiting_, watch_, rank); }

  // Ranks that share a CPU (set_cpus) can let the last of them that comes to a call do the work of all, so that each CPU is
  // switched once per rank and call. come_to_cpu() is true for the last, at once; the others get false when it has called
  // leave_cpu().
  void set_cpus(const std::vector<int>& cpu_of_rank);
  int cpus() const { return static_cast<int>(by_cpu_.members.size()); }
  int cpu(int rank) const { return by_cpu_.of[static_cast<std::size_t>(rank)]; }
  bool come_to_cpu(int rank);
  void leave_cpu(int rank);
  // Between come_to_cpu() and leave_cpu(): a barrier of the CPUs.
  void cpu_barrier(int rank);

  // Returns when every rank has called it; what any rank wrote before is visible to all.
  void barrier(int rank);

  // Mailbox messages are numbered from 1 in the same order at every rank, and use two slots in turn: a rank writes
  // number s + 2 only after it has seen every other's s + 1, which each sends only after having read s.
  std::uint32_t next_message(int rank) { return ++member(rank).messages; }
  MailboxSlot& mailbox(int rank, std::uint32_t message) { return mailboxes(rank)[message & 1]; }

  // Staged algorithms cut a message into chunks. A chunk takes `ticks` steps of every rank's progress counter and one of
  // two staging areas in turn; the argument why two are enough is that of the mailbox, as long as a rank cannot finish
  // a chunk before every other has contributed to it.
  struct Chunk {
    std::uint32_t first_tick;
    char* const* staging;  // by rank
  };
  Chunk next_chunk(int rank, std::uint32_t ticks);
  // For an algorithm that has several chunks of a call under way and orders them by itself.
  struct Walk {
    std::uint32_t first_tick, first_chunk;
  };
  Walk next_walk(int rank, std::uint32_t ticks, std::uint32_t chunks);
  char* staging(int rank, std::uint32_t chunk) const { return staging_[chunk & 1][static_cast<std::size_t>(rank)]; }
  void publish(int rank, std::uint32_t tick) { member(rank).progress.store(tick, std::memory_order_release); }
  // Waits as `rank` until rank `other` has published `tick`.
  void await(int rank, int other, std::uint32_t tick) { spin(rank).until(member(other).progress, tick); }

  // Time that a cache line takes from rank `from` to rank `to`, seconds: half of the fastest round trip of a flag. All
  // ranks call it; rank `from` gets the answer, the others 0. About 2 milliseconds, at most 20.
  double one_way_seconds(int rank, int from, int to);

  // `count` round trips of a flag between two ranks; all ranks call it. Rank `from` gets the seconds of all of them, rank
  // `to` the number of flags that arrived.
  struct RoundTrips {
    double seconds = 0;
    std::uint64_t arrived = 0;
  };
  RoundTrips round_trips(int rank, int from, int to, std::uint64_t count);

 private:
  static constexpr int kMaxRounds = 12;  // of a dissemination barrier: up to 4096 ranks
  struct alignas(128) Flag {
    std::atomic<std::uint32_t> value{0};
  };
  struct alignas(128) Member {
    // Written by this rank only.
    std::uint32_t episode = 0;
    std::uint32_t messages = 0;
    std::uint32_t ticks = 0;
    std::uint32_t chunks = 0;
    alignas(128) std::atomic<std::uint32_t> progress{0};
    Flag ping;
    Flag count;  // of rank 0: who has come to the barrier
    Flag open;   // of rank 0: the episode that may go on
    Flag arrived[kMaxRounds];
    // Of the first rank of a CPU: who has come, the call whose work is done, and what CPUs tell each other.
    std::uint32_t cpu_calls = 0;     // written by this rank only
    std::uint32_t cpu_episode = 0;   // of the first rank: written by whoever works for the CPU
    Flag cpu_count;
    Flag cpu_done;
    Flag cpu_arrived[kMaxRounds];
  };
  // Ranks by group, and where each stands; groups in the order in which ranks name them.
  struct Groups {
    std::vector<std::vector<int>> members;
    std::vector<int> of, index;
    explicit Groups(const std::vector<int>& group_of_rank);
  };
  Member& first_of_cpu(int rank) { return member(by_cpu_.members[static_cast<std::size_t>(cpu(rank))].front()); }
  static std::size_t area_bytes(std::size_t staging_bytes);
  Member& member(int rank) { return members_[rank]; }
  MailboxSlot* mailboxes(int rank) { return reinterpret_cast<MailboxSlot*>(areas_ + static_cast<std::size_t>(rank) * area_bytes_); }

  const int ranks_;
  const std::size_t staging_bytes_;
  const std::size_t area_bytes_;
  Member* const members_;
  char* const areas_;  // per rank: two mailbox slots, then two staging areas
  std::vector<char*> staging_[2];
  Groups by_domain_, by_cpu_;
  const Waiting waiting_;
  GroupWatch* const watch_;
};

}  // namespace aibench
