// A fixed team of pinned threads. Member 0 is the thread that calls run(); the others spin for a short while after each
// piece of work (so that back-to-back calls cost well under a microsecond) and then sleep on a futex.
#pragma once
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

namespace aibench {

class ThreadTeam {
 public:
  // `threads` members pinned to the CPUs this process may use, in order, round robin when there are more members than
  // CPUs. The calling thread is pinned too, by bind_caller(), not by the constructor.
  explicit ThreadTeam(int threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const;
  // More members than CPUs: waits inside the team yield early.
  bool oversubscribed() const;
  // Pins the calling thread as member 0.
  void bind_caller();
  // The opposite: the calling thread, and threads that it starts from now on, may use every CPU of the process.
  void release_caller();

  // Calls fn(context, member) on every member and returns when all are done. Not reentrant; fn must not throw.
  using Function = void (*)(void* context, int member);
  void run(Function fn, void* context);
  template <typename F>
  void run(F&& f) {
    run([](void* context, int member) { (*static_cast<std::remove_reference_t<F>*>(context))(member); }, &f);
  }
  // Barrier among members, callable from inside run().
  void barrier(int member);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Logical CPUs that this process may run on, ascending.
std::vector<int> allowed_cpus();

}  // namespace aibench
