// Combining: of the ranks that share a CPU the last one that comes to the call does the work of all of them, so that a call
// costs each CPU one switch per rank beyond the first, and no more. Between CPUs as in `direct`: each CPU reduces its slice of
// all inputs into all outputs between two barriers.
#include "collective/algorithm.h"

namespace aibench {
namespace {

void allreduce(Communicator& comm, int rank, const CollectiveCall& call) {
  if (!comm.come_to_cpu(rank)) return;
  const ElementRange slice = line_range(call.count, call.line_elements(), comm.cpu(rank), comm.cpus());
  comm.cpu_barrier(rank);  // every input is ready, every output may be written
  reducer(call, call.receive[0])(call.receive, comm.ranks(), call.send, comm.ranks(), slice.begin, slice.count);
  comm.cpu_barrier(rank);  // every slice is written, no input is read any more
  comm.leave_cpu(rank);
}

}  // namespace

extern const CollectiveAlgorithm kAllreduceCombining = {
    Collective::kAllreduce, "combining", true, allreduce, [](int) -> std::size_t { return 0; },
    [](int ranks, int, double bytes) { return 2.0 * bytes * (ranks - 1); }};

}  // namespace aibench
