#include "collective/communicator.h"

#include <new>

namespace aibench {

Communicator::Communicator(int ranks, std::size_t staging_bytes, bool oversubscribed)
    : members_(static_cast<std::size_t>(ranks)), staging_bytes_(staging_bytes), oversubscribed_(oversubscribed) {
  for (auto& area : staging_) area.resize(static_cast<std::size_t>(ranks));
}

Status Communicator::attach(int rank) {
  Member& self = member(rank);
  const std::size_t mailboxes = 2 * sizeof(MailboxSlot);
  if (Status status = self.memory.allocate(mailboxes + 2 * staging_bytes_); !status.ok()) return status;
  for (int i = 0; i < 2; ++i) {
    new (self.memory.as<MailboxSlot>() + i) MailboxSlot;
    staging_[i][static_cast<std::size_t>(rank)] =
        self.memory.as<char>() + mailboxes + static_cast<std::size_t>(i) * staging_bytes_;
  }
  return Status::success();
}

std::size_t Communicator::bytes_allocated() const {
  std::size_t bytes = 0;
  for (const Member& m : members_) bytes += m.memory.size();
  return bytes;
}

// Dissemination barrier (Hensgen, Finkel, Manber 1988): in round r, rank i tells rank i + 2^r and hears from i - 2^r.
// With two ranks that is one symmetric exchange of flags. Flags count episodes, so none has to be reset.
void Communicator::barrier(int rank) {
  const std::uint32_t episode = ++member(rank).episode;
  for (int round = 0, distance = 1; distance < ranks(); ++round, distance *= 2) {
    member((rank + distance) % ranks()).arrived[round].value.store(episode, std::memory_order_release);
    spin().until(member(rank).arrived[round].value, episode);
  }
}

Communicator::Chunk Communicator::next_chunk(int rank, std::uint32_t ticks) {
  Member& self = member(rank);
  const Chunk chunk{self.ticks, staging_[self.chunks++ & 1].data()};
  self.ticks += ticks;
  return chunk;
}

}  // namespace aibench
