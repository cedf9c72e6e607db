// Algorithms over a hypercube of ranks: the largest power of two of them, and the ranks that are left over.
#pragma once

namespace aibench {

// Ranks 0 ... size - 1 form the cube; rank size + i hands its input to rank i first and gets the result from it last.
struct Hypercube {
  explicit Hypercube(int ranks) {
    while (size * 2 <= ranks) {
      size *= 2;
      ++dimensions;
    }
    extras = ranks - size;
  }
  bool is_extra(int rank) const { return rank >= size; }
  bool has_extra(int rank) const { return rank < extras; }

  int size = 1;
  int dimensions = 0;
  int extras = 0;
};

}  // namespace aibench
