#include "mpi/socket_job.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <mutex>

namespace aibench {
namespace {

struct Ranks {
  int rank = 0, size = 1;
  std::vector<int> sockets;  // of rank 0 by rank, of another one to rank 0
  std::mutex mutex;          // guards `lost`
  std::string lost;
};
Ranks ranks;

// The other end is gone. Rank 0 waits for the watch of the runner, which writes the document; the others have nothing left to do.
[[noreturn]] void lose(int rank) {
  if (ranks.rank != 0) {
    std::fprintf(stderr, "aibench: rank 0 has left the job; rank %d ends.\n", ranks.rank);
    _exit(1);
  }
  {
    const std::lock_guard<std::mutex> lock(ranks.mutex);
    ranks.lost = "rank " + std::to_string(rank) + " has left the job";
  }
  for (;;) pause();
}

void write_to(int rank, const void* data, std::uint64_t bytes) {
  const int socket = ranks.sockets[ranks.rank == 0 ? static_cast<std::size_t>(rank) : 0];
  const auto all = [&](const void* from, std::size_t left) {
    for (const auto* at = static_cast<const char*>(from); left > 0;) {
      const ssize_t sent = send(socket, at, left, MSG_NOSIGNAL);
      if (sent <= 0) lose(rank);
      at += sent;
      left -= static_cast<std::size_t>(sent);
    }
  };
  all(&bytes, sizeof bytes);
  all(data, bytes);
}

// A frame of another length is none of ours: ranks run one build (MpiWorld checks it) and make the same calls in the same order.
void read_from(int rank, void* data, std::uint64_t bytes) {
  const int socket = ranks.sockets[ranks.rank == 0 ? static_cast<std::size_t>(rank) : 0];
  const auto all = [&](void* to, std::size_t left) {
    for (auto* at = static_cast<char*>(to); left > 0;) {
      const ssize_t got = recv(socket, at, left, 0);
      if (got <= 0) lose(rank);
      at += got;
      left -= static_cast<std::size_t>(got);
    }
  };
  std::uint64_t length = 0;
  all(&length, sizeof length);
  if (length != bytes) lose(rank);
  all(data, bytes);
}

int gather(const void* own, int count, MpiHandle, void* all, int, MpiHandle, int, MpiHandle) {
  const auto bytes = static_cast<std::uint64_t>(count);
  if (ranks.rank != 0) {
    write_to(0, own, bytes);
    return 0;
  }
  std::memmove(all, own, bytes);
  for (int rank = 1; rank < ranks.size; ++rank) read_from(rank, static_cast<char*>(all) + static_cast<std::size_t>(rank) * bytes, bytes);
  return 0;
}

int broadcast(void* data, int count, MpiHandle, int, MpiHandle) {
  const auto bytes = static_cast<std::uint64_t>(count);
  if (ranks.rank != 0) {
    read_from(0, data, bytes);
    return 0;
  }
  for (int rank = 1; rank < ranks.size; ++rank) write_to(rank, data, bytes);
  return 0;
}

int all_gather(const void* own, int count, MpiHandle type, void* all, int, MpiHandle, MpiHandle world) {
  gather(own, count, type, all, count, type, 0, world);
  return broadcast(all, count * ranks.size, type, 0, world);
}

int barrier(MpiHandle world) {
  char mine = 0;
  std::vector<char> all(static_cast<std::size_t>(ranks.size));
  return all_gather(&mine, 1, 0, all.data(), 1, 0, world);
}

int give(const void* data, int count, MpiHandle, int to, int, MpiHandle) {
  write_to(to, data, static_cast<std::uint64_t>(count));
  return 0;
}

int take(void* data, int count, MpiHandle, int from, int, MpiHandle, void*) {
  read_from(from, data, static_cast<std::uint64_t>(count));
  return 0;
}

int probe(int, int, MpiHandle, int* found, void*) {
  pollfd one = {ranks.sockets[0], POLLIN, 0};
  *found = poll(&one, 1, 0) == 1 ? 1 : 0;
  return 0;
}

std::string lost_rank() {
  const std::lock_guard<std::mutex> lock(ranks.mutex);
  return ranks.lost;
}

void close_all() {
  for (int& socket : ranks.sockets) {
    if (socket >= 0) close(socket);
    socket = -1;
  }
}

}  // namespace

Status open_socket_job(const JobFile& job, const MpiLibrary** library) {
  static MpiLibrary table;
  if (table.Barrier == nullptr) {
    if (Status status = meet_at_file(job, &ranks.sockets); !status.ok()) return status;
    ranks.rank = job.rank;
    ranks.size = job.size;
    table.abi = MpiAbi::kSockets;
    table.version = "sockets of a job file";
    table.is = {};
    table.is.byte = 1;
    table.Init_thread = [](int*, char***, int, int*) { return 0; };
    // What rank 0 sent last is delivered all the same.
    table.Finalize = [] {
      close_all();
      return 0;
    };
    table.Abort = [](MpiHandle, int code) -> int {
      close_all();
      _exit(code == 0 ? 1 : code);
    };
    table.Comm_rank = [](MpiHandle, int* rank) {
      *rank = ranks.rank;
      return 0;
    };
    table.Comm_size = [](MpiHandle, int* size) {
      *size = ranks.size;
      return 0;
    };
    table.Get_processor_name = [](char* name, int* length) {
      gethostname(name, 255);
      *length = static_cast<int>(std::strlen(name));
      return 0;
    };
    table.Barrier = barrier;
    table.Send = give;
    table.Recv = take;
    table.Iprobe = probe;
    table.Gather = gather;
    table.Allgather = all_gather;
    table.Bcast = broadcast;
    table.lost = lost_rank;
  }
  *library = &table;
  return Status::success();
}

}  // namespace aibench
