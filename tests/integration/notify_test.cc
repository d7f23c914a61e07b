// Notifications on their way to a receiver that fails, from a supervisor that is killed: each
// arrives, under one id, in the order of its incident.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "core/clock.h"
#include "core/fd.h"
#include "core/json.h"
#include "tests/integration/platform.h"
#include "tests/integration/waiting.h"
#include "tests/supervisor/notify/http_receiver.h"

namespace hastur {
namespace {

constexpr std::uint64_t keys = 300;

// Each counter is a notification; those of one key trigger and resolve their incident in turn.
std::string paging_script(const std::string& url) {
  return fmt::format(R"(
local url = "{}")",
                     url) +
         R"(
local ctx = hastur.trigger{ state = { count = 0 } }

ctx:counters({ name = "it.page" }, function(msg)
  local n = ctx.state.count
  ctx.state.count = n + 1
  web_hook(url, { key = "k" .. n % 300, action = n % 600 < 300 and "trigger" or "resolve",
    body = { n = n } })
end)
)";
}

class Pages {
 public:
  explicit Pages(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    to_.sin_family = AF_INET;
    to_.sin_port = htons(port);
    to_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  void send() {
    constexpr std::string_view text = R"({"type":"counter","name":"it.page","value":1})";
    HASTUR_CHECK(sendto(socket_.get(), text.data(), text.size(), 0,
                        reinterpret_cast<const sockaddr*>(&to_), sizeof to_) > 0,
                 "a datagram leaves");
  }

 private:
  Fd socket_;
  sockaddr_in to_{};
};

// What has been answered with 2xx, by the number in its body.
struct Arrived {
  std::string id;
  std::vector<std::size_t> at;
};

std::map<std::uint64_t, Arrived> arrived(HttpReceiver& receiver,
                                         const std::vector<bool>& accepted) {
  std::map<std::uint64_t, Arrived> found;
  const auto requests = receiver.requests();
  for (std::size_t at = 0; at < requests.size(); ++at) {
    const auto body = parse_json(requests[at].body);
    EXPECT_TRUE(body && body->contains("n")) << requests[at].body;
    if (!body || !body->contains("n")) continue;
    Arrived& each = found[(*body)["n"].get<std::uint64_t>()];
    const std::string& id = requests[at].headers.at("x-hastur-notification");
    EXPECT_TRUE(each.id.empty() || each.id == id) << each.id << " is also " << id;
    each.id = id;
    if (at < accepted.size() && accepted[at]) each.at.push_back(at);
  }
  return found;
}

TEST(Notify, EveryNotificationArrivesInOrderOverKillsOfTheSupervisor) {
  constexpr std::uint64_t per_second = is_sanitized ? 40 : 200;
  constexpr int kills = 5;
  const auto seed = static_cast<std::uint32_t>(SystemClock().now().time_since_epoch().count());
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);

  HttpReceiver receiver;
  std::atomic<bool> failing = true;
  std::vector<bool> accepted;  // under the receiver's lock
  receiver.judges([&, third = std::mt19937(seed)](const HttpReceiver::Request&) mutable {
    accepted.push_back(third() % 3 != 0 || !failing);
    return accepted.back() ? HttpReceiver::Answer{.status = 202}
                           : HttpReceiver::Answer{.status = 503};
  });

  Platform platform;
  platform.configure("notify = \"on\"",
                     fmt::format("[notify.hook]\nkind = \"web_hook\"\nallow = [\"{}\"]\n"
                                 "default = true\n",
                                 receiver.host()));
  platform.save_script("paging", paging_script(receiver.url("/page")));
  ASSERT_TRUE(platform.start_syndicator());
  ASSERT_TRUE(platform.start_supervisor());
  ASSERT_TRUE(platform.wait_for_triggers());

  Pages pages(platform.udp_port());
  std::uint64_t sent = 0;
  for (int round = 0; round <= kills; ++round) {
    const std::uint64_t until = sent + per_second / 2 + random() % (per_second / 2);
    for (; sent < until; ++sent) {
      pages.send();
      std::this_thread::sleep_for(std::chrono::microseconds{1'000'000 / per_second});
    }
    if (round == kills) break;
    platform.supervisor().kill_9();
    ASSERT_TRUE(platform.start_supervisor());
  }
  // All that was sent has been counted, and none twice.
  std::uint64_t counted = 0;
  EXPECT_TRUE(wait_until(
      [&] {
        const auto state = platform.get("/v1/triggers/paging/state");
        if (state) counted = (*state)["state"].value("count", std::uint64_t{0});
        return counted >= sent;
      },
      std::chrono::seconds{is_sanitized ? 120 : 60}));
  EXPECT_EQ(counted, sent);
  failing = false;

  // Each has arrived: a mark of the store says so last.
  const bool all_sent = wait_until(
      [&] {
        const auto waiting = platform.get("/v1/notifications?status=waiting&limit=1");
        return waiting && (*waiting)["items"].empty();
      },
      std::chrono::seconds{is_sanitized ? 120 : 60});
  EXPECT_TRUE(all_sent);
  platform.stop();

