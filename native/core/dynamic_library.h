// A library opened at run time and closed with the object that holds it.
#pragma once
#include <string>
#include <vector>

#include "core/status.h"

namespace aibench {

class DynamicLibrary {
 public:
  DynamicLibrary() = default;
  ~DynamicLibrary();
  DynamicLibrary(const DynamicLibrary&) = delete;
  DynamicLibrary& operator=(const DynamicLibrary&) = delete;
  DynamicLibrary(DynamicLibrary&& other) noexcept;
  DynamicLibrary& operator=(DynamicLibrary&& other) noexcept;

  // Opens the first of `names` (paths or sonames) that loads, with its symbols kept local. Fails with LIBRARY_ABSENT
  // when none is there and with LIBRARY_BROKEN, naming the loader's reason, when one is there but does not load.
  Status open(const std::vector<std::string>& names);
  bool is_open() const { return handle_ != nullptr; }
  // The name that was opened, and the file that the loader resolved it to where the system tells.
  const std::string& name() const { return name_; }
  const std::string& path() const { return path_; }
  // nullptr when the library does not have it.
  void* symbol(const char* name) const;
  template <typename F>
  F function(const char* name) const {
    return reinterpret_cast<F>(symbol(name));
  }

 private:
  void close();
  void* handle_ = nullptr;
  std::string name_;
  std::string path_;
};

}  // namespace aibench
