#include "mpi/job_file.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>

#include "core/clock.h"

namespace aibench {
namespace {

constexpr const char* kFirstLine = "aibench-job 1";
constexpr int kHandshakeMilliseconds = 3000;
constexpr useconds_t kLookMicroseconds = 50000;

enum Reply : std::int32_t { kWelcome = 1, kOtherSize, kRankTaken };
struct Hello {
  char magic[8];
  char token[32];
  std::int32_t rank, size;  // rank -1: only asks whether somebody is there
};
constexpr char kMagic[8] = "AIBJOB1";

struct Meeting {
  std::string token, host;
  int port = 0;
  std::vector<std::string> addresses;
};

Status bad_file(const std::string& message) {
  return Status::failure("JOB_FILE_BAD", message, "AIBENCH_JOB_FILE is a path in a folder that every rank can read and rank 0 can write.");
}

int whole_number(const char* text) {
  if (text == nullptr || *text == '\0') return -1;
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  return *end == '\0' && value >= 0 && value < 1 << 20 ? static_cast<int>(value) : -1;
}

bool wait_for(int socket, short events, int milliseconds) {
  pollfd one = {socket, events, 0};
  return poll(&one, 1, milliseconds) == 1;
}

bool receive(int socket, void* data, std::size_t bytes) {
  auto* at = static_cast<char*>(data);
  while (bytes > 0) {
    if (!wait_for(socket, POLLIN, kHandshakeMilliseconds)) return false;
    const ssize_t got = recv(socket, at, bytes, 0);
    if (got <= 0) return false;
    at += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

bool give(int socket, const void* data, std::size_t bytes) { return send(socket, data, bytes, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes); }

void prepare_for_work(int socket) {
  const int one = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
}

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

std::vector<std::string> own_addresses() {
  std::vector<std::string> list;
  if (const char* named = std::getenv("AIBENCH_JOB_ADDRESS"); named != nullptr && *named != '\0') return {named};
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return list;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET || (one->ifa_flags & IFF_UP) == 0 || (one->ifa_flags & IFF_LOOPBACK) != 0) continue;
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr, text, sizeof text);
    list.emplace_back(text);
  }
  freeifaddrs(all);
  return list;
}

bool read_meeting(const std::string& path, Meeting* meeting) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line != kFirstLine) return false;
  *meeting = {};
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string key, value;
    words >> key >> value;
    if (key == "token") meeting->token = value;
    else if (key == "host") meeting->host = value;
    else if (key == "port") meeting->port = std::atoi(value.c_str());
    else if (key == "address") meeting->addresses.push_back(value);
  }
  return meeting->token.size() == sizeof Hello::token && meeting->port > 0;
}

Status write_meeting(const std::string& path, const Meeting& meeting) {
  std::string text = std::string(kFirstLine) + "\ntoken " + meeting.token + "\nhost " + meeting.host + "\nport " + std::to_string(meeting.port) + "\n";
  for (const std::string& address : meeting.addresses) text += "address " + address + "\n";
  const std::string fresh = path + "." + std::to_string(getpid());
  const int file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return bad_file("rank 0 cannot write " + fresh + ": " + std::strerror(errno));
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(file) == 0;
  close(file);
  if (written && rename(fresh.c_str(), path.c_str()) == 0) return Status::success();
  const std::string reason = std::strerror(errno);
  unlink(fresh.c_str());
  return bad_file("rank 0 cannot write " + path + ": " + reason);
}

