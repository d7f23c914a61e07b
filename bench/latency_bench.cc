// From the datagram in to the web hook's request out, through the real daemons over loopback: the
// datagram is received, numbered, published, routed, its callback asks for a web hook, that is
// committed to the state file (default durability), and the request stands at its receiver.
//
// Beside it flow as many datagrams a second as the argument says, of every type, past the rules of
// triggers/. The time of one iteration is the wall time of one page; p50_ms and p99_ms are of all
// of them, so that a p99 wants some hundreds: --benchmark_min_time=10.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "tests/integration/load.h"
#include "tests/integration/platform.h"
#include "tests/supervisor/notify/http_receiver.h"
#include "tests/support/datagram_sender.h"

namespace hastur {
namespace {

using Instant = std::chrono::steady_clock::time_point;

std::string paging_script(const std::string& url) {
  return fmt::format(R"(local url = "{}"
local ctx = hastur.trigger()
ctx:gauges({{ name = "bench.page" }}, function(msg)
  web_hook(url, {{ key = "k" .. msg.value, body = {{ n = msg.value }} }})
end)
)",
                     url);
}

// A receiver that notes when each page's request was there.
class Pager {
 public:
  Pager() {
    receiver_.judges([this](const HttpReceiver::Request& request) {
      const Instant now = std::chrono::steady_clock::now();
      const std::lock_guard lock(mutex_);
      // {"n":17}
      std::uint64_t number = 0;
      std::from_chars(request.body.data() + 5, request.body.data() + request.body.size(), number);
      if (number == awaited_) arrived_ = now;
      changed_.notify_all();
      return HttpReceiver::Answer{.status = 202};
    });
  }
  const HttpReceiver& receiver() const { return receiver_; }

  void await(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    awaited_ = number;
    arrived_.reset();
  }
  // When the request of the awaited page came; nothing if it never does.
  std::optional<Instant> arrival() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds{30}, [this] { return arrived_.has_value(); });
    return arrived_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t awaited_ = 0;
  std::optional<Instant> arrived_;
  HttpReceiver receiver_;
};

double milliseconds(std::chrono::steady_clock::duration span) {
  return std::chrono::duration<double, std::milli>(span).count();
}

void from_packet_to_request(benchmark::State& state) {
  Pager pager;
  Platform platform;
  platform.configure("notify = \"on\"",
                     fmt::format("[notify.hook]\nkind = \"web_hook\"\nallow = [\"{}\"]\n"
                                 "default = true\n[notify.rest]\nkind = \"file\"\npath = \"{}\"\n"
                                 "default = true\n",
                                 pager.receiver().host(), (platform.folder() / "rest").string()));
  platform.copy_repo_scripts();
  platform.save_script("paging", paging_script(pager.receiver().url("/page")));
  if (!platform.start_syndicator() || !platform.start_supervisor() || !platform.wait_for_triggers())
    return state.SkipWithError("the daemons do not start");

  Sender others(platform.udp_port());
  others.send(std::nullopt, static_cast<std::uint64_t>(state.range(0)));
  DatagramSender sender(fmt::format("127.0.0.1:{}", platform.udp_port()));
  // At no fixed moment of the daemons' own rounds.
  std::mt19937 random(1);
  std::vector<double> all;
  std::uint64_t number = 0;
  for (auto _ : state) {
    std::this_thread::sleep_for(std::chrono::microseconds{2'000 + random() % 10'000});
    pager.await(++number);
    const Instant sent = std::chrono::steady_clock::now();
    sender.send(fmt::format(R"({{"type":"gauge","name":"bench.page","value":{}}})", number));
    const auto arrived = pager.arrival();
    if (!arrived) {
      state.SkipWithError("a page never arrived");
      break;
    }
    all.push_back(milliseconds(*arrived - sent));
    state.SetIterationTime(all.back() / 1'000);
  }
  others.stop();
  platform.stop();
  if (all.empty()) return;
  std::ranges::sort(all);
  const auto at = [&](double share) {
    return all[static_cast<std::size_t>(share * static_cast<double>(all.size() - 1))];
  };
  state.counters["pages"] = static_cast<double>(all.size());
  state.counters["p50_ms"] = at(0.5);
  state.counters["p99_ms"] = at(0.99);
  state.counters["max_ms"] = all.back();
}
BENCHMARK(from_packet_to_request)->Arg(5'000)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace hastur

BENCHMARK_MAIN();
