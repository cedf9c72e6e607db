// Work that is cut into a share for each member of a team, and each share into pieces: who is done with its own helps the others. Cores of two
// kinds, or one that a neighbour slows down, are then no reason for the rest to wait longer than for a piece.
#pragma once
#include <atomic>
#include <cstdint>
#include <vector>

namespace aibench {

class WorkShares {
 public:
  explicit WorkShares(int members) : taken_(static_cast<std::size_t>(members)) {}

  // A new round, in which nothing has been taken; while no member is at work.
  void begin() { ++round_; }

  // Calls fn(owner, piece) for pieces of `member`'s own share and then, one after the other in turn, of those of the members behind it, until all
  // have been taken; every member calls this once per round, with the same number of pieces of a share, below 2^32. Each is taken by one.
  template <typename F>
  void run(int member, std::uint32_t pieces, F&& fn) {
    std::uint32_t piece;
    while (take(member, pieces, &piece)) fn(member, piece);
    const int members = static_cast<int>(taken_.size());
    for (bool found = true; found;) {
      found = false;
      for (int i = 1; i < members; ++i) {
        const int owner = member + i < members ? member + i : member + i - members;
        if (!take(owner, pieces, &piece)) continue;
        found = true;
        fn(owner, piece);
      }
    }
  }

 private:
  // The round in the upper half, so that a share of which nothing was taken yet need not be reset.
  struct alignas(128) Taken {
    std::atomic<std::uint64_t> value{0};
  };

  bool take(int owner, std::uint32_t pieces, std::uint32_t* piece) {
    std::atomic<std::uint64_t>& taken = taken_[static_cast<std::size_t>(owner)].value;
    std::uint64_t seen = taken.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint64_t count = seen >> 32 == round_ ? seen & 0xffffffffu : 0;
      if (count >= pieces) return false;
      // Relaxed: pieces are independent of each other, and the team's own end of work orders what they wrote.
      if (taken.compare_exchange_weak(seen, std::uint64_t{round_} << 32 | (count + 1), std::memory_order_relaxed)) {
        *piece = static_cast<std::uint32_t>(count);
        return true;
      }
    }
  }

  std::uint32_t round_ = 0;
  std::vector<Taken> taken_;
};

}  // namespace aibench
