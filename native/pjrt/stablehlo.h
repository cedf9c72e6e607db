// The programs that are sent to a plugin, as StableHLO text (https://openxla.org/stablehlo/spec), and how they are to be compiled.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "device/element.h"

namespace aibench::pjrt {

// "f32", "bf16"
const char* element_text(Element element);

// C = A * B: main(A: m x k, B: k x n) -> m x n. f32 and f64 ask for the highest precision: without it a TPU multiplies f32 in bf16 and a GPU
// in tf32.
std::string product_program(Element element, std::uint64_t m, std::uint64_t n, std::uint64_t k);

// main(x: count) -> the sums over all replicas.
std::string all_reduce_program(Element element, std::uint64_t count, std::size_t replicas);

// A CompileOptionsProto (xla/pjrt/proto/compile_options.proto): one replica on each of these devices, one partition.
std::string compile_options(const std::vector<int>& device_ids);

}  // namespace aibench::pjrt
