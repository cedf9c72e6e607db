#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "telemetry/sensor.h"

namespace aibench {
namespace {

constexpr std::size_t kNumberBuffer = 128;  // on the stack, which is warm: for a file that starts with its number
constexpr std::size_t kFirstBuffer = 4096;
constexpr std::size_t kLargestBuffer = 1 << 20;  // /proc/stat of the largest machines is some 100 KiB

class FileSensor final : public Sensor {
 public:
  FileSensor(std::string path, std::vector<TextRule> rules)
      : path_(std::move(path)), rules_(std::move(rules)) {
    for (const TextRule& rule : rules_) whole_file_ = whole_file_ || rule.kind != TextRule::kLeadingNumber;
  }
  ~FileSensor() override {
    if (fd_ >= 0) close(fd_);
  }
  FileSensor(const FileSensor&) = delete;
  FileSensor& operator=(const FileSensor&) = delete;

  const char* group() const override { return "file"; }

  void read(std::vector<Outcome>* outcomes) override {
    constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
    std::array<char, kNumberBuffer> number;
    const ssize_t length = whole_file_ ? fill() : pread_again(number.data(), number.size());
    const char* const text = whole_file_ ? buffer_.data() : number.data();
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      Outcome& outcome = (*outcomes)[i];
      if (length < 0) {
        outcome = {kNothing, {ReadFailure::kErrno, static_cast<std::int32_t>(-length)}};
        continue;
      }
      outcome.value = find(rules_[i], {text, static_cast<std::size_t>(length)});
      outcome.failure = {std::isnan(outcome.value) ? ReadFailure::kNotANumber : ReadFailure::kNone, 0};
    }
  }

 private:
  // The start of the file, at most `size` bytes of it: its length, or -errno.
  ssize_t pread_again(char* buffer, std::size_t size) {
    if (fd_ < 0) {
      // O_NONBLOCK: a FIFO or a device in the place of the file must not hold this thread.
      fd_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
      if (fd_ < 0) return -errno;
    }
    for (;;) {
      const ssize_t length = pread(fd_, buffer, size, 0);
      if (length >= 0) return length;
      if (errno != EINTR) return -errno;
    }
  }

  // The file's whole text into buffer_: its length, or -errno.
  ssize_t fill() {
    if (buffer_.empty()) buffer_.resize(kFirstBuffer);
    for (;;) {
      const ssize_t length = pread_again(buffer_.data(), buffer_.size());
      if (length < static_cast<ssize_t>(buffer_.size()) || buffer_.size() >= kLargestBuffer) return length;
      buffer_.resize(buffer_.size() * 4);
    }
  }

  static double find(const TextRule& rule, std::string_view text) {
    switch (rule.kind) {
      case TextRule::kLeadingNumber: return parse_leading_number(text);
      case TextRule::kCpuTime: return parse_cpu_time(text, rule.field);
      case TextRule::kKeyed: return parse_keyed_number(text, rule.key);
    }
    return std::numeric_limits<double>::quiet_NaN();
  }

  std::string path_;
  std::vector<TextRule> rules_;
  std::vector<char> buffer_;
  bool whole_file_ = false;
  int fd_ = -1;
};

class ProductSensor final : public Sensor {
 public:
  ProductSensor(const std::string& path, const std::string& other_path)
      : one_(path, {TextRule{}}), other_(other_path, {TextRule{}}) {}

  const char* group() const override { return "file"; }

  void read(std::vector<Outcome>* outcomes) override {
    one_.read(&first_);
    other_.read(&second_);
    Outcome product = first_[0].failure.kind != ReadFailure::kNone ? first_[0] : second_[0];
    if (product.failure.kind == ReadFailure::kNone) product.value = first_[0].value * second_[0].value;
    for (Outcome& outcome : *outcomes) outcome = product;
  }

 private:
  FileSensor one_;
  FileSensor other_;
  std::vector<Outcome> first_ = std::vector<Outcome>(1);
  std::vector<Outcome> second_ = std::vector<Outcome>(1);
};

}  // namespace

std::unique_ptr<Sensor> make_file_sensor(const std::string& path, std::vector<TextRule> rules) {
  return std::make_unique<FileSensor>(path, std::move(rules));
}

std::unique_ptr<Sensor> make_product_sensor(const std::string& path, const std::string& other_path) {
  return std::make_unique<ProductSensor>(path, other_path);
}

}  // namespace aibench
