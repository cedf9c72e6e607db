// Readings on their way from a sampler thread to the one reader, without locks: the writer never waits, and when the
// reader is late the oldest readings are overwritten and counted.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace aibench {

struct Reading {
  double time_seconds;
  double value;
};

class ReadingRing {
 public:
  // Keeps at least the last `capacity` readings.
  explicit ReadingRing(std::size_t capacity) {
    while (size_ < 2 * capacity) size_ *= 2;  // twice, so that a reader in the middle of a copy is seldom overtaken
    capacity_ = capacity < 1 ? 1 : capacity;
    slots_ = std::make_unique<Slot[]>(size_);
  }

  // Readings so far, kept or not. Any thread.
  std::uint64_t written() const { return written_.load(std::memory_order_relaxed); }

  // One thread.
  void push(const Reading& reading) {
    const std::uint64_t index = written_.load(std::memory_order_relaxed);
    // Whoever sees this slot's new content also sees that everything before it was written: see drain().
    std::atomic_thread_fence(std::memory_order_release);
    Slot& slot = slots_[index & (size_ - 1)];
    slot.time_seconds.store(reading.time_seconds, std::memory_order_relaxed);
    slot.value.store(reading.value, std::memory_order_relaxed);
    written_.store(index + 1, std::memory_order_release);
  }

  // Another thread. Appends what has come since the last call and returns how many readings were lost meanwhile.
  std::uint64_t drain(std::vector<Reading>* out) {
    const std::uint64_t end = written_.load(std::memory_order_acquire);
    const std::uint64_t begin = end - read_ > capacity_ ? end - capacity_ : read_;
    const std::size_t kept_before = out->size();
    for (std::uint64_t i = begin; i < end; ++i) {
      const Slot& slot = slots_[i & (size_ - 1)];
      out->push_back({slot.time_seconds.load(std::memory_order_relaxed), slot.value.load(std::memory_order_relaxed)});
    }
    // A slot may have been overwritten while it was copied. The writer was then at most in slot `now`, which was the
    // place of reading now - size_: that one and all before it are not to be trusted.
    std::atomic_thread_fence(std::memory_order_acquire);
    const std::uint64_t now = written_.load(std::memory_order_relaxed);
    const std::uint64_t first_intact = now >= size_ ? now - size_ + 1 : 0;
    std::uint64_t overtaken = 0;
    if (first_intact > begin) overtaken = (first_intact < end ? first_intact : end) - begin;
    out->erase(out->begin() + static_cast<std::ptrdiff_t>(kept_before),
               out->begin() + static_cast<std::ptrdiff_t>(kept_before + overtaken));
    const std::uint64_t lost = begin - read_ + overtaken;
    read_ = end;
    return lost;
  }

 private:
  struct Slot {
    std::atomic<double> time_seconds{0};
    std::atomic<double> value{0};
  };
  // What the writer needs on one cache line, which is all that it fetches beside the slot.
  alignas(64) std::atomic<std::uint64_t> written_{0};
  std::size_t size_ = 2;
  std::unique_ptr<Slot[]> slots_;
  alignas(64) std::uint64_t read_ = 0;
  std::size_t capacity_ = 1;
};

}  // namespace aibench
