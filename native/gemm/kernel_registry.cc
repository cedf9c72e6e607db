#include "gemm/kernel_registry.h"

#include <type_traits>

namespace aibench {
namespace {

template <typename T, typename Row>
void append_if(std::vector<const Microkernel<T>*>& rows, const Row& row) {
  if constexpr (std::is_same_v<Row, Microkernel<T>>) rows.push_back(&row);
}

template <typename T>
std::vector<const Microkernel<T>*> collect() {
  std::vector<const Microkernel<T>*> rows;
#define AIBENCH_GEMM_KERNEL(dtype, type, shape, path) append_if<T>(rows, gemm_##dtype##_##shape##_##path);
#include "gemm/kernels.inc"
#undef AIBENCH_GEMM_KERNEL
  return rows;
}

template <typename T>
KernelRow describe(const char* dtype, const Microkernel<T>& kernel) {
  return {kernel.name, dtype, kernel.rows, kernel.columns(), kernel.isa};
}

}  // namespace

std::vector<KernelRow> kernel_rows() {
  std::vector<KernelRow> rows;
#define AIBENCH_GEMM_KERNEL(dtype, type, shape, path) rows.push_back(describe(#dtype, gemm_##dtype##_##shape##_##path));
#include "gemm/kernels.inc"
#undef AIBENCH_GEMM_KERNEL
  return rows;
}

template <typename T>
const std::vector<const Microkernel<T>*>& microkernels() {
  static const std::vector<const Microkernel<T>*> rows = collect<T>();
  return rows;
}

template <typename T>
Status choose_microkernel(const std::string& requested, bool narrow_weights, const Microkernel<T>** kernel) {
  std::vector<Isa> built;
  for (const Microkernel<T>* row : microkernels<T>()) built.push_back(row->isa);
  Isa isa;
  Status status = choose_isa(requested, built, &isa);
  if (!status.ok()) return status;
  const Microkernel<T>* chosen = nullptr;
  for (const Microkernel<T>* row : microkernels<T>()) {
    if (row->isa != isa || (row->narrow_weights && !narrow_weights)) continue;
    if (chosen == nullptr || (row->narrow_weights && !chosen->narrow_weights)) chosen = row;
  }
  *kernel = chosen;
  return status;
}

#define AIBENCH_INSTANTIATE(T)                                            \
  template const std::vector<const Microkernel<T>*>& microkernels<T>();   \
  template Status choose_microkernel<T>(const std::string&, bool, const Microkernel<T>**);
AIBENCH_INSTANTIATE(float)
AIBENCH_INSTANTIATE(double)
AIBENCH_INSTANTIATE(Bf16)
AIBENCH_INSTANTIATE(F16)
AIBENCH_INSTANTIATE(std::int8_t)
AIBENCH_INSTANTIATE(std::uint8_t)
#undef AIBENCH_INSTANTIATE

}  // namespace aibench
