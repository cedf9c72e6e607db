// Ring: ranks - 1 steps of reduce-scatter and as many of all-gather, each moving one block from the left neighbour. No
// rank ever reads from another than its left neighbour.
#include <cstring>

#include "collective/algorithm.h"

namespace aibench {
namespace {

constexpr std::size_t kChunkBytes = 256 << 10;

void run(Communicator& comm, int rank, const CollectiveCall& call) {
  const int n = comm.ranks();
  const int left = (rank + n - 1) % n;
  const std::size_t chunk_elements = kChunkBytes / call.reduction.element_bytes;
  for (std::size_t at = 0; at < call.count; at += chunk_elements) {
    const std::size_t count = call.count - at < chunk_elements ? call.count - at : chunk_elements;
    const Communicator::Chunk chunk = comm.next_chunk(rank, static_cast<std::uint32_t>(2 * n));
    const auto block = [&](int b) { return line_range(count, call.line_elements(), (b + 2 * n) % n, n); };
    const auto staged = [&](int of, const ElementRange& range) { return chunk.staging[of] + call.bytes(range.begin); };
    std::uint32_t tick = chunk.first_tick;

    const ElementRange own = block(rank);
    std::memcpy(staged(rank, own), call.sent(rank, at + own.begin), call.bytes(own.count));
    comm.publish(rank, ++tick);
    // Reduce-scatter: in step s the partial sum of block rank - s arrives, grows by this rank's part and moves on.
    for (int step = 1; step < n; ++step) {
      const ElementRange range = block(rank - step);
      comm.await(rank, left, tick);
      char* target = staged(rank, range);
      call.reduction.combine(target, staged(left, range), call.sent(rank, at + range.begin), range.count);
      comm.publish(rank, ++tick);
    }
    // All-gather: this rank holds the whole of block rank + 1. A finished block may overwrite the partial sum of it that
    // is staged here: it could only be finished because the right neighbour had read that partial sum.
    const ElementRange finished = block(rank + 1);
    std::memcpy(call.received(rank, at + finished.begin), staged(rank, finished), call.bytes(finished.count));
    for (int step = 1; step < n; ++step) {
      const ElementRange range = block(rank + 1 - step);
      comm.await(rank, left, tick);
      std::memcpy(call.received(rank, at + range.begin), staged(left, range), call.bytes(range.count));
      if (step < n - 1) std::memcpy(staged(rank, range), staged(left, range), call.bytes(range.count));
      comm.publish(rank, ++tick);
    }
  }
}

}  // namespace

extern const CollectiveAlgorithm kAllreduceRing = {
    Collective::kAllreduce, "ring", false, run, [](int) { return kChunkBytes; }, [](int ranks, int, double bytes) { return 2.0 * bytes * (ranks - 1); }};

}  // namespace aibench
