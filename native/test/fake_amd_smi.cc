// A stand-in for libamd_smi.so (fake_script.h): `init E34`, `sockets 2` (one processor each), `energy0 1000000 E2` counts
// of device 0, `resolution 15.3`, `bdf0 49408`: PCI address of device 0 as a number (0000:c1:00.0).
#include <cstdint>

#include "fake_script.h"

namespace {
std::size_t index_of(void* handle) { return reinterpret_cast<std::size_t>(handle) - 1; }
}  // namespace

extern "C" {

int amdsmi_init(std::uint64_t flags) {
  fake::load(reinterpret_cast<void*>(&amdsmi_init));
  FAKE_TOLD(amdsmi_init);
  double nothing = 0;
  return flags == 2 ? fake::play("init", &nothing, 0) : 1;
}
int amdsmi_shut_down() {
  FAKE_TOLD(amdsmi_shut_down);
  return 0;
}
int amdsmi_get_socket_handles(std::uint32_t* count, void** sockets) {
  FAKE_TOLD(amdsmi_get_socket_handles);
  const auto there = static_cast<std::uint32_t>(fake::number("sockets", 1));
  if (sockets == nullptr) {
    *count = there;
    return 0;
  }
  for (std::uint32_t i = 0; i < *count && i < there; ++i) sockets[i] = reinterpret_cast<void*>(std::size_t{i} + 1);
  return 0;
}
int amdsmi_get_processor_handles(void* socket, std::uint32_t* count, void** processors) {
  FAKE_TOLD(amdsmi_get_processor_handles);
  if (processors != nullptr) processors[0] = socket;
  *count = 1;
  return 0;
}
int amdsmi_get_gpu_device_bdf(void* processor, std::uint64_t* bdf) {
  FAKE_TOLD(amdsmi_get_gpu_device_bdf);
  double value = 0;
  const int status = fake::play("bdf" + std::to_string(index_of(processor)), &value, 2);
  *bdf = static_cast<std::uint64_t>(value);
  return status;
}
int amdsmi_get_energy_count(void* processor, std::uint64_t* accumulator, float* resolution, std::uint64_t* timestamp) {
  FAKE_TOLD(amdsmi_get_energy_count);
  double value = 0;
  const int status = fake::play("energy" + std::to_string(index_of(processor)), &value, 2);
  *accumulator = static_cast<std::uint64_t>(value);
  *resolution = static_cast<float>(fake::number("resolution", 15.259));
  *timestamp = 1;
  return status;
}

}  // extern "C"