// A socket on which rank 0 of that meeting has answered, or -1. *reply: its word, 0 where nobody answered with the token.
int knock(const Meeting& meeting, int rank, int size, std::int32_t* reply) {
  std::vector<std::string> addresses = meeting.addresses;
  if (meeting.host == host_name()) addresses.insert(addresses.begin(), "127.0.0.1");
  *reply = 0;
  for (const std::string& address : addresses) {
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(meeting.port));
    if (inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) continue;
    const int one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (one < 0) continue;
    int error = 0;
    socklen_t length = sizeof error;
    const bool begun = connect(one, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 || errno == EINPROGRESS;
    const bool connected = begun && wait_for(one, POLLOUT, kHandshakeMilliseconds) && getsockopt(one, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
    if (connected) {
      fcntl(one, F_SETFL, fcntl(one, F_GETFL) & ~O_NONBLOCK);
      Hello hello = {};
      std::memcpy(hello.magic, kMagic, sizeof hello.magic);
      std::memcpy(hello.token, meeting.token.data(), sizeof hello.token);
      hello.rank = rank;
      hello.size = size;
      // The answer holds the token, too: another program that listens there now does not know it.
      Hello answer = {};
      if (give(one, &hello, sizeof hello) && receive(one, &answer, sizeof answer) && std::memcmp(answer.magic, kMagic, sizeof kMagic) == 0 &&
          std::memcmp(answer.token, hello.token, sizeof hello.token) == 0) {
        *reply = answer.rank;
        return one;
      }
    }
    close(one);
  }
  return -1;
}

Status receive_ranks(const JobFile& job, const Meeting& meeting, int listener, std::vector<int>* sockets) {
  sockets->assign(static_cast<std::size_t>(job.size), -1);
  const double end = monotonic_seconds() + job.patience_seconds;
  int missing = job.size - 1;
  while (missing > 0) {
    const double left = end - monotonic_seconds();
    if (left <= 0) {
      std::string absent;
      for (int rank = 1; rank < job.size; ++rank) {
        if ((*sockets)[static_cast<std::size_t>(rank)] < 0) absent += (absent.empty() ? "" : ", ") + std::to_string(rank);
      }
      return Status::failure("JOB_TIMEOUT", "of the " + std::to_string(job.size) + " ranks of " + job.path + " these did not come: " + absent,
                             "Start every rank with the same AIBENCH_JOB_FILE and AIBENCH_JOB_SIZE; AIBENCH_JOB_PATIENCE gives them longer, AIBENCH_JOB_ADDRESS "
                             "names the address of this host that they reach.");
    }
    if (!wait_for(listener, POLLIN, static_cast<int>(left * 1000) + 1)) continue;
    const int one = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (one < 0) continue;
    Hello hello = {};
    const bool known = receive(one, &hello, sizeof hello) && std::memcmp(hello.magic, kMagic, sizeof kMagic) == 0 &&
                       std::memcmp(hello.token, meeting.token.data(), sizeof hello.token) == 0;
    const std::int32_t rank = hello.rank;
    bool joins = false;
    if (known) {
      const bool in_range = rank > 0 && rank < job.size;
      hello.rank = hello.size != job.size ? kOtherSize : !in_range || (*sockets)[static_cast<std::size_t>(rank)] >= 0 ? kRankTaken : kWelcome;
      joins = give(one, &hello, sizeof hello) && hello.rank == kWelcome;
    }
    if (joins) {
      prepare_for_work(one);
      (*sockets)[static_cast<std::size_t>(rank)] = one;
      --missing;
    } else {
      close(one);
    }
  }
  return Status::success();
}

Status host_meeting(const JobFile& job, std::vector<int>* sockets) {
  Meeting earlier;
  std::int32_t reply = 0;
  if (read_meeting(job.path, &earlier)) {
    const int one = knock(earlier, -1, job.size, &reply);
    if (one >= 0) {
      close(one);
      return Status::failure("JOB_RUNNING", job.path + " belongs to a job that is waiting for its ranks on " + earlier.host,
                             "Use another AIBENCH_JOB_FILE, or end that job.");
    }
  }
  Meeting meeting;
  meeting.host = host_name();
  meeting.addresses = own_addresses();
  unsigned char random[sizeof Hello::token / 2];
  std::ifstream("/dev/urandom", std::ios::binary).read(reinterpret_cast<char*>(random), sizeof random);
  for (const unsigned char byte : random) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    meeting.token += digits;
  }
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in any = {};
  any.sin_family = AF_INET;
  socklen_t length = sizeof any;
  if (listener < 0 || bind(listener, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0 || listen(listener, job.size) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&any), &length) != 0) {
    const std::string reason = std::strerror(errno);
    if (listener >= 0) close(listener);
    return Status::failure("JOB_FILE_BAD", "rank 0 cannot listen for the others: " + reason, "Allow it to open a TCP port.");
  }
  meeting.port = ntohs(any.sin_port);
  Status status = write_meeting(job.path, meeting);
  if (status.ok()) {
    status = receive_ranks(job, meeting, listener, sockets);
    unlink(job.path.c_str());
  }
  close(listener);
  return status;
}