  const auto found = arrived(receiver, accepted);
  EXPECT_EQ(found.size(), sent);
  std::map<std::string, std::uint64_t> of_id;
  std::vector<const Arrived*> before(keys, nullptr);
  for (const auto& [number, each] : found) {
    EXPECT_FALSE(each.at.empty()) << number << " never arrived";
    EXPECT_TRUE(of_id.try_emplace(each.id, number).second) << each.id << " is of two";
    if (each.at.empty()) continue;
    // Repeated after a kill or not: the first and the last time of each are in order.
    const Arrived*& last = before[number % keys];
    if (last != nullptr) {
      EXPECT_LT(last->at.front(), each.at.front()) << number;
      EXPECT_LT(last->at.back(), each.at.back()) << number;
    }
    last = &each;
  }
}

TEST(Notify, TheWatchdogIsCalledWhenAHeartbeatWentTheWholeWay) {
  HttpReceiver receiver;
  Platform platform;
  ASSERT_TRUE(platform.start_syndicator());
  platform.configure("", fmt::format("[platform]\nwatchdog_url = \"{}\"\nwatchdog_udp = "
                                     "\"127.0.0.1:{}\"\n",
                                     receiver.url("/ping/1"), platform.udp_port()));
  ASSERT_TRUE(platform.start_supervisor());
  EXPECT_TRUE(wait_until([&] { return !receiver.requests().empty(); },
                         std::chrono::seconds{is_sanitized ? 120 : 60}));
  platform.stop();
  ASSERT_FALSE(receiver.requests().empty());
  EXPECT_EQ(receiver.requests().front().method, "GET");
  EXPECT_EQ(receiver.requests().front().target, "/ping/1");
}

TEST(Notify, NoSecretStandsInLogsAnswersOrRows) {
  // The first is "user:planted-password-1" in base64; none of its forms may stand.
  const std::string password = "planted-password-1";
  const std::string encoded = "dXNlcjpwbGFudGVkLXBhc3N3b3JkLTE=";
  const std::vector<std::string> secrets = {"Basic " + encoded, "planted-signing-key-2"};
  setenv("HASTUR_PLANTED_1", secrets[0].c_str(), 1);
  setenv("HASTUR_PLANTED_2", secrets[1].c_str(), 1);
  HttpReceiver receiver;
  // It repeats what it refuses.
  receiver.judges([](const HttpReceiver::Request& request) {
    return HttpReceiver::Answer{
        .status = 400,
        .body = fmt::format("no: {} ({}, {})", request.headers.at("authorization"),
                            "planted-password-1", "eDpwbGFudGVkLXNpZ25pbmcta2V5LTI=")};
  });
  Platform platform;
  platform.configure("notify = \"on\"\nlog = \"debug\"",
                     fmt::format("[notify.hook]\nkind = \"web_hook\"\nallow = [\"{}\"]\n"
                                 "default = true\nauthorization_env = \"HASTUR_PLANTED_1\"\n"
                                 "signing_key_env = \"HASTUR_PLANTED_2\"\n",
                                 receiver.host()));
  platform.save_script("paging", paging_script(receiver.url("/page")));
  ASSERT_TRUE(platform.start_syndicator());
  ASSERT_TRUE(platform.start_supervisor());
  ASSERT_TRUE(platform.wait_for_triggers());
  Pages(platform.udp_port()).send();
  std::optional<Json> failed;
  ASSERT_TRUE(wait_until(
      [&] {
        failed = platform.get("/v1/notifications?status=failed");
        return failed && !(*failed)["items"].empty();
      },
      std::chrono::seconds{20}));
  EXPECT_EQ(receiver.requests().at(0).headers.at("authorization"), secrets[0]);
  EXPECT_NE((*failed)["items"][0]["reason"].get<std::string>().find("(secret)"), std::string::npos);

  std::string said = failed->dump();
  for (const char* path :
       {"/v1/notify", "/v1/incidents", "/v1/triggers", "/v1/notifications/n-0001"})
    said += platform.get(path).value_or(Json()).dump();
  platform.stop();
  said += platform.supervisor().whole_log();
  for (const char* ending : {"", "-wal"}) {
    std::ifstream file(platform.state_file() + ending, std::ios::binary);
    said.append(std::istreambuf_iterator<char>(file), {});
  }
  EXPECT_NE(said.find("(secret)"), std::string::npos);
  // base64 of what ends in a secret, from its third character on.
  const std::string others = "bGFudGVkLXNpZ25pbmct";
  for (const std::string& secret :
       {secrets[0], secrets[1], password, encoded, encoded.substr(8, 12), others})
    EXPECT_EQ(said.find(secret), std::string::npos) << secret;
}

// What a trigger in the folder asks of the default channel.
constexpr const char* default_hook_script = R"(
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:counters({ name = "it.page" }, function(msg)
  ctx.state.n = ctx.state.n + 1
  pager_duty("k" .. ctx.state.n, "page")
end)
)";

