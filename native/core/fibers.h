// Several functions that take turns on one thread, each on a stack of its own (user-level threads): going from one to the next
// costs some nanoseconds where a switch by the operating system costs a microsecond, and no other process gets in between.
#pragma once
#include <cstddef>
#include <vector>

#include "core/fiber_sanitizers.h"

namespace aibench {

class Fibers {
 public:
  // False where switching is not written for this CPU.
  static bool supported();

  // Stacks for so many functions at a time. Throws std::bad_alloc where there is no memory for them.
  explicit Fibers(std::size_t count);
  ~Fibers();
  Fibers(const Fibers&) = delete;
  Fibers& operator=(const Fibers&) = delete;

  // Calls fn(context, member) for each of `members` (at most `count`) on the calling thread and returns when all have
  // returned. fn must not throw. One thread at a time.
  using Function = void (*)(void* context, int member);
  void run(const std::vector<int>& members, Function fn, void* context);

  // Called inside fn: lets the others of the thread go on, one after the other, until it is this one's turn again. Returns at
  // once outside of run(), or when no other is left.
  static void give_way();

 private:
  struct Stack {
    void* pointer = nullptr;  // as switch_stack left it
    SanitizedStack sanitized;
  };
  struct Fiber {
    Stack stack;
    int member = 0;
    bool done = false;
  };
  static void enter();
  static void change(Stack& from, Stack& to, bool last);
  void next();

  const std::size_t stack_bytes_;
  std::vector<char*> stacks_;  // mapped memory, the lowest page a guard
  std::vector<Fiber> fibers_;
  std::size_t current_ = 0;
  std::size_t left_ = 0;
  Stack caller_;  // that run() was called on
  Function function_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace aibench
