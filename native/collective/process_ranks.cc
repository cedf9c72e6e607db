// Ranks as processes: forked, without exec, so that everything mapped before lies at the same address in all of them and
// no second executable is needed. A child runs nothing but the group's functions and leaves by _exit; it dies with the
// thread that made it, whatever ends that.
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <vector>

#include "collective/rank_team.h"
#include "core/clock.h"
#include "core/cpu_relax.h"
#include "core/thread_team.h"

namespace aibench {
namespace {

constexpr double kSpinSeconds = 100e-6;
constexpr double kQuitSeconds = 2;  // for children to leave by themselves

// In memory that all ranks share. Only one run is under way at a time.
struct Control {
  alignas(128) std::atomic<std::uint32_t> generation{0};
  RankTeam::Function function = nullptr;
  void* context = nullptr;
  bool quit = false;
  struct alignas(128) Done {
    std::atomic<std::uint32_t> generation{0};
  };
  Done* done() { return reinterpret_cast<Done*>(this + 1); }
};

// std::atomic::wait uses futexes that are private to a process.
void futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value, const timespec* timeout) {
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), operation, value, timeout, nullptr, 0);
}

void bind_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);  // a hint where a container forbids it
}

class ProcessRanks final : public RankTeam {
 public:
  ProcessRanks(int ranks, GroupWatch* watch, char* control)
      : ranks_(ranks), watch_(watch), control_(new (control) Control), cpus_(allowed_cpus()),
        children_(static_cast<std::size_t>(ranks), 0) {
    for (int rank = 0; rank < ranks; ++rank) new (control_->done() + rank) Control::Done;
    watch_->set_dead([](void* self, std::string* how) { return static_cast<ProcessRanks*>(self)->reap(how); }, this);
  }

  ~ProcessRanks() override {
    if (watch_->failed()) {
      end_children(SIGKILL);
      return;
    }
    control_->quit = true;
    wake();
    const double deadline = monotonic_seconds() + kQuitSeconds;
    while (monotonic_seconds() < deadline && collect()) usleep(200);
    end_children(SIGKILL);
  }

  Status start() override {
    bind_to(cpus_.front());
    const pid_t parent = getpid();
    for (int rank = 1; rank < ranks_; ++rank) {
      const pid_t child = fork();
      if (child == 0) serve(rank, parent);
      if (child < 0) {
        const std::string reason = std::strerror(errno);
        return Status::failure("RANK_NOT_STARTED", "the process of rank " + std::to_string(rank) + " could not be started: " + reason,
                               "Allow more processes (ulimit -u, pids cgroup) or choose fewer ranks.");
      }
      children_[static_cast<std::size_t>(rank)] = child;
    }
    return Status::success();
  }

  bool oversubscribed() const override { return static_cast<std::size_t>(ranks_) > cpus_.size(); }
  Waiting waiting() const override { return oversubscribed() ? Waiting::kYields : Waiting::kSpins; }

  Status run(Function fn, void* context) override {
    if (watch_->failed()) return watch_->reason();
    control_->function = fn;
    control_->context = context;
    wake();
    const std::uint32_t generation = control_->generation.load(std::memory_order_relaxed);
    try {
      watch_->begin(0);
      fn(context, 0);
      SpinWait wait(waiting(), watch_, 0);
      for (int rank = 1; rank < ranks_; ++rank) wait.until(control_->done()[rank].generation, generation);
    } catch (const GroupFailure&) {
      // Children that can still move see the board and leave; the others are ended.
      const double deadline = monotonic_seconds() + kQuitSeconds;
      while (monotonic_seconds() < deadline && collect()) usleep(200);
      end_children(SIGKILL);
    }
    return watch_->reason();
  }

  std::string process_ids() const override {
    std::string list = std::to_string(getpid());
    for (std::size_t rank = 1; rank < children_.size(); ++rank) list += "," + std::to_string(children_[rank]);
    return list;
  }

