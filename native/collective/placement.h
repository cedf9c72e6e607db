// Where the ranks sit: hypervisors and schedulers move CPUs between cache domains, and what a collective costs moves
// with them.
#pragma once
#include "core/thread_team.h"

namespace aibench {

// Seconds that a cache line takes from the CPU of member 0 to that of member 1: half of the fastest round trip of a
// flag, over at most some 20 milliseconds. 0 with fewer than two members, or when they must share a CPU.
double one_way_seconds(ThreadTeam& team);

}  // namespace aibench
