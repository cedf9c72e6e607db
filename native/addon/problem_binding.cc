// NativeProblem of src/native/types.ts around a Problem: one measuring thread per problem, promises settled on the event
// loop.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <thread>

#include "addon/bindings.h"
#include "addon/options.h"
#include "core/thread_team.h"
#include "core/timed_loop.h"

namespace aibench::addon {
namespace {

// What the measuring thread is asked to do: `work` runs there, `value` turns its result into JavaScript afterwards.
struct Job {
  std::function<Status()> work;
  std::function<Napi::Value(Napi::Env)> value;
  Napi::Promise::Deferred deferred;
  Status status;
};

// Lives until its thread has been joined: on the event loop after dispose(), or in the hook that runs when the
// environment ends. All members without a comment belong to the JavaScript thread.
class Runner : public std::enable_shared_from_this<Runner> {
 public:
  static std::shared_ptr<Runner> start(Napi::Env env, std::unique_ptr<Problem> problem) {
    auto runner = std::make_shared<Runner>(env, std::move(problem));
    runner->self_ = runner;
    napi_add_env_cleanup_hook(env, at_exit, runner.get());
    runner->thread_ = std::thread([raw = runner.get()] { raw->measuring_thread(); });
    return runner;
  }

  Runner(Napi::Env env, std::unique_ptr<Problem> problem)
      : env_(env), problem_(std::move(problem)), work_(problem_->work()), fault_kinds_(problem_->fault_kinds()),
        facts_(problem_->facts()) {
    Napi::Function nothing = Napi::Function::New(env, [](const Napi::CallbackInfo&) {});
    to_loop_ = Napi::ThreadSafeFunction::New(env, nothing, "aibench problem", 0, 1);
    to_loop_.Unref(env);  // an idle problem does not keep the process alive
  }

  Napi::Value begin(Napi::Env env, const char* call, std::function<Status()> work,
                    std::function<Napi::Value(Napi::Env)> value) {
    auto deferred = Napi::Promise::Deferred::New(env);
    const Status refusal = refuse(call);
    if (!refusal.ok()) {
      deferred.Reject(to_error(env, refusal).Value());
      return deferred.Promise();
    }
    busy_ = true;
    stop_.store(false);
    to_loop_.Ref(env);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      job_ = std::make_unique<Job>(Job{std::move(work), std::move(value), deferred, Status::success()});
    }
    wake_.notify_one();
    return deferred.Promise();
  }

  // Why `call` cannot be done now, or success.
  Status refuse(const std::string& call) const {
    if (disposed_) {
      return Status::failure("PROBLEM_DISPOSED", call + " was called on a problem that is disposed", "Create a new one.");
    }
    if (busy_) {
      return Status::failure("PROBLEM_BUSY", call + " was called while an earlier call on this problem is still running",
                             "Await the earlier call first.");
    }
    if (call != "prepare" && !prepared_) {
      return Status::failure("PROBLEM_NOT_PREPARED", call + " was called before prepare()", "Await prepare() first.");
    }
    if ((call == "verify" || call == "injectFault") && !ran_) {
      return Status::failure("PROBLEM_NOT_RUN", call + " was called before there is an output",
                             "Await runAndVerify() or measure() first.");
    }
    return Status::success();
  }

  void dispose() {
    if (disposed_) return;
    disposed_ = true;
    ask_to_quit();
  }

  Problem& problem() { return *problem_; }
  std::atomic<bool>& stop_flag() { return stop_; }
  const Work& work() const { return work_; }
  const std::string& fault_kinds() const { return fault_kinds_; }
  const std::map<std::string, std::string>& facts() const { return facts_; }
  const std::map<std::string, double>& ceilings() const { return ceilings_; }
  void set_prepared() { prepared_ = true; }
  void set_ran() { ran_ = true; }

 private:
  void ask_to_quit() {
    stop_.store(true);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      quit_ = true;
    }
    wake_.notify_one();
  }