TEST(Notify, ChannelsAreReadAgainAtSighup) {
  HttpReceiver first, second;
  Platform platform;
  const std::string key_file = platform.folder() / "key";
  const auto write_key = [&](const char* key) { std::ofstream(key_file) << key << "\n"; };
  const auto channel = [&](const char* name, const HttpReceiver& receiver) {
    return fmt::format(
        "[notify.{}]\nkind = \"pager_duty\"\ndefault = true\nurl = \"{}\"\n"
        "routing_key_file = \"{}\"\n",
        name, receiver.url("/v2"), key_file);
  };
  write_key("first-routing-key");
  platform.configure("notify = \"on\"", channel("oncall", first));
  platform.save_script("paging", default_hook_script);
  ASSERT_TRUE(platform.start_syndicator());
  ASSERT_TRUE(platform.start_supervisor());
  ASSERT_TRUE(platform.wait_for_triggers());
  Pages pages(platform.udp_port());
  const auto arrives = [&](HttpReceiver& receiver, std::size_t count) {
    pages.send();
    return wait_until([&] { return receiver.requests().size() >= count; },
                      std::chrono::seconds{60});
  };
  const auto key_of_last = [](HttpReceiver& receiver) {
    return parse_json(receiver.requests().back().body).value_or(Json())["routing_key"];
  };
  const auto logged = [&](const std::string& words) {
    return wait_until(
        [&] { return platform.supervisor().whole_log().find(words) != std::string::npos; },
        std::chrono::seconds{60});
  };
  ASSERT_TRUE(arrives(first, 1));
  EXPECT_EQ(key_of_last(first), "first-routing-key");

  // The secret is another, in the same file.
  write_key("second-routing-key");
  platform.reconfigure("notify = \"on\"", channel("oncall", first));
  ASSERT_TRUE(logged("the channel oncall is another"));
  ASSERT_TRUE(arrives(first, 2));
  EXPECT_EQ(key_of_last(first), "second-routing-key");

  // A file that is wrong changes nothing at all.
  platform.reconfigure("notify = \"off\"", channel("oncall", second) + "colour = \"red\"\n");
  ASSERT_TRUE(logged("SIGHUP: no setting changes: "));
  ASSERT_TRUE(arrives(first, 3));

  // One goes, another comes.
  platform.reconfigure("notify = \"on\"", channel("night", second));
  ASSERT_TRUE(logged("the channel night is new"));
  ASSERT_TRUE(logged("the channel oncall is gone"));
  ASSERT_TRUE(arrives(second, 1));
  EXPECT_EQ(first.requests().size(), 3u);
  const auto overview = platform.get("/v1/notify");
  ASSERT_TRUE(overview);
  ASSERT_EQ((*overview)["channels"].size(), 1u);
  EXPECT_EQ((*overview)["channels"][0]["name"], "night");

  // The mode is another, too.
  platform.reconfigure("notify = \"record\"", channel("night", second));
  ASSERT_TRUE(wait_until([&] { return (*platform.get("/v1/notify"))["mode"] == "record"; },
                         std::chrono::seconds{60}));
  pages.send();
  ASSERT_TRUE(wait_until(
      [&] {
        const auto kept = platform.get("/v1/notifications?status=recorded");
        return kept && (*kept)["items"].size() == 1;
      },
      std::chrono::seconds{60}));
  EXPECT_EQ(second.requests().size(), 1u);
  platform.stop();
}

TEST(Notify, AlertsAreNotRepeatedOnAChannelThatIsOff) {
  HttpReceiver quiet, other;
  Platform platform;
  const auto channel = [](const char* name, const HttpReceiver& receiver) {
    return fmt::format(
        "[notify.{}]\nkind = \"alertmanager\"\nurl = \"{}\"\nresend_every = \"1s\"\n", name,
        receiver.url(""));
  };
  platform.configure("notify = \"on\"", channel("quiet", quiet) + channel("other", other));
  platform.save_script("paging", R"(
local ctx = hastur.trigger{ state = {} }
ctx:counters({ name = "it.page" }, function(msg)
  alertmanager({ alertname = "disk" }, {}, { to = "quiet" })
  alertmanager({ alertname = "disk" }, {}, { to = "other" })
end)
)");
  ASSERT_TRUE(platform.start_syndicator());
  ASSERT_TRUE(platform.start_supervisor());
  ASSERT_TRUE(platform.wait_for_triggers());
  Pages(platform.udp_port()).send();
  const auto has = [](HttpReceiver& receiver, std::size_t count) {
    return wait_until([&] { return receiver.requests().size() >= count; },
                      std::chrono::seconds{60});
  };
  ASSERT_TRUE(has(quiet, 2)) << "it is repeated";
  const auto off = platform.run_hastur("notify off --channel quiet --why test");
  ASSERT_EQ(off.exit_code, 0) << off.error;
  // What was under way at that moment may still come.
  const std::size_t before = quiet.requests().size();
  ASSERT_TRUE(has(other, other.requests().size() + 4));
  EXPECT_LE(quiet.requests().size(), before + 1);
  ASSERT_EQ(platform.run_hastur("notify default --channel quiet").exit_code, 0);
  EXPECT_TRUE(has(quiet, before + 3)) << "it fires still";
  platform.stop();
}

}  // namespace
}  // namespace hastur
