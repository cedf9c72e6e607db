// Direct: ranks see each other's buffers. Between two barriers each rank reads from all inputs what it needs and writes it
// where it belongs: every byte is read once and written once, as in a plain copy.
#include "collective/algorithm.h"

namespace aibench {
namespace {

void reduce(const CollectiveCall& call, void* const* outputs, int output_count, const void* const* inputs, int ranks,
            const ElementRange& range) {
  reducer(call, outputs[0])(outputs, output_count, inputs, ranks, range.begin, range.count);
}

// Each rank reduces its slice of all inputs into all outputs.
void allreduce(Communicator& comm, int rank, const CollectiveCall& call) {
  const ElementRange slice = line_range(call.count, call.line_elements(), rank, comm.ranks());
  comm.barrier(rank);  // every input is ready, every output may be written
  reduce(call, call.receive, comm.ranks(), call.send, comm.ranks(), slice);
  comm.barrier(rank);  // every slice is written, no input is read any more
}

// Each rank reduces its block of all inputs into its output.
void reduce_scatter(Communicator& comm, int rank, const CollectiveCall& call) {
  const std::size_t block = call.count / static_cast<std::size_t>(comm.ranks());
  const void* inputs[kMaxRanks];
  for (int other = 0; other < comm.ranks(); ++other) {
    inputs[other] = call.sent(other, static_cast<std::size_t>(rank) * block);
  }
  comm.barrier(rank);
  reduce(call, &call.receive[rank], 1, inputs, comm.ranks(), {0, block});
  comm.barrier(rank);
}

void all_gather(Communicator& comm, int rank, const CollectiveCall& call) {
  const std::size_t block = call.count / static_cast<std::size_t>(comm.ranks());
  comm.barrier(rank);
  for (int step = 0; step < comm.ranks(); ++step) {
    const int other = (rank + step) % comm.ranks();
    copy_elements(call, call.received(rank, static_cast<std::size_t>(other) * block), call.sent(other, 0), block,
                  call.streaming);
  }
  comm.barrier(rank);
}

void broadcast(Communicator& comm, int rank, const CollectiveCall& call) {
  comm.barrier(rank);
  copy_elements(call, call.received(rank, 0), call.sent(0, 0), call.count, call.streaming);
  comm.barrier(rank);
}

void all_to_all(Communicator& comm, int rank, const CollectiveCall& call) {
  const std::size_t block = call.count / static_cast<std::size_t>(comm.ranks());
  comm.barrier(rank);
  for (int step = 0; step < comm.ranks(); ++step) {
    const int other = (rank + step) % comm.ranks();
    copy_elements(call, call.received(rank, static_cast<std::size_t>(other) * block),
                  call.sent(other, static_cast<std::size_t>(rank) * block), block, call.streaming);
  }
  comm.barrier(rank);
}

void shift(Communicator& comm, int rank, const CollectiveCall& call) {
  const int left = (rank + comm.ranks() - 1) % comm.ranks();
  comm.barrier(rank);
  copy_elements(call, call.received(rank, 0), call.sent(left, 0), call.count, call.streaming);
  comm.barrier(rank);
}

// Rank 1 copies when rank 0 says that the message is ready, and the other way round.
void ping_pong(Communicator& comm, int rank, const CollectiveCall& call) {
  if (rank > 1) return;
  const Communicator::Chunk turn = comm.next_chunk(rank, 2);
  const int other = 1 - rank;
  if (rank == 0) comm.publish(rank, turn.first_tick + 1);
  comm.await(rank, other, turn.first_tick + (rank == 0 ? 2 : 1));
  copy_elements(call, call.received(rank, 0), call.sent(other, 0), call.count, call.streaming);
  comm.publish(rank, turn.first_tick + 2);
}

std::size_t no_staging(int) { return 0; }
double blocks_from_others(int ranks, int, double bytes) { return bytes * (ranks - 1); }
double one_each(int ranks, int, double bytes) { return bytes * ranks; }
double there_and_back(int, int, double bytes) { return 2 * bytes; }

}  // namespace

extern const CollectiveAlgorithm kAllreduceDirect = {
    Collective::kAllreduce, "direct", true, allreduce, no_staging,
    [](int ranks, int, double bytes) { return 2.0 * bytes * (ranks - 1); }};
extern const CollectiveAlgorithm kReduceScatterDirect = {
    Collective::kReduceScatter, "direct", true, reduce_scatter, no_staging, blocks_from_others};
extern const CollectiveAlgorithm kAllGatherDirect = {
    Collective::kAllGather, "direct", true, all_gather, no_staging, blocks_from_others};
extern const CollectiveAlgorithm kBroadcastDirect = {
    Collective::kBroadcast, "direct", true, broadcast, no_staging, blocks_from_others};
extern const CollectiveAlgorithm kAllToAllDirect = {
    Collective::kAllToAll, "direct", true, all_to_all, no_staging, blocks_from_others};
extern const CollectiveAlgorithm kShiftDirect = {Collective::kShift, "direct", true, shift, no_staging, one_each};
extern const CollectiveAlgorithm kPingPongDirect = {
    Collective::kPingPong, "direct", true, ping_pong, no_staging, there_and_back};

}  // namespace aibench
