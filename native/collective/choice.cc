// Which algorithm runs when the case does not say. The numbers are what bench:collectives and `aibench tune` measured on
// a Zen 3 guest with two CPUs on one L3; `aibench tune` measures them anew and the workload then names an algorithm itself.
#include "collective/algorithm.h"

namespace aibench {
namespace {

struct Choice {
  Collective kind;
  bool shared_buffers;
  // Up to so many bytes read by each rank from others if each reads everything.
  std::size_t up_to;
  const char* algorithm;
};

constexpr std::size_t kAny = ~std::size_t{0};
constexpr Choice kChoices[] = {
    {Collective::kAllreduce, true, 128, "mailbox"},
    {Collective::kAllreduce, true, kAny, "direct"},
    {Collective::kAllreduce, false, 4096, "mailbox"},
    {Collective::kAllreduce, false, kAny, "staged"},
};

}  // namespace

const CollectiveAlgorithm& choose_collective_algorithm(Collective kind, std::size_t bytes, int ranks,
                                                       bool shared_buffers, bool oversubscribed) {
  // Ranks that share a CPU pay a context switch for each time they wait for all: combining waits once, at any size; of those for
  // private buffers the mailbox does, the others twice.
  if (kind == Collective::kAllreduce && oversubscribed && shared_buffers) return *find_collective_algorithm(kind, "combining");
  constexpr std::size_t kCrowdedMailboxBytes = 48 << 10;
  const std::size_t read = bytes * static_cast<std::size_t>(ranks > 1 ? ranks - 1 : 1);
  if (kind == Collective::kAllreduce && oversubscribed && read <= kCrowdedMailboxBytes) {
    return *find_collective_algorithm(kind, "mailbox");
  }
  for (const Choice& choice : kChoices) {
    if (choice.kind == kind && choice.shared_buffers == shared_buffers && read <= choice.up_to) {
      return *find_collective_algorithm(kind, choice.algorithm);
    }
  }
  return *find_collective_algorithm(kind, shared_buffers ? "direct" : "staged");
}

}  // namespace aibench
