// A Vulkan loader with two devices, for the listing of adapters: an integrated GPU and a software renderer.
#include <cstdint>
#include <cstring>

namespace {

int instance;
int devices[2];

struct Properties {
  std::uint32_t numbers[4];
  std::int32_t type;
  char name[256];
  unsigned char pipeline_cache[16];
  // VkPhysicalDeviceLimits and VkPhysicalDeviceSparseProperties, as a driver fills them: 824 bytes in all.
  alignas(8) unsigned char limits[504];
  std::uint32_t sparse[5];
};
static_assert(sizeof(Properties) == 824);

std::int32_t create(const void* info, const void*, void** out) {
  // VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO
  if (*static_cast<const std::int32_t*>(info) != 1) return -3;
  *out = &instance;
  return 0;
}

std::int32_t enumerate(void* of, std::uint32_t* count, void** out) {
  if (of != &instance) return -3;
  if (out != nullptr) {
    for (std::uint32_t i = 0; i < *count; ++i) out[i] = &devices[i];
  }
  *count = 2;
  return 0;
}

void describe(void* device, Properties* properties) {
  std::memset(properties, 0x7f, sizeof *properties);
  const bool first = device == &devices[0];
  properties->type = first ? 1 : 4;
  std::strcpy(properties->name, first ? "Fake Integrated Graphics" : "llvmpipe (fake)");
}

void destroy(void*, const void*) {}

}  // namespace

extern "C" void (*vkGetInstanceProcAddr(void*, const char* name))() {
  const auto is = [&](const char* other) { return std::strcmp(name, other) == 0; };
  if (is("vkCreateInstance")) return reinterpret_cast<void (*)()>(create);
  if (is("vkEnumeratePhysicalDevices")) return reinterpret_cast<void (*)()>(enumerate);
  if (is("vkGetPhysicalDeviceProperties")) return reinterpret_cast<void (*)()>(describe);
  if (is("vkDestroyInstance")) return reinterpret_cast<void (*)()>(destroy);
  return nullptr;
}
