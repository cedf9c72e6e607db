// Cutting things into parts.
#pragma once
#include <algorithm>
#include <cstddef>

namespace aibench {

// Part i of `count` things cut into `parts` nearly equal pieces starts here.
inline std::size_t cut(std::size_t count, std::size_t parts, std::size_t i) { return count * i / parts; }

// `count` things in `parts` nearly equal pieces, the larger ones first, without a division per piece; or, `full`, in pieces of
// `most` and a smaller last one.
struct Pieces {
  std::size_t parts, small, larger, missing = 0;
  Pieces(std::size_t count, std::size_t most, bool full = false) : parts((count + most - 1) / most) {
    small = full ? most : count / parts;
    larger = full ? 0 : count % parts;
    if (full) missing = parts * most - count;
  }
  std::size_t begin(std::size_t i) const { return i * small + std::min(i, larger); }
  // How many pieces from the i-th on are as large as that one (with `full`, at least one).
  std::size_t alike(std::size_t i) const { return missing != 0 ? 1 : i < larger ? larger - i : parts - i; }
  std::size_t size(std::size_t i) const { return small + (i < larger ? 1 : 0) - (i + 1 == parts ? missing : 0); }
};

}  // namespace aibench