  void measuring_thread() {
    ThreadTeam(1).bind_caller();
    for (;;) {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return quit_ || job_ != nullptr; });
      std::unique_ptr<Job> job = std::move(job_);
      const bool quit = quit_;
      lock.unlock();
      if (job != nullptr) {
        job->status = quit ? Status::failure("PROBLEM_DISPOSED", "the problem was disposed before the call began")
                           : guarded(job->work);
        auto facts = std::make_shared<std::map<std::string, std::string>>(problem_->facts());
        auto ceilings = std::make_shared<std::map<std::string, double>>(problem_->ceilings());
        post([this, facts, ceilings, job = std::shared_ptr<Job>(std::move(job))](Napi::Env env) {
          ceilings_ = std::move(*ceilings);
          settle(env, *job, *facts);
        });
        continue;
      }
      problem_.reset();
      post([this](Napi::Env env) { finish(env); });
      return;
    }
  }

  static Status guarded(const std::function<Status()>& work) {
    try {
      return work();
    } catch (const ProblemFailure& failure) {
      return failure.status;
    } catch (const std::bad_alloc&) {
      return Status::failure("OUT_OF_MEMORY", "the operating system refused memory", "Choose a smaller size.");
    } catch (const std::exception& error) {
      return Status::failure("NATIVE_INTERNAL", std::string("unexpected error in the native addon: ") + error.what());
    }
  }

  // Runs fn on the event loop; drops it when the environment is already ending.
  void post(std::function<void(Napi::Env)> fn) {
    auto* boxed = new std::function<void(Napi::Env)>(std::move(fn));
    const napi_status status = to_loop_.NonBlockingCall(
        boxed, [](Napi::Env env, Napi::Function, std::function<void(Napi::Env)>* call) {
          if (static_cast<napi_env>(env) != nullptr) (*call)(env);
          delete call;
        });
    if (status != napi_ok) delete boxed;
  }

  void settle(Napi::Env env, Job& job, std::map<std::string, std::string>& facts) {
    Napi::HandleScope scope(env);
    busy_ = false;
    facts_ = std::move(facts);
    to_loop_.Unref(env);
    if (job.status.ok()) {
      job.deferred.Resolve(job.value(env));
    } else {
      job.deferred.Reject(to_error(env, job.status).Value());
    }
  }

  // The thread has left its loop: joining it does not block.
  void finish(Napi::Env env) {
    napi_remove_env_cleanup_hook(env, at_exit, this);
    thread_.join();
    to_loop_.Release();
    self_.reset();  // last: this may be the end of the object
  }

  static void at_exit(void* data) {
    auto* runner = static_cast<Runner*>(data);
    runner->ask_to_quit();
    if (runner->thread_.joinable()) runner->thread_.join();
    runner->self_.reset();
  }

  Napi::Env env_;
  std::unique_ptr<Problem> problem_;  // measuring thread while busy_, JavaScript thread otherwise
  const Work work_;
  const std::string fault_kinds_;
  std::map<std::string, std::string> facts_;
  std::map<std::string, double> ceilings_;
  bool busy_ = false;
  bool prepared_ = false;
  bool ran_ = false;
  bool disposed_ = false;
  std::atomic<bool> stop_{false};  // both
  Napi::ThreadSafeFunction to_loop_;  // both
  std::thread thread_;
  std::shared_ptr<Runner> self_;

  std::mutex mutex_;  // guards the next three
  std::condition_variable wake_;
  std::unique_ptr<Job> job_;
  bool quit_ = false;
};

Napi::Value verification_value(Napi::Env env, const Verification& v) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("method", v.method);
  result.Set("passed", Napi::Boolean::New(env, v.passed));
  result.Set("error", v.error);
  result.Set("tolerance", v.tolerance);
  return result;
}

