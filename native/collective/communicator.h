// What the ranks of one group share: flags to meet at, mailboxes for small messages, staging for the algorithms that
// do not reach into each other's buffers. Nothing here knows which collective runs.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "collective/spin_wait.h"
#include "core/aligned_buffer.h"
#include "core/status.h"

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
  // `oversubscribed`: more ranks than CPUs. Each rank must attach() before any communicates.
  Communicator(int ranks, std::size_t staging_bytes, bool oversubscribed);

  // Called by the thread that is to be `rank`, so that its memory is close to it. Fails with OUT_OF_MEMORY.
  Status attach(int rank);

  int ranks() const { return static_cast<int>(members_.size()); }
  std::size_t bytes_allocated() const;
  SpinWait spin() const { return SpinWait(oversubscribed_); }

  // Returns when every rank has called it; what any rank wrote before is visible to all.
  void barrier(int rank);

  // Mailbox messages are numbered from 1 in the same order at every rank, and use two slots in turn: a rank writes
  // number s + 2 only after it has seen every other's s + 1, which each sends only after having read s.
  std::uint32_t next_message(int rank) { return ++member(rank).messages; }
  MailboxSlot& mailbox(int rank, std::uint32_t message) { return member(rank).memory.as<MailboxSlot>()[message & 1]; }

  // Staged algorithms cut a message into chunks. A chunk takes `ticks` steps of every rank's progress counter and one of
  // two staging areas in turn; the argument why two are enough is that of the mailbox, as long as a rank cannot finish
  // a chunk before every other has contributed to it.
  struct Chunk {
    std::uint32_t first_tick;
    char* const* staging;  // by rank
  };
  Chunk next_chunk(int rank, std::uint32_t ticks);
  void publish(int rank, std::uint32_t tick) { member(rank).progress.store(tick, std::memory_order_release); }
  void await(int rank, std::uint32_t tick) { spin().until(member(rank).progress, tick); }

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
    AlignedBuffer memory;  // two mailbox slots, then two staging areas
    alignas(128) std::atomic<std::uint32_t> progress{0};
    Flag arrived[kMaxRounds];
  };
  Member& member(int rank) { return members_[static_cast<std::size_t>(rank)]; }

  std::vector<Member> members_;
  std::vector<char*> staging_[2];
  std::size_t staging_bytes_;
  bool oversubscribed_;
};

}  // namespace aibench
