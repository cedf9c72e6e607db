// An MPI of one rank, for the loader and the handle tables: every call checks that it gets the handles of its ABI and
// does what a world of one does. The including file defines what a handle is.
#include <cstdio>
#include <cstdlib>
#include <cstring>

using H = FAKE_HANDLE;

namespace {

void expect(bool fine, const char* what) {
  if (fine) return;
  std::fprintf(stderr, "fake MPI: %s\n", what);
  std::abort();
}

std::size_t size_of(H type) {
  if (type == FAKE_DOUBLE) return 8;
  if (type == FAKE_FLOAT || type == FAKE_INT32) return 4;
  if (type == FAKE_INT8 || type == FAKE_BYTE) return 1;
  expect(type == FAKE_PAIR, "an unknown type");
  return 2;
}

int copy(const void* from, void* to, int count, H type, H world) {
  expect(world == FAKE_WORLD, "not MPI_COMM_WORLD");
  if (from != FAKE_IN_PLACE && from != to) std::memcpy(to, from, size_of(type) * static_cast<std::size_t>(count));
  return 0;
}

void check_op(H op) { expect(op == FAKE_SUM || op == FAKE_MIN || op == FAKE_MAX || op == FAKE_OWN_OP, "an unknown operation"); }

}  // namespace

extern "C" {
int MPI_Init_thread(int*, char***, int wanted, int* provided) {
  expect(wanted == FAKE_FUNNELED, "not MPI_THREAD_FUNNELED");
  const char* hooks = std::getenv("UCX_MEM_EVENTS");
  expect(hooks != nullptr && std::strcmp(hooks, "n") == 0, "UCX's memory hooks are on");
  *provided = wanted;
  return 0;
}
int MPI_Finalize() { return 0; }
int MPI_Abort(H, int code) { std::_Exit(code); }
int MPI_Comm_rank(H world, int* rank) { expect(world == FAKE_WORLD, "not MPI_COMM_WORLD"); *rank = 0; return 0; }
int MPI_Comm_size(H world, int* size) { expect(world == FAKE_WORLD, "not MPI_COMM_WORLD"); *size = 1; return 0; }
int MPI_Comm_split(H, int, int, H*) { expect(false, "a part of a world of one"); return 1; }
int MPI_Get_library_version(char* text, int* length) { *length = std::snprintf(text, 64, "fake MPI\nsecond line"); return 0; }
int MPI_Get_processor_name(char* text, int* length) { *length = std::snprintf(text, 64, "here"); return 0; }
int MPI_Barrier(H world) { expect(world == FAKE_WORLD, "not MPI_COMM_WORLD"); return 0; }
int MPI_Send(const void*, int, H, int, int, H) { expect(false, "a send in a world of one"); return 1; }
int MPI_Recv(void*, int, H, int, int, H, void*) { expect(false, "a receive in a world of one"); return 1; }
int MPI_Iprobe(int, int, H, int* flag, void*) { *flag = 0; return 0; }
int MPI_Sendrecv(const void* from, int count, H type, int, int, void* to, int, H, int, int, H world, void* status) {
  expect(status == FAKE_STATUS_IGNORE, "not MPI_STATUS_IGNORE");
  return copy(from, to, count, type, world);
}
int MPI_Gather(const void* from, int count, H type, void* to, int, H, int, H world) { return copy(from, to, count, type, world); }
int MPI_Allgather(const void* from, int count, H type, void* to, int, H, H world) { return copy(from, to, count, type, world); }
int MPI_Bcast(void* buffer, int count, H type, int, H world) { return copy(buffer, buffer, count, type, world); }
int MPI_Allreduce(const void* from, void* to, int count, H type, H op, H world) { check_op(op); return copy(from, to, count, type, world); }
int MPI_Reduce_scatter_block(const void* from, void* to, int count, H type, H op, H world) { check_op(op); return copy(from, to, count, type, world); }
int MPI_Alltoall(const void* from, int count, H type, void* to, int, H, H world) { return copy(from, to, count, type, world); }
int MPI_Type_contiguous(int count, H type, H* made) { expect(count == 2 && type == FAKE_BYTE, "a pair of bytes"); *made = FAKE_PAIR; return 0; }
int MPI_Type_commit(H*) { return 0; }
int MPI_Op_create(void (*function)(void*, void*, int*, void*), int commutes, H* made) { expect(function != nullptr && commutes == 1, "an operation"); *made = FAKE_OWN_OP; return 0; }
}
