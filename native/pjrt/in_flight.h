// Programs that have been started and not awaited: a few at a time, so that a device never waits for the host and the results that nobody needs do
// not fill its memory.
#pragma once
#include <deque>
#include <vector>

#include "pjrt/client.h"

namespace aibench::pjrt {

class InFlight {
 public:
  InFlight(Session& session, Executable* executable, std::vector<std::vector<Buffer*>> inputs)
      : session_(session), executable_(executable), inputs_(std::move(inputs)) {}
  ~InFlight() {
    static_cast<void>(drain());
    release(last_);
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

  // Runs the program so often; returns when the last run has ended on every device.
  Status run(std::uint64_t iterations) {
    Status status = Status::success();
    for (; status.ok() && iterations != 0; --iterations) {
      if (started_.size() == kMost) status = await_oldest();
      if (status.ok()) status = start();
    }
    const Status drained = drain();
    return status.ok() ? drained : status;
  }

  // By device, of the last run.
  const std::vector<Buffer*>& results() const { return last_; }

 private:
  static constexpr std::size_t kMost = 4;
  struct Run {
    std::vector<Buffer*> results;
    std::vector<Event*> complete;
  };

  Status start() {
    Run run;
    const Status status = session_.execute(executable_, inputs_, &run.results, &run.complete);
    if (status.ok()) started_.push_back(std::move(run));
    return status;
  }

  Status await_oldest() {
    Run run = std::move(started_.front());
    started_.pop_front();
    Status status = Status::success();
    for (Event* event : run.complete) {
      const Status ended = session_.await(event);
      if (status.ok()) status = ended;
    }
    release(last_);
    last_ = std::move(run.results);
    return status;
  }

  Status drain() {
    Status status = Status::success();
    while (!started_.empty()) {
      const Status ended = await_oldest();
      if (status.ok()) status = ended;
    }
    return status;
  }

  void release(std::vector<Buffer*>& buffers) {
    for (Buffer* buffer : buffers) session_.destroy(buffer);
    buffers.clear();
  }

  Session& session_;
  Executable* const executable_;
  const std::vector<std::vector<Buffer*>> inputs_;
  std::deque<Run> started_;
  std::vector<Buffer*> last_;
};

}  // namespace aibench::pjrt
