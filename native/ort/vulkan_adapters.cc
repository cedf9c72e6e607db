#include "ort/vulkan_adapters.h"

#include <cstring>

#include "core/dynamic_library.h"

namespace aibench::ort {
namespace {

using Instance = void*;
using PhysicalDevice = void*;
using Function = void (*)();

// vulkan_core.h 1.0, whose structures never change.
struct InstanceCreateInfo {
  std::int32_t type = 1;
  const void* next = nullptr;
  std::uint32_t flags = 0;
  const void* application = nullptr;
  std::uint32_t layer_count = 0;
  const char* const* layers = nullptr;
  std::uint32_t extension_count = 0;
  const char* const* extensions = nullptr;
};

// VkPhysicalDeviceProperties up to the name; the rest (limits, 824 bytes in all) is room.
struct DeviceProperties {
  std::uint32_t api_version;
  std::uint32_t driver_version;
  std::uint32_t vendor;
  std::uint32_t device;
  std::int32_t type;
  char name[256];
  unsigned char rest[1024];
};

using GetInstanceProcAddr = Function (*)(Instance, const char*);
using CreateInstance = std::int32_t (*)(const InstanceCreateInfo*, const void*, Instance*);
using EnumeratePhysicalDevices = std::int32_t (*)(Instance, std::uint32_t*, PhysicalDevice*);
using GetPhysicalDeviceProperties = void (*)(PhysicalDevice, DeviceProperties*);
using DestroyInstance = void (*)(Instance, const void*);

Status absent(std::string message) {
  return Status::failure("VULKAN_ABSENT", std::move(message), "Install the GPU's Vulkan driver and the Vulkan loader (libvulkan1).");
}

}  // namespace

Status list_vulkan_adapters(const std::string& library, std::vector<VulkanAdapter>* adapters) {
  // Drivers register handlers of their own at exit: the loader stays open for the life of the process.
  auto* loader = new DynamicLibrary();
  const Status opened = loader->open(library.empty() ? std::vector<std::string>{"libvulkan.so.1", "libvulkan.1.dylib"} : std::vector<std::string>{library});
  if (!opened.ok()) return absent("there is no Vulkan loader: " + opened.message);
  const auto find = loader->function<GetInstanceProcAddr>("vkGetInstanceProcAddr");
  if (find == nullptr) return absent(loader->path() + " is no Vulkan loader: it has no vkGetInstanceProcAddr");
  const auto create = reinterpret_cast<CreateInstance>(find(nullptr, "vkCreateInstance"));
  const InstanceCreateInfo info;
  Instance instance = nullptr;
  std::int32_t result = create == nullptr ? -1 : create(&info, nullptr, &instance);
  if (result != 0) return absent("Vulkan has no driver that loads (vkCreateInstance said " + std::to_string(result) + ")");
  const auto destroy = reinterpret_cast<DestroyInstance>(find(instance, "vkDestroyInstance"));
  const auto enumerate = reinterpret_cast<EnumeratePhysicalDevices>(find(instance, "vkEnumeratePhysicalDevices"));
  const auto describe = reinterpret_cast<GetPhysicalDeviceProperties>(find(instance, "vkGetPhysicalDeviceProperties"));
  std::uint32_t count = 0;
  if (enumerate != nullptr && describe != nullptr) result = enumerate(instance, &count, nullptr);
  std::vector<PhysicalDevice> devices(count);
  // 5 is VK_INCOMPLETE: a device came in between the calls.
  if (count > 0) result = enumerate(instance, &count, devices.data());
  if (result == 0 || result == 5) {
    for (std::uint32_t i = 0; i < count && i < devices.size(); ++i) {
      DeviceProperties properties;
      std::memset(&properties, 0, sizeof properties);
      describe(devices[i], &properties);
      properties.name[sizeof properties.name - 1] = '\0';
      adapters->push_back({properties.name, properties.type});
    }
  }
  if (destroy != nullptr) destroy(instance, nullptr);
  return adapters->empty() ? absent("Vulkan lists no device") : Status::success();
}

}  // namespace aibench::ort
