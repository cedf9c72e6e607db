#include "core/fibers.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__x86_64__) || defined(__aarch64__)
#define AIBENCH_FIBERS 1
#endif

namespace aibench {
namespace {

constexpr std::size_t kStackBytes = 256 << 10;  // algorithms keep arrays of 1024 pointers on it
constexpr std::size_t kGuardBytes = 64 << 10;   // the largest page of any system that this is built for

// Of the thread that is inside run().
thread_local Fibers* active = nullptr;

}  // namespace

#ifdef AIBENCH_FIBERS
// Saves the callee-saved registers of the ABI on this stack, stores the stack pointer at `from`, and goes on on stack `to`.
extern "C" void switch_stack(void** from, void* to) asm("aibench_switch_stack");

#if defined(__x86_64__)
asm(R"(
.text
.globl aibench_switch_stack
aibench_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");
// Six registers, then where to go on; 8 bytes more keep the alignment that a call leaves.
void* first_frame(char* top, void (*entry)()) {
  auto** frame = reinterpret_cast<void**>(top) - 8;
  frame[6] = reinterpret_cast<void*>(entry);
  frame[7] = nullptr;
  return frame;
}
#else
asm(R"(
.text
.globl aibench_switch_stack
aibench_switch_stack:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
)");
void* first_frame(char* top, void (*entry)()) {
  auto** frame = reinterpret_cast<void**>(top) - 20;
  frame[11] = reinterpret_cast<void*>(entry);  // x30
  return frame;
}
#endif

bool Fibers::supported() { return true; }
#else
void switch_stack(void**, void*) {}
void* first_frame(char*, void (*)()) { return nullptr; }
bool Fibers::supported() { return false; }
#endif

Fibers::Fibers(std::size_t count) : stack_bytes_(kStackBytes + kGuardBytes) {
  for (std::size_t i = 0; i < count; ++i) {
    void* memory = mmap(nullptr, stack_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      for (char* stack : stacks_) munmap(stack, stack_bytes_);
      throw std::bad_alloc();
    }
    mprotect(memory, kGuardBytes, PROT_NONE);
    stacks_.push_back(static_cast<char*>(memory));
  }
}

Fibers::~Fibers() {
  for (char* stack : stacks_) munmap(stack, stack_bytes_);
}

void Fibers::run(const std::vector<int>& members, Function fn, void* context) {
  function_ = fn;
  context_ = context;
  fibers_.assign(members.size(), {});
  for (std::size_t i = 0; i < members.size(); ++i) {
    fibers_[i].member = members[i];
    fibers_[i].stack.pointer = first_frame(stacks_[i] + stack_bytes_, &Fibers::enter);
    fibers_[i].stack.sanitized = {stacks_[i] + kGuardBytes, kStackBytes};
    fibers_[i].stack.sanitized.create();
  }
  if (fibers_.empty()) return;
  current_ = 0;
  left_ = fibers_.size();
  caller_.sanitized.context = SanitizedStack::current();
  active = this;
  change(caller_, fibers_[0].stack, false);
  active = nullptr;
  for (Fiber& fiber : fibers_) fiber.stack.sanitized.destroy();
}

void Fibers::change(Stack& from, Stack& to, bool last) {
  before_switch(from.sanitized, to.sanitized, last);
  switch_stack(&from.pointer, to.pointer);
  after_switch(from.sanitized, nullptr);  // back again
}

void Fibers::enter() {
  Fibers& self = *active;
  Fiber& fiber = self.fibers_[self.current_];
  after_switch(fiber.stack.sanitized, self.current_ == 0 ? &self.caller_.sanitized : nullptr);
  self.function_(self.context_, fiber.member);
  fiber.done = true;
  self.left_ -= 1;
  self.next();
  std::abort();  // nobody switches to a fiber that is done
}

void Fibers::next() {
  Fiber& from = fibers_[current_];
  if (left_ == 0) {
    change(from.stack, caller_, true);
    return;
  }
  do {
    current_ = current_ + 1 == fibers_.size() ? 0 : current_ + 1;
  } while (fibers_[current_].done);
  Fiber& to = fibers_[current_];
  if (&to != &from) change(from.stack, to.stack, from.done);
}

void Fibers::give_way() {
  if (active != nullptr && active->left_ > 1) active->next();
}

}  // namespace aibench
