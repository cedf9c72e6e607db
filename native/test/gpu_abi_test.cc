// The rows of gpu/driver_calls.inc and the numbers of gpu/vendor.cc against cuda.h, at compile time, where that header is
// installed (CMake looks in the usual places; it is never needed to build aibench).
#include <cstdio>
#include <type_traits>

#include "gpu/driver.h"

#ifdef AIBENCH_HAVE_CUDA_H
#include <cuda.h>
#include <library_types.h>

namespace {

template <typename Ours, typename Theirs>
constexpr bool kSameValue =
    sizeof(Ours) == sizeof(Theirs) && (std::is_pointer_v<Ours> == std::is_pointer_v<Theirs> || std::is_same_v<Theirs, CUcontext>);

template <typename Ours, typename Theirs>
struct SameCall : std::false_type {};
template <typename... Ours, typename Code, typename... Theirs>
  requires(sizeof...(Ours) == sizeof...(Theirs))
struct SameCall<int(Ours...), Code(Theirs...)> : std::bool_constant<(kSameValue<Ours, Theirs> && ...)> {};

using aibench::gpu::DevicePointer, aibench::gpu::Event, aibench::gpu::Graph, aibench::gpu::Place, aibench::gpu::Stream, aibench::gpu::Uuid;
#define AIBENCH_GPU_CALL(member, need, cuda, hip, ...) \
  static_assert(SameCall<int(__VA_ARGS__), std::remove_pointer_t<decltype(&cuda)>>::value, #cuda);
#include "gpu/driver_calls.inc"
#undef AIBENCH_GPU_CALL
// The check itself: a parameter too few, another size, a number for a pointer.
static_assert(!SameCall<int(unsigned), std::remove_pointer_t<decltype(&cuDeviceGet)>>::value);
static_assert(!SameCall<int(int*, long), std::remove_pointer_t<decltype(&cuDeviceGet)>>::value);
static_assert(!SameCall<int(long, int), std::remove_pointer_t<decltype(&cuDeviceGet)>>::value);
static_assert(sizeof(Uuid) == sizeof(CUuuid));

static_assert(+aibench::gpu::kR32F == +CUDA_R_32F && +aibench::gpu::kR64F == +CUDA_R_64F && +aibench::gpu::kR16F == +CUDA_R_16F);
static_assert(+aibench::gpu::kR8I == +CUDA_R_8I && +aibench::gpu::kR32I == +CUDA_R_32I && +aibench::gpu::kR16BF == +CUDA_R_16BF);
#if CUDA_VERSION >= 12080
static_assert(+aibench::gpu::kR8F_UE8M0 == +CUDA_R_8F_UE8M0 && +aibench::gpu::kR4F_E2M1 == +CUDA_R_4F_E2M1 && +CUDA_R_8F_UE4M3 == +CUDA_R_8F_E4M3);
#endif
static_assert(+aibench::gpu::kR8F_E4M3 == +CUDA_R_8F_E4M3 && +aibench::gpu::kR8F_E5M2 == +CUDA_R_8F_E5M2);

}  // namespace

int main() {
  const aibench::gpu::Attributes& ours = aibench::gpu::find_vendor("cuda")->attributes;
  const bool same = ours.multiprocessors == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT && ours.clock_khz == CU_DEVICE_ATTRIBUTE_CLOCK_RATE &&
                    ours.memory_clock_khz == CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE &&
                    ours.bus_width == CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH && ours.l2_bytes == CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE &&
                    ours.major == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR && ours.minor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR &&
                    ours.integrated == CU_DEVICE_ATTRIBUTE_INTEGRATED && ours.ecc == CU_DEVICE_ATTRIBUTE_ECC_ENABLED;
  std::printf("%s: the numbers of device attributes\n", same ? "ok" : "WRONG");
  return same ? 0 : 1;
}
#else
int main() {
  std::puts("not compared: there is no cuda.h on this machine");
  return 0;
}
#endif
