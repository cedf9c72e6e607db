// What goes into a collective and what must come out of it, by position, so that any rank can make and check any element
// on its own. Values are chosen so that every result is exact in its dtype, in whatever order it is made: outputs are
// compared bit for bit.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "collective/algorithm.h"
#include "core/status.h"

namespace aibench {

class Pattern {
 public:
  // `count` as in CollectiveCall. Fails with BAD_OPTION for more ranks than the dtype can add up exactly.
  static Status make(Collective kind, const std::string& dtype, const std::string& op, int ranks, std::size_t count,
                     std::uint64_t seed, Pattern* pattern);

  // Elements [begin, begin + count) of what `rank` sends.
  void fill(int rank, void* send, std::size_t begin, std::size_t count) const;
  // How many elements of [begin, begin + count) differ from what `rank` sends, or must have received.
  std::uint64_t wrong_sent(int rank, const void* send, std::size_t begin, std::size_t count) const;
  std::uint64_t wrong_received(int rank, const void* receive, std::size_t begin, std::size_t count) const;
  // Writes what no element ever holds.
  void unwrite(void* receive, std::size_t begin, std::size_t count) const;

  // False for the ranks that a ping-pong has no use for.
  bool takes_part(int rank) const { return kind_ != Collective::kPingPong || rank < 2; }
  // Whose time counts: all ranks', but of a ping-pong only that of rank 0, since rank 1 is done when its answer is on its
  // way.
  bool times(int rank) const { return kind_ != Collective::kPingPong || rank == 0; }
  // Rank whose absence shows in element `index` of what `rank` receives.
  int visible_rank(int rank, std::size_t index) const;
  // Makes what `rank` received lack what `absent` sent.
  void leave_out(int absent, int rank, void* receive) const;

 private:
  struct Table;
  template <typename Number>
  friend struct PatternOf;

  // Input element `index` of `rank` as a whole number, never 0.
  int value(int rank, std::size_t index) const;
  // What `rank` receives at `index` when `absent` (-1: none) is left out; `*nothing` when that leaves nothing.
  int result(int rank, std::size_t index, int absent, bool* nothing) const;
  int owner(std::size_t index) const;

  Collective kind_ = Collective::kAllreduce;
  enum { kSum, kMin, kMax } op_ = kSum;
  int ranks_ = 1;
  std::size_t count_ = 0;
  std::size_t block_ = 0;
  std::uint64_t seed_ = 0;
  int magnitude_ = 1;
  const Table* table_ = nullptr;
};

}  // namespace aibench
