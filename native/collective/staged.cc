// Staged: ranks see only their own buffers. A message goes through the ranks' staging areas chunk by chunk, small enough to
// stay in the cache: each rank lays out what others need, takes what it needs itself, and the next chunk uses the other
// area. docs/collectives.md counts the bytes; allreduce has a file of its own, staged_allreduce.cc.
#include <cstring>

#include "collective/algorithm.h"

namespace aibench {
namespace {

constexpr std::size_t kChunkBytes = 128 << 10;

std::size_t chunk_elements(const CollectiveCall& call) { return kChunkBytes / call.reduction.element_bytes; }
std::size_t smaller(std::size_t a, std::size_t b) { return a < b ? a : b; }

// The walk that all of them share: each rank stages its part of a chunk, waits until all have, and takes what it needs. Who
// has seen everybody's next chunk staged knows that this one has been taken, and may write its area again.
template <typename Stage, typename Take>
void exchange(Communicator& comm, int rank, std::size_t total, std::size_t step, Stage&& stage, Take&& take) {
  for (std::size_t at = 0; at < total; at += step) {
    const std::size_t count = smaller(total - at, step);
    const Communicator::Chunk chunk = comm.next_chunk(rank, 1);
    stage(chunk.staging[rank], at, count);
    comm.publish(rank, chunk.first_tick + 1);
    for (int other = 0; other < comm.ranks(); ++other) comm.await(rank, other, chunk.first_tick + 1);
    take(chunk.staging, at, count);
  }
}

// Elements of each of a rank's blocks that fit in an area together.
std::size_t block_chunk(const CollectiveCall& call, int ranks) {
  const std::size_t share = 2 * kChunkBytes / static_cast<std::size_t>(ranks) / kLineBytes * kLineBytes;
  return (share < kLineBytes ? kLineBytes : share) / call.reduction.element_bytes;
}

// Stages the same part of every block, one after the other; returns where block `b` lies in an area.
auto stage_blocks(const CollectiveCall& call, int rank, int ranks, std::size_t block, std::size_t step) {
  return [&call, rank, ranks, block, step](char* area, std::size_t at, std::size_t count) {
    for (int b = 0; b < ranks; ++b) {
      if (b == rank) continue;
      const auto index = static_cast<std::size_t>(b);
      std::memcpy(area + call.bytes(index * step), call.sent(rank, index * block + at), call.bytes(count));
    }
  };
}

void reduce_scatter(Communicator& comm, int rank, const CollectiveCall& call) {
  const int n = comm.ranks();
  const std::size_t block = call.count / static_cast<std::size_t>(n), step = block_chunk(call, n);
  const auto own = static_cast<std::size_t>(rank);
  const void* inputs[kMaxRanks];
  exchange(comm, rank, block, step, stage_blocks(call, rank, n, block, step),
           [&](char* const* areas, std::size_t at, std::size_t count) {
             for (int other = 0; other < n; ++other) {
               inputs[other] = other == rank ? call.sent(rank, own * block + at) : areas[other] + call.bytes(own * step);
             }
             void* out = call.received(rank, at);
             reducer(call, out)(&out, 1, inputs, n, 0, count);
           });
}

void all_gather(Communicator& comm, int rank, const CollectiveCall& call) {
  const int n = comm.ranks();
  const std::size_t block = call.count / static_cast<std::size_t>(n);
  exchange(
      comm, rank, block, chunk_elements(call),
      [&](char* area, std::size_t at, std::size_t count) {
        std::memcpy(area, call.sent(rank, at), call.bytes(count));
      },
      [&](char* const* areas, std::size_t at, std::size_t count) {
        for (int step = 0; step < n; ++step) {
          const int other = (rank + step) % n;
          const void* from = other == rank ? static_cast<const void*>(call.sent(rank, at)) : areas[other];
          copy_elements(call, call.received(rank, static_cast<std::size_t>(other) * block + at), from, count,
                        call.streaming);
        }
      });
}

void broadcast(Communicator& comm, int rank, const CollectiveCall& call) {
  exchange(
      comm, rank, call.count, chunk_elements(call),
      [&](char* area, std::size_t at, std::size_t count) {
        if (rank == 0) std::memcpy(area, call.sent(0, at), call.bytes(count));
      },
      [&](char* const* areas, std::size_t at, std::size_t count) {
        const void* from = rank == 0 ? static_cast<const void*>(call.sent(0, at)) : areas[0];
        copy_elements(call, call.received(rank, at), from, count, call.streaming);
      });
}

void all_to_all(Communicator& comm, int rank, const CollectiveCall& call) {
  const int n = comm.ranks();
  const std::size_t block = call.count / static_cast<std::size_t>(n), step = block_chunk(call, n);
  const auto own = static_cast<std::size_t>(rank);
  exchange(comm, rank, block, step, stage_blocks(call, rank, n, block, step),
           [&](char* const* areas, std::size_t at, std::size_t count) {
             for (int i = 0; i < n; ++i) {
               const int other = (rank + i) % n;
               const void* from = other == rank ? static_cast<const void*>(call.sent(rank, own * block + at))
                                                : areas[other] + call.bytes(own * step);
               copy_elements(call, call.received(rank, static_cast<std::size_t>(other) * block + at), from, count,
                             call.streaming);
             }
           });
}

void shift(Communicator& comm, int rank, const CollectiveCall& call) {
  const int left = (rank + comm.ranks() - 1) % comm.ranks();
  exchange(
      comm, rank, call.count, chunk_elements(call),
      [&](char* area, std::size_t at, std::size_t count) { std::memcpy(area, call.sent(rank, at), call.bytes(count)); },
      [&](char* const* areas, std::size_t at, std::size_t count) {
        copy_elements(call, call.received(rank, at), areas[left], count, call.streaming);
      });
}

// One way: rank `from` stages chunk after chunk, rank `to` fetches them, at most two behind.
void send_one_way(Communicator& comm, int rank, int from, int to, const CollectiveCall& call) {
  for (std::size_t at = 0; at < call.count; at += chunk_elements(call)) {
    const std::size_t count = smaller(call.count - at, chunk_elements(call));
    const Communicator::Chunk chunk = comm.next_chunk(rank, 1);
    if (rank == from) {
      // The chunk before the last lay in this area; its tick from the reader says that it has been fetched.
      comm.await(rank, to, chunk.first_tick - 1);
      std::memcpy(chunk.staging[from], call.sent(from, at), call.bytes(count));
      comm.publish(rank, chunk.first_tick + 1);
    } else {
      comm.await(rank, from, chunk.first_tick + 1);
      copy_elements(call, call.received(to, at), chunk.staging[from], count, call.streaming);
      comm.publish(rank, chunk.first_tick + 1);
    }
  }
}

void ping_pong(Communicator& comm, int rank, const CollectiveCall& call) {
  if (rank > 1) return;
  send_one_way(comm, rank, 0, 1, call);
  send_one_way(comm, rank, 1, 0, call);
}

// With very many ranks a line of each block.
std::size_t staging(int ranks) {
  const std::size_t lines = static_cast<std::size_t>(ranks) * kLineBytes;
  return 2 * kChunkBytes < lines ? lines : 2 * kChunkBytes;
}

double blocks_from_others(int ranks, int, double bytes) { return bytes * (ranks - 1); }
double one_each(int ranks, int, double bytes) { return bytes * ranks; }
double there_and_back(int, int, double bytes) { return 2 * bytes; }

}  // namespace

extern const CollectiveAlgorithm kReduceScatterStaged = {
    Collective::kReduceScatter, "staged", false, reduce_scatter, staging, blocks_from_others};
extern const CollectiveAlgorithm kAllGatherStaged = {
    Collective::kAllGather, "staged", false, all_gather, staging, blocks_from_others};
extern const CollectiveAlgorithm kBroadcastStaged = {
    Collective::kBroadcast, "staged", false, broadcast, staging, blocks_from_others};
extern const CollectiveAlgorithm kAllToAllStaged = {
    Collective::kAllToAll, "staged", false, all_to_all, staging, blocks_from_others};
extern const CollectiveAlgorithm kShiftStaged = {Collective::kShift, "staged", false, shift, staging, one_each};
extern const CollectiveAlgorithm kPingPongStaged = {
    Collective::kPingPong, "staged", false, ping_pong, staging, there_and_back};

}  // namespace aibench
