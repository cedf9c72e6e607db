#include "gpu/devices.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace aibench::gpu {
namespace {

// Of MI300 and MI350 (CDNA 3 and 4 white papers); HIP does not tell of it.
constexpr std::uint64_t kInfinityCacheBytes = std::uint64_t{256} << 20;

std::string uuid_text(const char* prefix, const Uuid& uuid) {
  char text[64];
  const unsigned char* b = uuid.bytes;
  std::snprintf(text, sizeof text, "%s%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", prefix, b[0], b[1], b[2], b[3],
                b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
  return text;
}

int numa_node_of(const std::string& pci, const std::string& sys_root) {
  std::ifstream file(sys_root + "/bus/pci/devices/" + pci + "/numa_node");
  int node = -1;
  return file >> node ? node : -1;
}

}  // namespace

Status describe_device(const Driver& driver, int index, DeviceInfo* info, const std::string& sys_root) {
  int device = 0;
  AIBENCH_GPU_TRY(driver, device_get, &device, index);
  info->index = index;
  char text[256] = {};
  AIBENCH_GPU_TRY(driver, device_name, text, static_cast<int>(sizeof text) - 1, device);
  info->name = text;
  std::size_t bytes = 0;
  AIBENCH_GPU_TRY(driver, device_memory, &bytes, device);
  info->memory_bytes = bytes;

  const Attributes& number = driver.vendor().attributes;
  const auto attribute = [&](int which, auto scale) {
    int value = 0;
    return driver.call().device_attribute(&value, which, device) == kSuccess ? value * scale : 0 * scale;
  };
  info->multiprocessors = attribute(number.multiprocessors, 1);
  info->major = attribute(number.major, 1);
  info->minor = attribute(number.minor, 1);
  info->clock_hz = attribute(number.clock_khz, 1e3);
  info->memory_clock_hz = attribute(number.memory_clock_khz, 1e3);
  info->bus_width_bits = attribute(number.bus_width, 1);
  info->l2_bytes = static_cast<std::uint64_t>(std::max(0, attribute(number.l2_bytes, 1)));
  const bool has_infinity_cache = driver.vendor().vendor == Vendor::kRocm && info->major == 9 && info->minor >= 4;
  info->last_cache_bytes = has_infinity_cache ? std::max(info->l2_bytes, kInfinityCacheBytes) : info->l2_bytes;
  info->ecc = attribute(number.ecc, 1) == 1;
  info->integrated = attribute(number.integrated, 1) == 1;

  std::memset(text, 0, sizeof text);
  if (driver.call().device_pci(text, static_cast<int>(sizeof text) - 1, device) == kSuccess) {
    info->pci = text;
    for (char& c : info->pci) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    info->numa_node = numa_node_of(info->pci, sys_root);
  }
  Uuid uuid{}, instance{};
  const char* prefix = driver.vendor().vendor == Vendor::kCuda ? "GPU-" : "";
  const bool known = driver.call().device_uuid != nullptr && driver.call().device_uuid(&uuid, device) == kSuccess;
  if (known) info->uuid = uuid_text(prefix, uuid);
  // The two differ under MIG only: the older call names the board, the newer one the instance.
  if (known && driver.call().instance_uuid != nullptr && driver.call().instance_uuid(&instance, device) == kSuccess &&
      std::memcmp(uuid.bytes, instance.bytes, sizeof uuid.bytes) != 0) {
    info->instance_uuid = uuid_text("MIG-", instance);
  }
  return Status::success();
}

}  // namespace aibench::gpu