 private:
  void wake() {
    control_->generation.fetch_add(1, std::memory_order_release);
    futex(control_->generation, FUTEX_WAKE, 1u << 30, nullptr);
  }

  [[noreturn]] void serve(int rank, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    prctl(PR_SET_NAME, "aibench-rank");
    struct sigaction fallback = {};
    fallback.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) sigaction(number, &fallback, nullptr);
    signal(SIGINT, SIG_IGN);  // Ctrl-C reaches the whole group; rank 0 decides what it means
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    // Nobody may wait for the end of a pipe that this child holds open.
    const int null_file = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3 && null_file >= 0; ++fd) dup2(null_file, fd);
    if (syscall(SYS_close_range, 3, ~0u, 0) != 0) {
      for (int fd = 3; fd < 1024; ++fd) close(fd);
    }
    bind_to(cpus_[static_cast<std::size_t>(rank) % cpus_.size()]);
    watch_->set_dead(nullptr, nullptr);
    for (std::uint32_t seen = 0;; ++seen) {
      wait_for_work(seen);
      if (control_->quit) _exit(0);
      try {
        watch_->begin(rank);
        control_->function(control_->context, rank);
      } catch (const GroupFailure&) {
        _exit(2);
      }
      control_->done()[rank].generation.store(seen + 1, std::memory_order_release);
    }
  }

  void wait_for_work(std::uint32_t seen) {
    const double deadline = monotonic_seconds() + (oversubscribed() ? 0 : kSpinSeconds);
    do {
      for (int i = 0; i < 64; ++i) {
        if (control_->generation.load(std::memory_order_acquire) != seen) return;
        cpu_relax();
      }
    } while (monotonic_seconds() < deadline);
    const timespec second = {1, 0};
    while (control_->generation.load(std::memory_order_acquire) == seen) {
      futex(control_->generation, FUTEX_WAIT, seen, &second);
      if (watch_->failed()) _exit(2);
    }
  }

  // The first child found dead, or -1; those that left because the group has failed do not count.
  int reap(std::string* how) {
    for (std::size_t rank = 1; rank < children_.size(); ++rank) {
      int state = 0;
      if (children_[rank] == 0 || waitpid(children_[rank], &state, WNOHANG) != children_[rank]) continue;
      const std::string process = "(process " + std::to_string(children_[rank]) + ") ";
      children_[rank] = 0;
      if (watch_->failed()) continue;
      *how = process + (WIFSIGNALED(state) ? "was killed by signal " + std::to_string(WTERMSIG(state)) + " (" +
                                                 strsignal(WTERMSIG(state)) + ")"
                                           : "left with exit code " + std::to_string(WEXITSTATUS(state)));
      return static_cast<int>(rank);
    }
    return -1;
  }

  // Takes back the children that have ended; whether any is left.
  bool collect() {
    bool left = false;
    for (pid_t& child : children_) {
      if (child == 0) continue;
      if (waitpid(child, nullptr, WNOHANG) == 0) {
        left = true;
      } else {
        child = 0;
      }
    }
    return left;
  }

  void end_children(int signal_number) {
    for (pid_t& child : children_) {
      if (child == 0) continue;
      kill(child, signal_number);
      waitpid(child, nullptr, 0);
      child = 0;
    }
  }

  const int ranks_;
  GroupWatch* const watch_;
  Control* const control_;
  const std::vector<int> cpus_;
  std::vector<pid_t> children_;  // by rank; 0: none or gone
};

}  // namespace

std::size_t process_team_bytes(int ranks) {
  return sizeof(Control) + sizeof(Control::Done) * static_cast<std::size_t>(ranks);
}

std::unique_ptr<RankTeam> make_process_team(int ranks, GroupWatch* watch, char* control) {
  return std::make_unique<ProcessRanks>(ranks, watch, control);
}

}  // namespace aibench