Status join_meeting(const JobFile& job, std::vector<int>* sockets) {
  const double end = monotonic_seconds() + job.patience_seconds;
  std::string seen = job.path + " is not there";
  while (monotonic_seconds() < end) {
    Meeting meeting;
    if (read_meeting(job.path, &meeting)) {
      std::int32_t reply = 0;
      const int one = knock(meeting, job.rank, job.size, &reply);
      if (reply == kWelcome) {
        prepare_for_work(one);
        *sockets = {one};
        return Status::success();
      }
      if (one >= 0) close(one);
      if (reply != 0) {
        return Status::failure("JOB_RANKS_DIFFER",
                               reply == kOtherSize ? "rank " + std::to_string(job.rank) + " is told of " + std::to_string(job.size) + " ranks, rank 0 of another number"
                                                   : "there are two ranks of the number " + std::to_string(job.rank) + ", or it is not below the number of ranks",
                               "Give every rank a number of its own from 0 on (AIBENCH_JOB_RANK), and all of them the same AIBENCH_JOB_SIZE.");
      }
      struct stat about = {};
      const bool known = stat(job.path.c_str(), &about) == 0;
      seen = job.path + " was written " + (known ? std::to_string(static_cast<long>(std::time(nullptr) - about.st_mtime)) + " s ago " : "") + "on " + meeting.host +
             ", where nobody answers: it is of an earlier job, or a firewall is between";
    }
    usleep(kLookMicroseconds);
  }
  return Status::failure("JOB_TIMEOUT", "rank " + std::to_string(job.rank) + " has not found rank 0: " + seen,
                         "Start rank 0 with the same AIBENCH_JOB_FILE; AIBENCH_JOB_PATIENCE waits longer.");
}

}  // namespace

JobFile job_file_of(const char* (*get)(const char*)) {
  JobFile job;
  const char* path = get("AIBENCH_JOB_FILE");
  if (path == nullptr || *path == '\0') return job;
  job.path = path;
  constexpr const char* kRanks[] = {"AIBENCH_JOB_RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"};
  constexpr const char* kSizes[] = {"AIBENCH_JOB_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
  for (const char* name : kRanks) {
    if (job.rank < 0) job.rank = whole_number(get(name));
  }
  for (const char* name : kSizes) {
    if (job.size < 0) job.size = whole_number(get(name));
  }
  if (const int seconds = whole_number(get("AIBENCH_JOB_PATIENCE")); seconds > 0) job.patience_seconds = seconds;
  return job;
}

Status meet_at_file(const JobFile& job, std::vector<int>* sockets) {
  if (job.rank < 0 || job.size < 1 || job.rank >= job.size) {
    return Status::failure("JOB_FILE_BAD", "AIBENCH_JOB_FILE is set, and which rank this is of how many is not said",
                           "Set AIBENCH_JOB_RANK (from 0 on) and AIBENCH_JOB_SIZE for each rank.");
  }
  return job.rank == 0 ? host_meeting(job, sockets) : join_meeting(job, sockets);
}

}  // namespace aibench
