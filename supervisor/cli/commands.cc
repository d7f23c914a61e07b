#include "supervisor/cli/commands.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/json.h"
#include "core/output.h"
#include "core/udp_sender.h"
#include "supervisor/cli/render.h"

namespace hastur {
namespace {

int send_lines(UdpSender& sender, std::istream& input, const std::string& to, Time now) {
  std::string line;
  std::uint64_t number = 0;
  std::uint64_t sent = 0;
  std::uint64_t refused = 0;
  while (std::getline(input, line)) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (const auto checked = check_message(line, now); !checked) {
      print_error("hastur: line {} is not sent: {}\n", number, checked.error().message);
      ++refused;
      continue;
    }
    if (const auto done = sender.send(line); !done) return complain(done.error());
    ++sent;
  }
  fmt::print("sent {} message{} to {}\n", sent, sent == 1 ? "" : "s", to);
  return refused == 0 ? 0 : 1;
}

}  // namespace

int complain(const Error& error) {
  print_error("hastur: {}\n", error.message);
  return 1;
}

int send_command(const SendOptions& options, std::istream& input, Time now) {
  auto sender = UdpSender::connect(options.to);
  if (!sender) return complain(sender.error());
  if (options.words.type == "-") return send_lines(*sender, input, options.to, now);
  const auto message = compose_message(options.words);
  if (!message) return complain(message.error());
  if (const auto checked = check_message(*message, now); !checked) return complain(checked.error());
  if (const auto sent = sender->send(*message); !sent) return complain(sent.error());
  fmt::print("sent {} to {}\n", *message, options.to);
  return 0;
}

int list_command(HttpClient& http, bool json) {
  const auto answer = http.get_json("/v1/triggers");
  if (!answer) return complain(answer.error());
  fmt::print("{}", json ? canonical_json(*answer) + "\n"
                        : trigger_table(answer->value("items", Json::array())));
  return 0;
}

int show_command(HttpClient& http, const std::string& name, bool json) {
  const std::string path = "/v1/triggers/" + url_path(name);
  auto trigger = http.get_json(path);
  if (!trigger) return complain(trigger.error());
  // A trigger that was refused, or has only begun, has no checkpoint.
  const auto state = http.get_json(path + "/state");
  if (!state && state.error().code != ErrorCode::not_found) return complain(state.error());
  const Json checkpoint = state ? *state : Json(nullptr);
  Json pin = nullptr;
  if (!json && trigger->contains("pinned") && !(*trigger)["pinned"].is_null()) {
    const auto pins = http.get_json("/v1/pins");
    if (!pins) return complain(pins.error());
    for (const Json& each : pins->value("items", Json::array())) {
      if (each.value("trigger", "") == name) pin = each;
    }
  }
  if (json) {
    (*trigger)["checkpoint"] = checkpoint;
    fmt::print("{}\n", canonical_json(*trigger));
  } else {
    fmt::print("{}", trigger_page(*trigger, checkpoint, pin));
  }
  return 0;
}

int snapshots_command(HttpClient& http, const std::string& name, bool json) {
  const auto answer = http.get_json("/v1/triggers/" + url_path(name) + "/snapshots");
  if (!answer) return complain(answer.error());
  fmt::print("{}", json ? canonical_json(*answer) + "\n"
                        : snapshot_table(answer->value("items", Json::array())));
  return 0;
}

int status_command(HttpClient& http) {
  const auto health = http.get("/healthz");
  if (!health) return complain(health.error());
  const auto metrics = http.get("/metrics");
  if (!metrics) return complain(metrics.error());
  const auto triggers = http.get_json("/v1/triggers");
  if (!triggers) return complain(triggers.error());
  // A supervisor without orders about notifications has no such page.
  const auto notify = http.get_json("/v1/notify");
  const auto source = http.get_json("/v1/source");
  const auto parsed = parse_json(health->body);
  fmt::print("{}", status_page(parsed ? *parsed : Json::object(), parse_metrics(metrics->body),
                               triggers->value("items", Json::array()),
                               notify ? *notify : Json(nullptr), source ? *source : Json(nullptr)));
  return health->status == 200 ? 0 : 1;
}

Result<std::string> read_token_file(const std::string& named) {
  std::string path = named;
  if (path.empty()) {
    const char* variable = std::getenv("HASTUR_TOKEN_FILE");
    path = variable != nullptr ? variable : "hastur/token";
    std::error_code ignored;
    if (variable == nullptr && !std::filesystem::exists(path, ignored)) path = "build/run/token";
  }
  std::ifstream file(path);
  std::string token;
  if (file >> token) return token;
  return fail(ErrorCode::not_found,
              fmt::format("there is no token in {}: --token-file names the file that holds it "
                          "(`token` beside the supervisor's state file)",
                          path));
}

Result<Json> order(HttpClient& http, const std::string& verb, const Json& body,
                   const std::string& token_file) {
  const auto token = read_token_file(token_file);
  if (!token) return fail(token.error());
  return http.post_json("/v1/commands/" + verb, body, *token);
}

int trigger_command(HttpClient& http, const std::string& verb, const CommandOptions& options) {
  Json body = {{"trigger", options.trigger}, {"why", options.why}};
  if (!options.snapshot.empty()) body["snapshot"] = options.snapshot;
  const auto answer = order(http, verb, body, options.token_file);
  if (!answer) return complain(answer.error());
  fmt::print("{} is {}\n", options.trigger, answer->value("status", "unknown"));
  return 0;
}

}  // namespace hastur
