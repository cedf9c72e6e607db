#include "core/dynamic_library.h"

#include <dlfcn.h>
#ifdef __linux__
#include <link.h>
#endif
#include <utility>

namespace aibench {

DynamicLibrary::~DynamicLibrary() { close(); }

DynamicLibrary::DynamicLibrary(DynamicLibrary&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), name_(std::move(other.name_)), path_(std::move(other.path_)) {}

DynamicLibrary& DynamicLibrary::operator=(DynamicLibrary&& other) noexcept {
  if (this != &other) {
    close();
    handle_ = std::exchange(other.handle_, nullptr);
    name_ = std::move(other.name_);
    path_ = std::move(other.path_);
  }
  return *this;
}

void DynamicLibrary::close() {
  if (handle_ != nullptr) dlclose(handle_);
  handle_ = nullptr;
}

Status DynamicLibrary::open(const std::vector<std::string>& names) {
  close();
  std::string tried;
  std::string broken;
  for (const std::string& name : names) {
    handle_ = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ != nullptr) {
      name_ = path_ = name;
#ifdef __linux__
      link_map* map = nullptr;
      if (dlinfo(handle_, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr && map->l_name[0] != '\0') path_ = map->l_name;
#endif
      return Status::success();
    }
    const char* reason = dlerror();
    const std::string text = reason == nullptr ? "" : reason;
    // "NAME: cannot open shared object file: No such file" about NAME itself means absent; anything else means broken.
    const bool absent = text.rfind(name + ":", 0) == 0 && text.find("No such file") != std::string::npos;
    if (!absent && broken.empty()) broken = text;
    tried += (tried.empty() ? "" : ", ") + name;
  }
  if (!broken.empty()) return Status::failure("LIBRARY_BROKEN", "a library is there but does not load: " + broken);
  return Status::failure("LIBRARY_ABSENT", "no library found under the names " + tried);
}

void* DynamicLibrary::symbol(const char* name) const { return handle_ == nullptr ? nullptr : dlsym(handle_, name); }

}  // namespace aibench
