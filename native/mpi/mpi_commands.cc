#include "mpi/mpi_commands.h"

#include <unistd.h>

namespace aibench {
namespace {

constexpr int kCommandTag = 77;

// Rank 0 and its followers: the command goes to all, each acts, the answers come together at rank 0.
std::vector<MpiAnswer> gather(MpiWorld& world, const MpiAnswer& own) {
  const MpiLibrary& mpi = world.mpi();
  std::vector<MpiAnswer> all(static_cast<std::size_t>(world.size()));
  mpi.Gather(&own, sizeof own, mpi.is.byte, all.data(), sizeof own, mpi.is.byte, 0, mpi.is.world);
  return all;
}

void tell_followers(MpiWorld& world, const MpiCommand& command) {
  const MpiLibrary& mpi = world.mpi();
  for (int rank = 1; rank < world.size(); ++rank) {
    mpi.Send(&command, sizeof command, mpi.is.byte, rank, kCommandTag, mpi.is.world);
  }
}

// Of rank 0, as its followers have one each. Only looked at on the MPI thread, as is whether the others have been sent home.
JobRankHolder& own_rank(MpiWorld& world) {
  static auto* holder = new JobRankHolder(world, {});
  return *holder;
}
bool has_ended = false;
std::uint64_t problems = 0;

}  // namespace

std::uint64_t next_mpi_problem() { return ++problems; }

std::vector<MpiAnswer> perform_at_all(MpiWorld& world, const MpiCommand& command, int ranks, const gpu::GpuLibraries& libraries,
                                      std::map<std::string, std::string>* facts) {
  std::vector<MpiAnswer> answers;
  world.run([&] {
    if (has_ended) {
      answers = {answer_of(Status::failure("RANK_GONE", "the job has ended", "Start it again."))};
      return;
    }
    if (command.kind == MpiCommand::kPrepare) own_rank(world).set_libraries({libraries});
    tell_followers(world, command);
    answers = gather(world, own_rank(world).perform(command));
    answers.resize(static_cast<std::size_t>(ranks));
    // What the record says of the device, as long as it is there.
    if (const JobRank* rank = own_rank(world).of(command.problem); rank != nullptr && command.kind == MpiCommand::kPrepare) *facts = rank->facts();
  });
  return answers;
}

int follow_mpi_commands(MpiWorld& world, const std::vector<gpu::GpuLibraries>& libraries) {
  constexpr int kBusyLooks = 2000;      // without a sleep after a command: the next is often near
  constexpr useconds_t kNap = 500;
  int exit_code = 0;
  JobRankHolder rank(world, libraries);
  const int busy_looks = world.oversubscribed() ? 4 : kBusyLooks / 16;
  for (bool end = false; !end;) {
    MpiCommand command = {};
    bool arrived = false;
    // One look or one command per turn on the MPI thread, so that finalize and the watch find it free.
    for (int looks = 0; !arrived; ++looks) {
      world.run([&] {
        const MpiLibrary& mpi = world.mpi();
        alignas(16) char status[256];  // larger than every MPI_Status
        int found = 0;
        for (int i = 0; i < 16 && found == 0; ++i) {
          mpi.Iprobe(0, kCommandTag, mpi.is.world, &found, status);
        }
        if (found == 0) return;
        mpi.Recv(&command, sizeof command, mpi.is.byte, 0, kCommandTag, mpi.is.world, mpi.is.status_ignore);
        arrived = true;
        if (command.kind == MpiCommand::kEnd) {
          rank.clear();
          return;
        }
        gather(world, rank.perform(command));
      });
      if (arrived || looks < busy_looks) continue;
      usleep(looks < 1000 ? kNap : 10 * kNap);
    }
    if (command.kind == MpiCommand::kEnd) {
      exit_code = command.exit_code;
      end = true;
    }
  }
  return exit_code;
}

void end_mpi_followers(MpiWorld& world, int exit_code) {
  MpiCommand command = {};
  command.kind = MpiCommand::kEnd;
  command.exit_code = exit_code;
  world.run([&] {
    tell_followers(world, command);
    has_ended = true;
    own_rank(world).clear();
  });
}

Status choose_mpi_ranks(const MpiWorld& world, int wanted, int* ranks) {
  if (wanted > world.size()) {
    return Status::failure("BAD_OPTION", "the job has " + std::to_string(world.size()) + " ranks, the case asks for " + std::to_string(wanted),
                           "Start more (mpirun -n " + std::to_string(wanted) + "), or leave ranks out.");
  }
  *ranks = wanted > 0 ? wanted : world.size();
  return Status::success();
}

}  // namespace aibench
