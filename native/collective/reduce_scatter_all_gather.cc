// Reduce-scatter by recursive halving, then all-gather by recursive doubling (Rabenseifner 2004): log2(ranks) steps each,
// and no more bytes than a ring. Ranks beyond the largest power of two are folded in before and served after.
#include <cstring>

#include "collective/algorithm.h"
#include "collective/hypercube.h"

namespace aibench {
namespace {

constexpr std::size_t kChunkBytes = 256 << 10;
constexpr int kMaxDimensions = 16;

// The range of a chunk that a rank and its partner share in one step, and how the two divide it.
struct Halves {
  ElementRange kept;
  ElementRange given;
};

Halves halve(const ElementRange& range, std::size_t line_elements, bool keep_upper) {
  const ElementRange low = line_range(range.count, line_elements, 0, 2);
  const ElementRange lower{range.begin, low.count};
  const ElementRange upper{range.begin + low.count, range.count - low.count};
  return keep_upper ? Halves{upper, lower} : Halves{lower, upper};
}

void serve_as_extra(Communicator& comm, int rank, int partner, const CollectiveCall& call,
                    const Communicator::Chunk& chunk, std::size_t at, std::size_t count, std::uint32_t last_tick) {
  std::memcpy(chunk.staging[rank], call.sent(rank, at), call.bytes(count));
  comm.publish(rank, chunk.first_tick + 1);
  comm.await(rank, partner, last_tick);
  std::memcpy(call.received(rank, at), chunk.staging[partner], call.bytes(count));
}

void run(Communicator& comm, int rank, const CollectiveCall& call) {
  const Hypercube cube(comm.ranks());
  const int steps = cube.dimensions;
  const std::size_t line = call.line_elements();
  const std::size_t chunk_elements = kChunkBytes / call.reduction.element_bytes;
  for (std::size_t at = 0; at < call.count; at += chunk_elements) {
    const std::size_t count = call.count - at < chunk_elements ? call.count - at : chunk_elements;
    const auto ticks = static_cast<std::uint32_t>(2 * steps + 1);
    const Communicator::Chunk chunk = comm.next_chunk(rank, ticks);
    std::uint32_t tick = chunk.first_tick;
    if (cube.is_extra(rank)) {
      serve_as_extra(comm, rank, rank - cube.size, call, chunk, at, count, tick + ticks);
      continue;
    }

    const auto staged = [&](int of, std::size_t element) { return chunk.staging[of] + call.bytes(element); };
    Halves halves[kMaxDimensions];
    ElementRange range{0, count};
    for (int step = 0; step < steps; ++step) {
      halves[step] = halve(range, line, (rank & (cube.size >> (step + 1))) != 0);
      range = halves[step].kept;
    }

    // Only the half that the first partner takes has to be staged; the half that is kept is read from the input.
    const bool has_extra = cube.has_extra(rank);
    if (has_extra) {
      comm.await(rank, rank + cube.size, tick + 1);
      call.reduction.combine(staged(rank, 0), call.sent(rank, at), staged(rank + cube.size, 0), count);
    } else {
      const ElementRange& given = halves[0].given;
      std::memcpy(staged(rank, given.begin), call.sent(rank, at + given.begin), call.bytes(given.count));
    }
    comm.publish(rank, ++tick);
    for (int step = 0; step < steps; ++step) {
      const int partner = rank ^ (cube.size >> (step + 1));
      const ElementRange& kept = halves[step].kept;
      const char* mine = step == 0 && !has_extra ? call.sent(rank, at + kept.begin) : staged(rank, kept.begin);
      comm.await(rank, partner, tick);
      const char* theirs = staged(partner, kept.begin);
      call.reduction.combine(staged(rank, kept.begin), rank < partner ? mine : theirs, rank < partner ? theirs : mine,
                             kept.count);
      comm.publish(rank, ++tick);
    }
    std::memcpy(call.received(rank, at + range.begin), staged(rank, range.begin), call.bytes(range.count));
    for (int step = steps - 1; step >= 0; --step) {
      const int partner = rank ^ (cube.size >> (step + 1));
      const ElementRange& other = halves[step].given;
      comm.await(rank, partner, tick);
      std::memcpy(call.received(rank, at + other.begin), staged(partner, other.begin), call.bytes(other.count));
      if (step > 0 || has_extra) {
        std::memcpy(staged(rank, other.begin), staged(partner, other.begin), call.bytes(other.count));
      }
      comm.publish(rank, ++tick);
    }
  }
}

double bytes_on_links(int ranks, int, double bytes) {
  const Hypercube cube(ranks);
  return 2.0 * bytes * (cube.size - 1 + cube.extras);
}

}  // namespace

extern const CollectiveAlgorithm kAllreduceReduceScatterAllGather = {
    Collective::kAllreduce, "reduce-scatter-all-gather", false, run, [](int) { return kChunkBytes; }, bytes_on_links};

}  // namespace aibench