Napi::Value seconds_value(Napi::Env env, const std::vector<double>& seconds) {
  Napi::Float64Array array = Napi::Float64Array::New(env, seconds.size());
  for (std::size_t i = 0; i < seconds.size(); ++i) array[i] = seconds[i];
  return array;
}

Napi::Value measurement_value(Napi::Env env, const TimedLoopResult& r) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("windowStart", r.window_start);
  result.Set("windowEnd", r.window_end);
  result.Set("samplesSeconds", seconds_value(env, r.samples));
  result.Set("iterationsPerSample", static_cast<double>(r.iterations_per_sample));
  Napi::Array ranks = Napi::Array::New(env);
  for (const std::vector<double>& samples : r.rank_samples) ranks.Set(ranks.Length(), seconds_value(env, samples));
  result.Set("rankSamplesSeconds", ranks);
  Napi::Object warmup = Napi::Object::New(env);
  warmup.Set("samplesSeconds", seconds_value(env, r.warmup_samples));
  warmup.Set("settled", Napi::Boolean::New(env, r.warmup_settled));
  result.Set("warmup", warmup);
  result.Set("complete", Napi::Boolean::New(env, r.complete));
  return result;
}

using RunnerPointer = std::shared_ptr<Runner>;

Napi::Value prepare(Napi::Env env, const RunnerPointer& runner) {
  return runner->begin(
      env, "prepare", [runner] { return runner->problem().prepare(); },
      [runner](Napi::Env e) {
        runner->set_prepared();
        return e.Undefined();
      });
}

Napi::Value check(Napi::Env env, const RunnerPointer& runner, bool run_first) {
  auto result = std::make_shared<Verification>();
  return runner->begin(
      env, run_first ? "runAndVerify" : "verify",
      [runner, result, run_first] {
        if (run_first) runner->problem().run(1);
        *result = runner->problem().verify();
        return Status::success();
      },
      [runner, result](Napi::Env e) {
        runner->set_ran();
        return verification_value(e, *result);
      });
}

Napi::Value measure(const Napi::CallbackInfo& info, const RunnerPointer& runner) {
  Napi::Env env = info.Env();
  constexpr double kDay = 86400;
  constexpr double kMaxSamples = 10'000'000;
  OptionReader read(info, "measure");
  TimedLoopOptions options;
  options.max_warmup_seconds = read.number("maxWarmupSeconds", 0, kDay);
  options.min_sample_seconds = read.number("minSampleSeconds", 0, kDay);
  options.target_seconds = read.number("targetSeconds", 0, kDay);
  options.min_samples = static_cast<std::uint32_t>(read.integer("minSamples", 1, kMaxSamples));
  options.max_samples = static_cast<std::uint32_t>(read.integer("maxSamples", options.min_samples, kMaxSamples));
  if (!read.status().ok()) {
    auto deferred = Napi::Promise::Deferred::New(env);
    deferred.Reject(to_error(env, read.status()).Value());
    return deferred.Promise();
  }
  auto result = std::make_shared<TimedLoopResult>();
  return runner->begin(
      env, "measure",
      [runner, result, options] {
        *result = run_timed_loop(runner->problem(), options, runner->stop_flag());
        return Status::success();
      },
      [runner, result](Napi::Env e) {
        runner->set_ran();
        return measurement_value(e, *result);
      });
}

Napi::Value measure_ceilings(Napi::Env env, const RunnerPointer& runner) {
  auto result = std::make_shared<std::map<std::string, double>>();
  return runner->begin(
      env, "measureCeilings",
      [runner, result] {
        *result = runner->problem().measure_ceilings();
        return Status::success();
      },
      [result](Napi::Env e) {
        Napi::Object object = Napi::Object::New(e);
        for (const auto& [name, value] : *result) object.Set(name, value);
        return object;
      });
}

