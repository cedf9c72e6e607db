// Direct: each rank reduces its slice of all inputs and writes it into all outputs, between two barriers. Every byte is
// read once and written once, as in a plain copy; it needs every rank to see every other's buffers.
#include "collective/algorithm.h"

namespace aibench {
namespace {

void run(Communicator& comm, int rank, const AllreduceCall& call) {
  const ElementRange slice = line_range(call.count, call.line_elements(), rank, comm.ranks());
  comm.barrier(rank);  // every input is ready, every output may be written
  const auto reduce = call.streaming ? call.reduction.reduce_to_all_streaming : call.reduction.reduce_to_all;
  reduce(call.receive, call.send, comm.ranks(), slice.begin, slice.count);
  comm.barrier(rank);  // every slice is written, no input is read any more
}

}  // namespace

extern const AllreduceAlgorithm kAllreduceDirect = {
    "direct", run, [](int) -> std::size_t { return 0; },
    [](int ranks, double bytes) { return 2.0 * bytes * (ranks - 1); }};

}  // namespace aibench
