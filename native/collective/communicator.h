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
  const std::vector<std::vector<int>>& domains() const { return domains_; }
  int domain(int rank) const { return domain_of_[static_cast<std::size_t>(rank)]; }
  int domain_index(int rank) const { return index_in_domain_[static_cast<std::size_t>(rank)]; }
  SpinWait spin(int rank) const { return SpinWait(waiting_, watch_, rank); }

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
  };
  static std::size_t area_bytes(std::size_t staging_bytes);
  Member& member(int rank) { return members_[rank]; }
  MailboxSlot* mailboxes(int rank) { return reinterpret_cast<MailboxSlot*>(areas_ + static_cast<std::size_t>(rank) * area_bytes_); }

  const int ranks_;
  const std::size_t staging_bytes_;
  const std::size_t area_bytes_;
  Member* const members_;
  char* const areas_;  // per rank: two mailbox slots, then two staging areas
  std::vector<char*> staging_[2];
  std::vector<std::vector<int>> domains_;  // ranks by domain
  std::vector<int> domain_of_, index_in_domain_;
  const Waiting waiting_;
  GroupWatch* const watch_;
};

}  // namespace aibench
