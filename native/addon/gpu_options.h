// What every GPU function takes: the vendor and where its libraries may be (GpuLibraries of src/native/types.ts).
#pragma once
#include <napi.h>

#include <string>
#include <vector>

#include "core/status.h"
#include "gpu/work_options.h"

namespace aibench::addon {

using gpu::GpuLibraries;

inline Status read_gpu_libraries(const Napi::Value& value, const char* what, GpuLibraries* libraries) {
  const Status bad = Status::failure("BAD_OPTION", std::string(what) + " wants { vendor, driver[], matmul[], collective[], compiler[] }", "See src/native/types.ts.");
  if (!value.IsObject()) return bad;
  const auto object = value.As<Napi::Object>();
  const auto read = [&object](const char* name, std::vector<std::string>* list) {
    const Napi::Value array = object.Get(name);
    if (!array.IsArray()) return false;
    const auto names = array.As<Napi::Array>();
    for (std::uint32_t i = 0; i < names.Length(); ++i) {
      const Napi::Value item = names.Get(i);
      if (!item.IsString()) return false;
      list->push_back(item.As<Napi::String>().Utf8Value());
    }
    return true;
  };
  const Napi::Value vendor = object.Get("vendor");
  if (!vendor.IsString()) return bad;
  libraries->vendor = gpu::find_vendor(vendor.As<Napi::String>().Utf8Value());
  if (libraries->vendor == nullptr || !read("driver", &libraries->driver) || !read("matmul", &libraries->matmul) ||
      !read("collective", &libraries->collective) || !read("compiler", &libraries->compiler)) {
    return bad;
  }
  return Status::success();
}

// absent: nothing is there. unsupported: it is there and cannot be used. broken: it is there and fails.
inline const char* gpu_status_word(const Status& status) {
  if (status.code == "GPU_ABSENT" || status.code == "LIBRARY_ABSENT") return "absent";
  if (status.code == "GPU_UNSUPPORTED" || status.code == "LIBRARY_UNSUPPORTED" || status.code == "GPU_DRIVER_TOO_OLD") return "unsupported";
  return "broken";
}

}  // namespace aibench::addon
