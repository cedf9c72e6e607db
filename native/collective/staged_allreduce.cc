// Staged allreduce: ranks see only their own buffers. A message goes through the ranks' staging areas in pieces, three of them
// under way at a time: while one is fetched the next is reduced and the one after that laid out, so that no rank waits for a flag
// that was set just now. docs/collectives.md counts the bytes.
#include <cstring>

#include "collective/algorithm.h"

namespace aibench {
namespace {

constexpr std::size_t kSlots = 4;
constexpr std::size_t kLarge = 2 << 20;

// Measured on Zen 3 with two ranks: pieces that leave the second cache for the third before they are read again are faster than
// smaller ones, whose lines have to be taken out of the other core.
std::size_t largest_piece(int ranks) {
  return ranks == 2 ? std::size_t{512} << 10 : ranks <= 4 ? std::size_t{256} << 10 : ranks <= 16 ? std::size_t{128} << 10 : std::size_t{64} << 10;
}

// One call at one rank. Every rank goes through S0, S1 R0, S2 R1 F0, S3 R2 F1, ...: piece k is staged (S), reduced (R) when all
// have staged it, and fetched (F) when all have reduced it.
//
// Why three slots are enough (there are four, two in each staging area): S(k+3) comes after F(k), which has seen R(k) of all, so
// that nobody reads what S(k) laid out any more; R(k+3) has seen S(k+3) of all, which each does after its own F(k), so that nobody
// reads what R(k) left. Pieces are counted through from call to call.
class StagedCall {
 public:
  StagedCall(Communicator& comm, int rank, const CollectiveCall& call)
      : comm_(comm), rank_(rank), n_(comm.ranks()), call_(call), slot_bytes_(largest_piece(n_)),
        piece_(slot_bytes_ / (call.bytes(call.count) < kLarge ? 2 : 1) / call.reduction.element_bytes),
        pieces_((call.count + piece_ - 1) / piece_),
        walk_(comm.next_walk(rank, 2 * static_cast<std::uint32_t>(pieces_) + 2, static_cast<std::uint32_t>(pieces_))) {}

  void run() {
    for (std::size_t k = 0; k < pieces_ + 2; ++k) {
      if (k < pieces_) stage(k);
      if (k >= 1 && k - 1 < pieces_) reduce(k - 1);
      if (k >= 2) fetch(k - 2);
    }
  }

 private:
  // In the order of the walk, so that one counter per rank tells both.
  std::uint32_t staged_tick(std::size_t k) const { return walk_.first_tick + 2 * static_cast<std::uint32_t>(k) + 1; }
  std::uint32_t reduced_tick(std::size_t k) const { return walk_.first_tick + 2 * static_cast<std::uint32_t>(k) + 4; }

  std::size_t begin(std::size_t k) const { return k * piece_; }
  std::size_t count(std::size_t k) const { return call_.count - begin(k) < piece_ ? call_.count - begin(k) : piece_; }
  ElementRange share(std::size_t k, int of) const { return line_range(count(k), call_.line_elements(), of, n_); }
  char* laid_out(int of, std::size_t k) const {
    const std::uint32_t chunk = walk_.first_chunk + static_cast<std::uint32_t>(k);
    return comm_.staging(of, chunk) + (chunk / 2) % (kSlots / 2) * 2 * slot_bytes_;
  }
  char* finished(int of, std::size_t k) const { return laid_out(of, k) + slot_bytes_; }

  void stage(std::size_t k) {
    for (int step = 1; step < n_; ++step) {
      const ElementRange others = share(k, (rank_ + step) % n_);
      std::memcpy(laid_out(rank_, k) + call_.bytes(others.begin), call_.sent(rank_, begin(k) + others.begin), call_.bytes(others.count));
    }
    comm_.publish(rank_, staged_tick(k));
  }

  void reduce(std::size_t k) {
    const ElementRange own = share(k, rank_);
    const void* inputs[kMaxRanks];
    for (int other = 0; other < n_; ++other) {
      if (other != rank_) comm_.await(rank_, other, staged_tick(k));
      inputs[other] = other == rank_ ? call_.sent(rank_, begin(k)) : laid_out(other, k);
    }
    char* received = call_.received(rank_, begin(k));
    void* outputs[] = {finished(rank_, k), received};
    // Around the caches it goes in a second step: one loop cannot store in both ways. So it does where there is one piece alone,
    // since it then fills the time until the others have reduced theirs.
    const bool at_once = !call_.streaming && pieces_ > 1;
    call_.reduction.reduce(outputs, at_once ? 2 : 1, inputs, n_, own.begin, own.count);
    comm_.publish(rank_, reduced_tick(k));
    if (at_once) return;
    copy_elements(call_, received + call_.bytes(own.begin), finished(rank_, k) + call_.bytes(own.begin), own.count, call_.streaming);
  }

  void fetch(std::size_t k) {
    for (int step = 1; step < n_; ++step) {
      const int other = (rank_ + step) % n_;
      const ElementRange theirs = share(k, other);
      comm_.await(rank_, other, reduced_tick(k));
      copy_elements(call_, call_.received(rank_, begin(k) + theirs.begin), finished(other, k) + call_.bytes(theirs.begin), theirs.count,
                    call_.streaming);
    }
  }

  Communicator& comm_;
  const int rank_, n_;
  const CollectiveCall& call_;
  const std::size_t slot_bytes_;
  const std::size_t piece_, pieces_;  // elements, and how many
  const Communicator::Walk walk_;
};

void allreduce(Communicator& comm, int rank, const CollectiveCall& call) { StagedCall(comm, rank, call).run(); }

}  // namespace

extern const CollectiveAlgorithm kAllreduceStaged = {
    Collective::kAllreduce, "staged", false, allreduce,
    [](int ranks) -> std::size_t { return kSlots / 2 * 2 * largest_piece(ranks); },
    [](int ranks, int, double bytes) { return 2.0 * bytes * (ranks - 1); }};

}  // namespace aibench
