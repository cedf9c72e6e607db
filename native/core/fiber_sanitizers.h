// What AddressSanitizer and ThreadSanitizer have to be told when a thread changes its stack; nothing in other builds.
#pragma once
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#elif defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace aibench {

// One stack, as a sanitizer knows it. The thread's own is learnt when the first fiber is entered from it.
struct SanitizedStack {
  const void* bottom = nullptr;
  std::size_t bytes = 0;
  void* context = nullptr;  // AddressSanitizer's fake stack, ThreadSanitizer's fiber

#if defined(__SANITIZE_THREAD__)
  static void* current() { return __tsan_get_current_fiber(); }
  void create() { context = __tsan_create_fiber(0); }
  void destroy() { __tsan_destroy_fiber(context); }
#else
  static void* current() { return nullptr; }
  void create() { context = nullptr; }
  void destroy() {}
#endif
};

// Just before the switch; `last`: `from` is not gone back to.
inline void before_switch([[maybe_unused]] SanitizedStack& from, [[maybe_unused]] const SanitizedStack& to, [[maybe_unused]] bool last) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(last ? nullptr : &from.context, to.bottom, to.bytes);
#elif defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(to.context, 0);
#endif
}

// Just after it, on stack `self`; `from` is filled in where it is the thread's own.
inline void after_switch([[maybe_unused]] const SanitizedStack& self, [[maybe_unused]] SanitizedStack* from) {
#if defined(__SANITIZE_ADDRESS__)
  const void* bottom = nullptr;
  std::size_t bytes = 0;
  __sanitizer_finish_switch_fiber(self.context, &bottom, &bytes);
  if (from != nullptr) {
    from->bottom = bottom;
    from->bytes = bytes;
  }
#endif
}

}  // namespace aibench
