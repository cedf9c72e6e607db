// The adapters that Vulkan offers, by their own names: ONNX Runtime's WebGPU provider runs on one of them and does not say on which.
// Vulkan is opened at run time and needs no header.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/status.h"

namespace aibench::ort {

struct VulkanAdapter {
  std::string name;
  // VkPhysicalDeviceType: 0 other, 1 integrated, 2 discrete, 3 virtual, 4 CPU (a software renderer)
  std::int32_t type = 0;
};

// In Vulkan's order. `library` empty: the loader's usual name. Fails with VULKAN_ABSENT where there is no loader or no driver.
Status list_vulkan_adapters(const std::string& library, std::vector<VulkanAdapter>* adapters);

}  // namespace aibench::ort