void inject_fault(const Napi::CallbackInfo& info, const RunnerPointer& runner) {
  Napi::Env env = info.Env();
  Status status = runner->refuse("injectFault");
  const std::string kind = info.Length() > 0 && info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
  bool known = true;
  if (status.ok()) {
    try {
      known = runner->problem().inject_fault(kind);
    } catch (const ProblemFailure& failure) {
      status = failure.status;
    }
  }
  if (status.ok() && !known) {
    status = Status::failure("UNKNOWN_FAULT", "injectFault does not know the kind \"" + kind + "\"",
                             "Choose one of: " + runner->fault_kinds() + ".");
  }
  if (!status.ok()) to_error(env, status).ThrowAsJavaScriptException();
}

Napi::Value fault_kinds(Napi::Env env, const RunnerPointer& runner) {
  Napi::Array kinds = Napi::Array::New(env);
  const std::string& text = runner->fault_kinds();
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    kinds.Set(kinds.Length(), text.substr(begin, end - begin));
    begin = end + 1;
  }
  return kinds;
}

Napi::Value work(Napi::Env env, const RunnerPointer& runner) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("flops", runner->work().flops);
  result.Set("bytes", runner->work().bytes);
  result.Set("items", runner->work().items);
  return result;
}

Napi::Value facts(Napi::Env env, const RunnerPointer& runner) {
  Napi::Object result = Napi::Object::New(env);
  for (const auto& [key, value] : runner->facts()) result.Set(key, value);
  return result;
}

Napi::Value ceilings(Napi::Env env, const RunnerPointer& runner) {
  Napi::Object result = Napi::Object::New(env);
  for (const auto& [key, value] : runner->ceilings()) result.Set(key, value);
  return result;
}

}  // namespace

Napi::Error to_error(Napi::Env env, const Status& status) {
  Napi::Error error = Napi::Error::New(env, status.message);
  error.Set("code", Napi::String::New(env, status.code));
  error.Set("remedy", Napi::String::New(env, status.remedy));
  return error;
}

Napi::Value wrap_problem(Napi::Env env, const Status& status, std::unique_ptr<Problem> problem) {
  if (!status.ok()) {
    to_error(env, status).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const RunnerPointer runner = Runner::start(env, std::move(problem));
  Napi::Object object = Napi::Object::New(env);
  const auto method = [&](const char* name, auto call) {
    object.Set(name, Napi::Function::New(env, call, name));
  };
  method("prepare", [runner](const Napi::CallbackInfo& info) { return prepare(info.Env(), runner); });
  method("runAndVerify", [runner](const Napi::CallbackInfo& info) { return check(info.Env(), runner, true); });
  method("measure", [runner](const Napi::CallbackInfo& info) { return measure(info, runner); });
  method("measureCeilings", [runner](const Napi::CallbackInfo& info) { return measure_ceilings(info.Env(), runner); });
  method("verify", [runner](const Napi::CallbackInfo& info) { return check(info.Env(), runner, false); });
  method("injectFault", [runner](const Napi::CallbackInfo& info) { inject_fault(info, runner); });
  method("faultKinds", [runner](const Napi::CallbackInfo& info) { return fault_kinds(info.Env(), runner); });
  method("work", [runner](const Napi::CallbackInfo& info) { return work(info.Env(), runner); });
  method("facts", [runner](const Napi::CallbackInfo& info) { return facts(info.Env(), runner); });
  method("ceilings", [runner](const Napi::CallbackInfo& info) { return ceilings(info.Env(), runner); });
  method("stop", [runner](const Napi::CallbackInfo&) { runner->stop_flag().store(true); });
  method("dispose", [runner](const Napi::CallbackInfo&) { runner->dispose(); });
  // A problem that nobody holds any more is disposed like one that was.
  object.AddFinalizer([](Napi::Env, RunnerPointer* held) {
    (*held)->dispose();
    delete held;
  }, new RunnerPointer(runner));
  return object;
}

}  // namespace aibench::addon
