// Hierarchical: a reduce-scatter among the ranks that share a last-level cache, an exchange of partial results between the
// caches, and an all-gather inside each: what crosses from one cache to another is one message per pair of caches, however
// many ranks each serves.
#include <cstring>

#include "collective/algorithm.h"

namespace aibench {
namespace {

constexpr std::size_t kChunkBytes = 128 << 10;
enum Part { kInput, kPartial, kResult, kParts };  // of a staging area

std::size_t smallest_domain(const Communicator& comm) {
  std::size_t size = comm.domains().front().size();
  for (const auto& ranks : comm.domains()) size = ranks.size() < size ? ranks.size() : size;
  return size;
}

void run(Communicator& comm, int rank, const CollectiveCall& call) {
  const std::vector<int>& neighbours = comm.domains()[static_cast<std::size_t>(comm.domain(rank))];
  // As many slices as the smallest domain has ranks, so that each has a rank in every domain.
  const int slices = static_cast<int>(smallest_domain(comm));
  const int index = comm.domain_index(rank);
  const std::size_t chunk_elements = kChunkBytes / call.reduction.element_bytes;
  const void* inputs[kMaxRanks];
  for (std::size_t at = 0; at < call.count; at += chunk_elements) {
    const std::size_t count = call.count - at < chunk_elements ? call.count - at : chunk_elements;
    const Communicator::Chunk chunk = comm.next_chunk(rank, 3);
    const auto part = [&](int of, Part which) { return chunk.staging[of] + which * kChunkBytes; };
    const auto slice = [&](int i) { return line_range(count, call.line_elements(), i, slices); };
    // This rank's slice of what `ranks` have staged as `from`.
    const auto reduce_slice = [&](int ranks, const auto& member, Part from, std::uint32_t tick, Part to) {
      for (int i = 0; i < ranks; ++i) {
        comm.await(rank, member(i), tick);
        inputs[i] = part(member(i), from);
      }
      void* out = part(rank, to);
      call.reduction.reduce(&out, 1, inputs, ranks, slice(index).begin, slice(index).count);
    };

    std::memcpy(part(rank, kInput), call.sent(rank, at), call.bytes(count));
    comm.publish(rank, chunk.first_tick + 1);
    if (index < slices) {
      const auto neighbour = [&](int i) { return neighbours[static_cast<std::size_t>(i)]; };
      reduce_slice(static_cast<int>(neighbours.size()), neighbour, kInput, chunk.first_tick + 1, kPartial);
    }
    comm.publish(rank, chunk.first_tick + 2);
    if (index < slices) {
      const auto peer = [&](int i) { return comm.domains()[static_cast<std::size_t>(i)][static_cast<std::size_t>(index)]; };
      reduce_slice(static_cast<int>(comm.domains().size()), peer, kPartial, chunk.first_tick + 2, kResult);
    }
    comm.publish(rank, chunk.first_tick + 3);
    for (int i = 0; i < slices; ++i) {
      const int owner = neighbours[static_cast<std::size_t>(i)];
      comm.await(rank, owner, chunk.first_tick + 3);
      const ElementRange range = slice(i);
      copy_elements(call, call.received(rank, at + range.begin), part(owner, kResult) + call.bytes(range.begin),
                    range.count, call.streaming);
    }
  }
}

double bytes_on_links(int ranks, int domains, double bytes) {
  return bytes * (2.0 * (ranks - domains) + static_cast<double>(domains) * (domains - 1));
}

}  // namespace

extern const CollectiveAlgorithm kAllreduceHierarchical = {
    Collective::kAllreduce, "hierarchical", false, run, [](int) { return kParts * kChunkBytes; }, bytes_on_links};

}  // namespace aibench
