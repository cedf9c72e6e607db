// Recursive doubling: in step k each rank exchanges its partial result with the rank that differs in bit k. log2(ranks)
// steps of the whole message; ranks beyond the largest power of two are folded in before and served after.
#include <cstring>

#include "collective/algorithm.h"
#include "collective/hypercube.h"

namespace aibench {
namespace {

constexpr std::size_t kChunkBytes = 32 << 10;

// Staging: one slot per partial result (step 0 ... dimensions - 1) and one for the result that an extra rank fetches.
std::size_t staging_bytes(int ranks) {
  return (static_cast<std::size_t>(Hypercube(ranks).dimensions) + 1) * kChunkBytes;
}

void run(Communicator& comm, int rank, const CollectiveCall& call) {
  const Hypercube cube(comm.ranks());
  const auto steps = static_cast<std::uint32_t>(cube.dimensions);
  const std::size_t chunk_elements = kChunkBytes / call.reduction.element_bytes;
  for (std::size_t at = 0; at < call.count; at += chunk_elements) {
    const std::size_t count = call.count - at < chunk_elements ? call.count - at : chunk_elements;
    const Communicator::Chunk chunk = comm.next_chunk(rank, steps + 2);
    const auto slot = [&](int of, std::uint32_t step) { return chunk.staging[of] + step * kChunkBytes; };
    char* out = call.received(rank, at);

    if (cube.is_extra(rank)) {
      const int partner = rank - cube.size;
      std::memcpy(slot(rank, 0), call.sent(rank, at), call.bytes(count));
      comm.publish(rank, chunk.first_tick + 1);
      comm.await(rank, partner, chunk.first_tick + steps + 2);
      std::memcpy(out, slot(partner, steps), call.bytes(count));
      continue;
    }

    if (cube.has_extra(rank)) {
      const int extra = rank + cube.size;
      comm.await(rank, extra, chunk.first_tick + 1);
      call.reduction.combine(slot(rank, 0), call.sent(rank, at), slot(extra, 0), count);
    } else {
      std::memcpy(slot(rank, 0), call.sent(rank, at), call.bytes(count));
    }
    comm.publish(rank, chunk.first_tick + 1);
    for (std::uint32_t step = 0; step < steps; ++step) {
      const int partner = rank ^ (1 << step);
      comm.await(rank, partner, chunk.first_tick + 1 + step);
      // The lower rank's part first, at both ends: the same bits everywhere.
      const char* low = slot(rank < partner ? rank : partner, step);
      const char* high = slot(rank < partner ? partner : rank, step);
      call.reduction.combine(step + 1 < steps ? slot(rank, step + 1) : out, low, high, count);
      comm.publish(rank, chunk.first_tick + 2 + step);
    }
    if (cube.has_extra(rank)) {
      std::memcpy(slot(rank, steps), out, call.bytes(count));
      comm.publish(rank, chunk.first_tick + steps + 2);
    }
  }
}

double bytes_on_links(int ranks, int, double bytes) {
  const Hypercube cube(ranks);
  return bytes * (cube.size * cube.dimensions + 2 * cube.extras);
}

}  // namespace

extern const CollectiveAlgorithm kAllreduceRecursiveDoubling = {Collective::kAllreduce, "recursive-doubling", false, run, staging_bytes,
                                                               bytes_on_links};

}  // namespace aibench
