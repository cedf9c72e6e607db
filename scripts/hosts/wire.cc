// A network for tests on one machine: a switch in user space between TAP devices that lie in network namespaces. Each port
// sends and receives at `megabits` at the same time; every frame arrives `delay` later than the last bit of it was sent.
// Needs root and /dev/net/tun, but no kernel queueing discipline.
//
//   wire PREFIX PORTS MEGABITS DELAY_MICROSECONDS MTU
//
// Makes the namespaces PREFIX0 ... with the addresses 10.78.0.1 ..., prints "ready", and runs until SIGTERM.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

namespace {

using Nanoseconds = long long;
constexpr int kFrameOverheadBytes = 24;  // preamble, check sequence, gap between frames
constexpr Nanoseconds kLongestQueue = 10'000'000'000;  // nothing is lost: a retransmission would be TCP's time, not the wire's
constexpr Nanoseconds kSpin = 60'000;  // looks instead of a sleep when the next frame is due so soon

volatile sig_atomic_t stopped = 0;

struct Frame {
  Nanoseconds due;
  std::vector<char> bytes;
};

struct Port {
  int tap = -1;
  Nanoseconds sending_until = 0;
  Nanoseconds receiving_until = 0;
  std::deque<Frame> queue;
};

Nanoseconds now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

void shell(const std::string& command) {
  if (std::system(command.c_str()) == 0) return;
  std::fprintf(stderr, "wire: failed: %s\n", command.c_str());
  std::exit(1);
}

int open_tap(const std::string& name) {
  const int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ifreq request = {};
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  std::snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name.c_str());
  if (tap < 0 || ioctl(tap, TUNSETIFF, &request) != 0) {
    std::perror("wire: /dev/net/tun");
    std::exit(1);
  }
  return tap;
}

std::string mac(int port) {
  char text[32];
  std::snprintf(text, sizeof text, "02:00:00:00:00:%02x", port);
  return text;
}

void make_host(const std::string& prefix, int port, int ports, int mtu) {
  const std::string host = prefix + std::to_string(port), device = prefix + "t" + std::to_string(port);
  shell("ip netns add " + host + " && ip link set " + device + " netns " + host + " && ip -n " + host + " link set " + device +
        " address " + mac(port) + " mtu " + std::to_string(mtu) + " txqueuelen 2000 && ip -n " + host + " addr add 10.78.0." +
        std::to_string(port + 1) + "/24 dev " + device + " && ip -n " + host + " link set " + device + " up && ip -n " + host +
        " link set lo up && ip -n " + host + " route change 10.78.0.0/24 dev " + device + " src 10.78.0." + std::to_string(port + 1) +
        " initcwnd 1000 initrwnd 1000");
  // A connection that is new or was idle would begin with ten segments and double them per round trip, which is TCP's time and not
  // the wire's. Where the setting cannot be written only idle connections do so.
  static_cast<void>(std::system(("ip netns exec " + host + " sysctl -qw net.ipv4.tcp_slow_start_after_idle=0 2>/dev/null").c_str()));
  for (int other = 0; other < ports; ++other) {
    if (other == port) continue;
    shell("ip -n " + host + " neigh replace 10.78.0." + std::to_string(other + 1) + " lladdr " + mac(other) + " dev " + device +
          " nud permanent");
  }
}

class Switch {
 public:
  Switch(std::vector<Port> ports, double megabits, Nanoseconds delay)
      : ports_(std::move(ports)), nanoseconds_per_byte_(megabits > 0 ? 8000.0 / megabits : 0), delay_(delay) {}

  void run() {
    while (stopped == 0) {
      const Nanoseconds next = deliver();
      if (accept()) continue;
      const Nanoseconds wait = next - now();
      if (wait < kSpin) continue;
      const timespec timeout = {(wait - kSpin) / 1'000'000'000, (wait - kSpin) % 1'000'000'000};
      std::vector<pollfd> files;
      for (const Port& port : ports_) files.push_back({port.tap, POLLIN, 0});
      ppoll(files.data(), files.size(), &timeout, nullptr);
    }
  }

 private:
  // Hands over what is due; when the next frame will be.
  Nanoseconds deliver() {
    Nanoseconds next = now() + 100'000'000;
    for (Port& port : ports_) {
      while (!port.queue.empty() && port.queue.front().due <= now()) {
        const auto& bytes = port.queue.front().bytes;
        if (write(port.tap, bytes.data(), bytes.size()) < 0) {
          // a full device drops frames, as real ones do
        }
        port.queue.pop_front();
      }
      if (!port.queue.empty() && port.queue.front().due < next) next = port.queue.front().due;
    }
    return next;
  }

  bool accept() {
    bool any = false;
    char bytes[70000];
    for (std::size_t from = 0; from < ports_.size(); ++from) {
      for (int burst = 0; burst < 8; ++burst) {
        const ssize_t count = read(ports_[from].tap, bytes, sizeof bytes);
        if (count <= 0) break;
        any = true;
        forward(from, bytes, static_cast<std::size_t>(count));
      }
    }
    return any;
  }

  void forward(std::size_t from, const char* bytes, std::size_t count) {
    const auto length = static_cast<Nanoseconds>(static_cast<double>(count + kFrameOverheadBytes) * nanoseconds_per_byte_);
    Port& sender = ports_[from];
    const Nanoseconds start = sender.sending_until > now() ? sender.sending_until : now();
    sender.sending_until = start + length;
    const bool everyone = (bytes[0] & 1) != 0;
    for (std::size_t to = 0; to < ports_.size(); ++to) {
      if (to == from || (!everyone && static_cast<unsigned char>(bytes[5]) != to)) continue;
      // Cut-through: the way down may begin as soon as the head of the frame arrives.
      Port& receiver = ports_[to];
      const Nanoseconds head = start + delay_;
      if (receiver.receiving_until < head) receiver.receiving_until = head;
      receiver.receiving_until += length;
      if (receiver.receiving_until - now() > kLongestQueue) continue;  // tail drop
      receiver.queue.push_back({receiver.receiving_until, std::vector<char>(bytes, bytes + count)});
    }
  }

  std::vector<Port> ports_;
  const double nanoseconds_per_byte_;
  const Nanoseconds delay_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: wire PREFIX PORTS MEGABITS DELAY_MICROSECONDS MTU\n");
    return 2;
  }
  const std::string prefix = argv[1];
  const int count = std::atoi(argv[2]);
  signal(SIGTERM, [](int) { stopped = 1; });
  std::vector<Port> ports(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    ports[static_cast<std::size_t>(i)].tap = open_tap(prefix + "t" + std::to_string(i));
    make_host(prefix, i, count, std::atoi(argv[5]));
  }
  std::puts("ready");
  std::fflush(stdout);
  Switch(std::move(ports), std::atof(argv[3]), static_cast<Nanoseconds>(std::atof(argv[4]) * 1000)).run();
  for (int i = 0; i < count; ++i) shell("ip netns del " + prefix + std::to_string(i));
}
