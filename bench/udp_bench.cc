// Gauge datagrams of 150 bytes over loopback, as fast as they are taken (a window of 4,096 under
// way): received, numbered, in History (SQLite, default durability) and published to one
// subscriber, beside the floor, which is a bare recvmmsg loop with simdjson parsing each datagram
// and nothing else. The time is CPU of the whole process but for the sender's thread.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <simdjson.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <ctime>
#include <thread>
#include <vector>

#include "core/check.h"
#include "state/history/sqlite_history.h"
#include "syndicator/daemon.h"
#include "tests/support/datagram_sender.h"
#include "tests/support/started_program.h"

namespace hastur {
namespace {

constexpr std::uint64_t window = 4096;

std::vector<std::string> some_datagrams() {
  std::vector<std::string> datagrams;
  for (int i = 0; i < 4000; ++i) {
    datagrams.push_back(fmt::format(
        R"({{"type":"gauge","name":"system.cpu.core.{}","value":{}.{},"timestamp":{},"uuid":"8e58af00-708c-412f-a468-64ce8f3a{:04x}","labels":{{"app":"x","pid":17}}}})",
        i % 40, i % 97, i % 10, 1'700'000'000'000'000 + i * 250, i / 40));
  }
  return datagrams;
}

double cpu_seconds_of(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Sends `count` datagrams, never more than a window ahead of `done`.
class Sender {
 public:
  Sender(const std::string& address, std::uint64_t count) : sender_(address) {
    thread_ = std::thread([this, count] {
      static const std::vector<std::string> datagrams = some_datagrams();
      for (std::uint64_t i = 0; i < count; ++i) {
        while (i >= done.load(std::memory_order_relaxed) + window && !stop.load())
          std::this_thread::yield();
        sender_.send(datagrams[i % datagrams.size()]);
      }
      cpu_ = cpu_seconds_of(CLOCK_THREAD_CPUTIME_ID);
    });
  }
  // CPU seconds of its thread.
  double join() {
    stop.store(true);
    thread_.join();
    return cpu_;
  }
  std::atomic<std::uint64_t> done{0};
  std::atomic<bool> stop{false};

 private:
  DatagramSender sender_;
  std::thread thread_;
  double cpu_ = 0;
};

// Runs `take(done)` until it has taken all, and reports CPU and wall time for each.
template <class Take>
void measure(benchmark::State& state, const std::string& address, const Take& take) {
  const auto count = static_cast<std::uint64_t>(state.range(0));
  double cpu = 0;
  double wall = 0;
  for (auto _ : state) {
    const double cpu_before = cpu_seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    const auto wall_before = std::chrono::steady_clock::now();
    Sender sender(address, count);
    take(count, sender.done);
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - wall_before;
    const double of_sender = sender.join();
    const double used = cpu_seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_before - of_sender;
    state.SetIterationTime(used);
    cpu += used;
    wall += passed.count();
  }
  const auto all = static_cast<double>(state.iterations()) * static_cast<double>(count);
  state.SetItemsProcessed(static_cast<std::int64_t>(all));
  state.counters["cpu_ns_per_message"] = cpu / all * 1e9;
  state.counters["messages_per_s"] = all / wall;
}

// The floor.
void bench_recvmmsg_simdjson(benchmark::State& state) {
  Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int buffer = 32 << 20;
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  HASTUR_CHECK(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) == 0,
               "a free port can be bound");
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);

  constexpr std::size_t slot = 65'536;
  constexpr std::size_t slots = 64;
  std::vector<char> bytes(slot * slots + simdjson::SIMDJSON_PADDING);
  std::array<iovec, slots> parts{};
  std::array<mmsghdr, slots> messages{};
  for (std::size_t i = 0; i < slots; ++i) {
    parts[i] = {bytes.data() + i * slot, slot - simdjson::SIMDJSON_PADDING};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  simdjson::dom::parser parser;
  measure(state, fmt::format("127.0.0.1:{}", ntohs(address.sin_port)),
          [&](std::uint64_t count, std::atomic<std::uint64_t>& done) {
            for (std::uint64_t got = 0; got < count;) {
              const int some =
                  ::recvmmsg(socket.get(), messages.data(), slots, MSG_WAITFORONE, nullptr);
              for (int i = 0; i < some; ++i) {
                const auto at = static_cast<std::size_t>(i);
                auto parsed = parser.parse(bytes.data() + at * slot, messages[at].msg_len, false);
                benchmark::DoNotOptimize(parsed);
              }
              got += static_cast<std::uint64_t>(some);
              done.store(got, std::memory_order_relaxed);
            }
          });
}

void bench_syndicator(benchmark::State& state) {
  TemporaryFolder folder;
  SqliteHistoryOptions stored;
  stored.directory = folder.file("history");
  stored.boot_id = "bench";
  auto history = open_history(stored);
  HASTUR_CHECK(history.has_value(), "a History can be made");
  SystemClock system_clock;
  SharedClock clock(system_clock);
  Loop loop;
  ZmqContext context;
  SyndicatorOptions options;
  options.udp = "127.0.0.1:0";
  options.publish = options.request = "tcp://127.0.0.1:*";
  auto daemon = SyndicatorDaemon::start(loop, clock, context, **history, options);
  HASTUR_CHECK(daemon.has_value(), "a syndicator starts on free ports");

  std::uint64_t bytes = 0;
  ZmqSocket subscriber(context, ZmqKind::sub, {});
  HASTUR_CHECK(subscriber.connect((*daemon)->publish_address()).has_value(),
               "it can be subscribed to");
  SocketWatch watch(loop, subscriber, [&] {
    while (const auto parts = subscriber.receive()) bytes += parts->front().size();
  });
  std::uint64_t lost = 0;
  measure(state, (*daemon)->udp_address(),
          [&](std::uint64_t count, std::atomic<std::uint64_t>& done) {
            const auto received = [&] {
              const auto& counters = (*daemon)->logic().numbering().counters();
              const auto of = [&](const char* name) {
                const auto found = counters.find(name);
                return found == counters.end() ? 0 : found->second;
              };
              lost = of("kernel_dropped") + of("ring_dropped");
              return of("received") + lost;
            };
            const std::uint64_t before = received();
            for (std::uint64_t got = 0; got < count;) {
              loop.run_some(std::chrono::milliseconds{100});
              got = received() - before;
              done.store(got, std::memory_order_relaxed);
            }
          });
  state.counters["lost"] = static_cast<double>(lost);
  state.counters["published_bytes_per_message"] =
      static_cast<double>(bytes) / static_cast<double>(state.iterations() * state.range(0));
}

BENCHMARK(bench_recvmmsg_simdjson)->Arg(50'000)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(bench_syndicator)->Arg(50'000)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace hastur

BENCHMARK_MAIN();
