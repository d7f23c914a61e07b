#include "supervisor/notify/transfers.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/fd.h"
#include "supervisor/notify/command_run.h"
#include "supervisor/notify/transfer.h"

namespace hastur {
namespace {

constexpr Micros wait_max = std::chrono::seconds{1};

// A line is there whole or not at all.
Answer append_line(const FileRequest& request) {
  const auto again = [&](int error) {
    return Answer{
        Answer::Verdict::again, request.path + ": " + std::generic_category().message(error), {}};
  };
  // Without O_NONBLOCK a pipe that nobody reads would stop everything.
  const Fd file(open(request.path.c_str(),
                     O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640));
  struct stat before {};
  if (!file.is_open() || fstat(file.get(), &before) != 0) return again(errno);
  const ssize_t written = write(file.get(), request.line.data(), request.line.size());
  if (written == static_cast<ssize_t>(request.line.size())) {
    return {Answer::Verdict::arrived, "written", {}};
  }
  const int error = written < 0 ? errno : ENOSPC;
  if (written > 0 && ftruncate(file.get(), before.st_size) != 0) return again(errno);
  return again(error);
}

}  // namespace

class Transfers::Thread {
 public:
  explicit Thread(Done done) : done_(std::move(done)), multi_(curl_multi_init()) {
    HASTUR_CHECK(multi_ != nullptr, "libcurl has memory for a handle");
    thread_ = std::thread([this] { run(); });
  }
  ~Thread() {
    stop();
    thread_.join();
    for (auto& [easy, entry] : transfers_) curl_multi_remove_handle(multi_.get(), easy);
  }

  // Begins to end; the destructor waits for it.
  void stop() {
    stopping_ = true;
    curl_multi_wakeup(multi_.get());
  }

  void start(std::uint64_t attempt, OutgoingRequest request) {
    {
      const std::lock_guard lock(mutex_);
      incoming_.emplace_back(attempt, std::move(request));
    }
    curl_multi_wakeup(multi_.get());
  }

 private:
  struct Entry {
    std::uint64_t attempt = 0;
    std::unique_ptr<Transfer> transfer;
  };
  struct Run {
    std::uint64_t attempt = 0;
    std::unique_ptr<CommandRun> command;
  };

  void run() {
    // The process handles its signals on the main thread; a receiver that hangs up is no signal.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    while (take()) {
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      finish_transfers();
      step_commands();
      wait();
    }
  }

  // False once it must end.
  bool take() {
    std::vector<std::pair<std::uint64_t, OutgoingRequest>> taken;
    if (stopping_) return false;
    {
      const std::lock_guard lock(mutex_);
      taken.swap(incoming_);
    }
    for (auto& [attempt, request] : taken) begin(attempt, std::move(request));
    return true;
  }

  void begin(std::uint64_t attempt, OutgoingRequest request) {
    const Micros timeout = request.timeout;
    if (auto* http = std::get_if<WebRequest>(&request.what)) {
      add(attempt, make_transfer(std::move(*http), timeout));
    } else if (auto* mail = std::get_if<MailRequest>(&request.what)) {
      add(attempt, make_transfer(std::move(*mail), timeout, stopping_));
    } else if (const auto* command = std::get_if<CommandRequest>(&request.what)) {
      commands_.push_back(
          {attempt, std::make_unique<CommandRun>(*command, clock_.monotonic() + timeout)});
    } else if (const auto* file = std::get_if<FileRequest>(&request.what)) {
      done_(attempt, append_line(*file));
    }
  }

  void add(std::uint64_t attempt, std::unique_ptr<Transfer> transfer) {
    CURL* easy = transfer->easy();
    curl_multi_add_handle(multi_.get(), easy);
    transfers_[easy] = {attempt, std::move(transfer)};
  }

  void finish_transfers() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* easy = message->easy_handle;
      const CURLcode code = message->data.result;
      const auto found = transfers_.find(easy);
      HASTUR_CHECK(found != transfers_.end(), "libcurl finishes what it was given");
      Answer answer = found->second.transfer->answer(code);
      const std::uint64_t attempt = found->second.attempt;
      curl_multi_remove_handle(multi_.get(), easy);
      transfers_.erase(found);
      if (!stopping_) done_(attempt, std::move(answer));
    }
  }

  void step_commands() {
    const Micros now = clock_.monotonic();
    std::erase_if(commands_, [&](Run& run) {
      auto answer = run.command->step(now);
      if (!answer) return false;
      done_(run.attempt, std::move(*answer));
      return true;
    });
  }

  void wait() {
    Micros limit = wait_max;
    std::vector<curl_waitfd> fds;
    for (const Run& run : commands_) {
      limit = std::min(limit, std::max(Micros{0}, run.command->deadline() - clock_.monotonic()));
      for (const int fd : run.command->readable()) fds.push_back({fd, CURL_WAIT_POLLIN, 0});
      if (const int fd = run.command->writable(); fd >= 0) {
        fds.push_back({fd, CURL_WAIT_POLLOUT, 0});
      }
    }
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
    curl_multi_poll(multi_.get(), fds.data(), static_cast<unsigned>(fds.size()),
                    static_cast<int>(ms), nullptr);
  }

  Done done_;
  CurlMulti multi_;
  SystemClock clock_;
  std::unordered_map<CURL*, Entry> transfers_;
  std::vector<Run> commands_;

  std::mutex mutex_;
  std::vector<std::pair<std::uint64_t, OutgoingRequest>> incoming_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

Transfers::Transfers(Done done)
    : done_(std::move(done)), thread_(std::make_unique<Thread>(done_)) {}

Transfers::~Transfers() {
  for (const auto& [server, thread] : mail_threads_) thread->stop();
}

void Transfers::start(std::uint64_t attempt, OutgoingRequest request) {
  Thread* thread = thread_.get();
  if (const auto* mail = std::get_if<MailRequest>(&request.what)) {
    auto& own = mail_threads_[mail->server];
    if (own == nullptr) own = std::make_unique<Thread>(done_);
    thread = own.get();
  }
  thread->start(attempt, std::move(request));
}

}  // namespace hastur
