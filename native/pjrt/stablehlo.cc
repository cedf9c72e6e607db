#include "pjrt/stablehlo.h"

namespace aibench::pjrt {
namespace {

std::string tensor(const std::vector<std::uint64_t>& dimensions, Element element) {
  std::string text = "tensor<";
  for (const std::uint64_t dimension : dimensions) text += std::to_string(dimension) + "x";
  return text + element_text(element) + ">";
}

// Protocol buffers: https://protobuf.dev/programming-guides/encoding/
std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(0x80 | (value & 0x7f));
  return bytes + static_cast<char>(value);
}
std::string number_field(int field, std::uint64_t value) { return varint(static_cast<std::uint64_t>(field) << 3) + varint(value); }
std::string bytes_field(int field, const std::string& bytes) {
  return varint(static_cast<std::uint64_t>(field) << 3 | 2) + varint(bytes.size()) + bytes;
}

}  // namespace

const char* element_text(Element element) {
  switch (element) {
    case Element::kF64: return "f64";
    case Element::kF32: return "f32";
    case Element::kF16: return "f16";
    default: return "bf16";
  }
}

std::string product_program(Element element, std::uint64_t m, std::uint64_t n, std::uint64_t k) {
  const std::string a = tensor({m, k}, element), b = tensor({k, n}, element), c = tensor({m, n}, element);
  const char* precision = element == Element::kF32 || element == Element::kF64 ? "HIGHEST" : "DEFAULT";
  return "module @product {\n  func.func public @main(%a: " + a + ", %b: " + b + ") -> " + c +
         " {\n    %c = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0], precision = [" + precision + ", " + precision + "] : (" + a + ", " + b +
         ") -> " + c + "\n    return %c : " + c + "\n  }\n}\n";
}

std::string all_reduce_program(Element element, std::uint64_t count, std::size_t replicas) {
  const std::string x = tensor({count}, element), one = tensor({}, element);
  std::string group;
  for (std::size_t i = 0; i < replicas; ++i) group += (i == 0 ? "" : ", ") + std::to_string(i);
  return "module @all_reduce attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = " + std::to_string(replicas) +
         " : i32} {\n  func.func public @main(%x: " + x + ") -> " + x + " {\n    %y = \"stablehlo.all_reduce\"(%x) ({\n    ^bb0(%p: " + one + ", %q: " + one +
         "):\n      %s = stablehlo.add %p, %q : " + one + "\n      stablehlo.return %s : " + one + "\n    }) {replica_groups = dense<[[" + group +
         "]]> : tensor<1x" + std::to_string(replicas) + "xi64>} : (" + x + ") -> " + x + "\n    return %y : " + x + "\n  }\n}\n";
}

std::string compile_options(const std::vector<int>& device_ids) {
  // DeviceAssignmentProto: replica_count, computation_count, and the one computation's devices.
  std::string ids;
  for (const int id : device_ids) ids += varint(static_cast<std::uint64_t>(id));
  const std::string assignment = number_field(1, device_ids.size()) + number_field(2, 1) + bytes_field(3, bytes_field(1, ids));
  // ExecutableBuildOptionsProto: device_ordinal (-1: not set), num_replicas, num_partitions, device_assignment.
  const std::string build = number_field(1, ~std::uint64_t{0}) + number_field(4, device_ids.size()) + number_field(5, 1) + bytes_field(9, assignment);
  return bytes_field(3, build);
}

}  // namespace aibench::pjrt
