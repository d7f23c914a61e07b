#include "supervisor/http/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/json.h"
#include "message/filter.h"
#include "message/json_codec.h"
#include "supervisor/dispatch/run_order.h"
#include "supervisor/http/answers.h"
#include "supervisor/http/metrics.h"

namespace hastur {
namespace {

std::string_view phase_name(const Trigger& trigger, Sequence main) {
  switch (trigger.phase) {
    case Trigger::Phase::waiting:
    case Trigger::Phase::loading:
      return "loading";
    case Trigger::Phase::restoring:
      return "catching_up";
    case Trigger::Phase::running:
      if (trigger.open_pause() != nullptr) return "paused";
      return trigger.dispatched() >= main ? "running" : "catching_up";
    case Trigger::Phase::judging:
      return trigger.next_switch ? "switching" : "paused";
    case Trigger::Phase::failed:
      return "failed";
  }
  return "unknown";
}

constexpr std::string_view commands_prefix = "/v1/commands/";

// "localhost", "127.0.0.1:8127", "[::1]:8127": nothing that a name server answers for.
bool is_own_host(std::string host) {
  const auto colon = host.rfind(':');
  if (colon != std::string::npos && host.find(']', colon) == std::string::npos) host.resize(colon);
  return host == "localhost" || parse_listen_address(host + ":1").has_value();
}

std::string_view place_name(Dispatcher::Place place) {
  switch (place) {
    case Dispatcher::Place::shared:
      return "shared";
    case Dispatcher::Place::slow:
      return "slow";
    case Dispatcher::Place::alone:
      return "alone";
    case Dispatcher::Place::isolated:
      return "process";
  }
  return "unknown";
}

Json pause_json(const Pause& pause) {
  return {{"by", pause.by_person ? "person" : "platform"},
          {"why", pause.why},
          {"sequence", pause.from.value},
          {"since", to_us(pause.since)},
          {"retry_at", pause.retry_at ? Json(to_us(*pause.retry_at)) : Json(nullptr)}};
}

Json error_json(const ScriptError& error) {
  return {{"text", error.text}, {"script", error.script}, {"line", error.line}};
}

}  // namespace

Api::Api(Dispatcher& dispatcher, CheckpointStore& store, HistoryReader& history, Clock& clock,
         Options options)
    : dispatcher_(dispatcher),
      store_(store),
      history_(history),
      clock_(clock),
      options_(std::move(options)),
      replay_(dispatcher, options_.state_file) {}

void Api::answer(const HttpRequest& request, const HttpServer::Respond& respond) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const auto plain = [&](HttpResponse answer) {
    respond(without_arguments(request, std::move(answer)));
  };
  if (!options_.token.empty() && !request.from_loopback &&
      !same_secret(request.token, options_.token)) {
    return respond(
        refuse(401, "unauthorized", "this address wants the header Authorization: Bearer TOKEN"));
  }
  if (request.path.starts_with(commands_prefix)) return command(request, respond);
  if (!reads) {
    return respond(refuse(405, "method_not_allowed",
                          fmt::format("{} has nothing to {}", request.path, request.method)));
  }
  if (options_.notify != nullptr) {
    if (auto answer = options_.notify->read(request)) return respond(std::move(*answer));
  }
  if (options_.deploy != nullptr) {
    if (auto answer = options_.deploy->read(request)) return respond(std::move(*answer));
  }
  if (options_.commits != nullptr) {
    if (auto answer = options_.commits->read(request)) return respond(std::move(*answer));
  }
  if (request.path == "/healthz") return plain(health());
  if (request.path == "/metrics") return plain(metrics());
  if (request.path == "/v1/triggers") return plain(triggers());
  if (request.path == "/v1/notifications") return respond(notifications(request));
  if (request.path == "/v1/stats") return stats(request, respond);
  if (request.path == "/v1/messages") return messages(request, respond);
  constexpr std::string_view prefix = "/v1/triggers/";
  constexpr std::string_view state_suffix = "/state";
  constexpr std::string_view snapshots_suffix = "/snapshots";
  if (request.path.starts_with(prefix) && request.path.size() > prefix.size()) {
    const std::string name = request.path.substr(prefix.size());
    if (name.ends_with(state_suffix))
      return plain(state(name.substr(0, name.size() - state_suffix.size())));
    if (name.ends_with(snapshots_suffix))
      return plain(snapshots(name.substr(0, name.size() - snapshots_suffix.size())));
    return plain(trigger(name));
  }
  respond(refuse(404, "not_found",
                 fmt::format("there is nothing at {}; there are /v1/triggers, /v1/triggers/NAME, "
                             "/v1/triggers/NAME/state, /v1/triggers/NAME/snapshots, "
                             "/v1/notifications, /v1/notifications/ID, /v1/incidents, "
                             "/v1/notify, /v1/notify/orders, /v1/deployments, /v1/deployments/ID, "
                             "/v1/pins, /v1/source, /v1/messages, /v1/stats, /metrics, "
                             "/healthz, and POST /v1/commands/VERB",
                             request.path)));
}

void Api::command(const HttpRequest& request, const HttpServer::Respond& respond) {
  if (request.method != "POST")
    return respond(
        refuse(405, "method_not_allowed", "a command is a POST with a JSON object as its body"));
  // A page in somebody's browser must not be able to act in their name, whatever its host's name
  // resolves to.
  if (!is_own_host(request.host))
    return respond(
        refuse(403, "forbidden",
               "the header Host must be this server's address: localhost or a literal one"));
  if (!request.origin.empty() && request.origin != "http://" + request.host)
    return respond(refuse(403, "forbidden", "the header Origin is of another place"));
  if (!same_secret(request.token, options_.token))
    return respond(refuse(401, "unauthorized",
                          "what changes something wants the header Authorization: Bearer TOKEN"));
  if (!request.query.empty())
    return respond(
        refuse(400, "bad_argument", "a command takes its arguments from its body, a JSON object"));
  const auto body = parse_json(request.body.empty() ? "{}" : request.body);
  if (!body || !body->is_object())
    return respond(refuse(400, "bad_argument", "the body is not a JSON object"));
  const std::string verb = request.path.substr(commands_prefix.size());
  if (verb == "pause" || verb == "resume" || verb == "restore")
    return respond(command_trigger(verb, *body));
  if (verb == "replay") return respond(replay_.command(*body));
  if (options_.notify != nullptr && options_.notify->command(verb, *body, respond)) return;
  if (options_.deploy != nullptr && options_.deploy->command(verb, *body, respond)) return;
  if (options_.commits != nullptr && options_.commits->command(verb, *body, respond)) return;
  respond(refuse(404, "not_found",
                 fmt::format("there is no command '{}'; there are pause, resume, restore, replay, "
                             "{}, {}, and {}",
                             verb, NotifyApi::verbs, CommitApi::verbs, DeployApi::verbs)));
}

std::size_t Api::body_bytes_max(const HttpRequest& head) const {
  constexpr std::size_t others = 1u << 20;
  const bool may_change = !options_.token.empty() && same_secret(head.token, options_.token);
  return may_change && CommitApi::takes_a_commit(head.path) ? CommitApi::body_bytes_max : others;
}

HttpResponse Api::command_trigger(const std::string& verb, const Json& body) {
  Fields fields(body);
  const TriggerName name = fields.text("trigger");
  const std::string why = fields.why();
  const std::string id = verb == "restore" ? fields.text("snapshot") : "";
  if (auto wrong = fields.refusal()) return *std::move(wrong);
  if (name.empty())
    return refuse(400, "bad_argument", R"(say which: {"trigger":"NAME","why":"…"})");
  std::uint64_t snapshot = 0;
  if (verb == "restore") {
    const auto [end, error] = std::from_chars(id.data() + std::min<std::size_t>(2, id.size()),
                                              id.data() + id.size(), snapshot);
    if (!id.starts_with("s-") || error != std::errc{} || end != id.data() + id.size())
      return refuse(400, "bad_argument",
                    R"(say which snapshot: {"trigger":"NAME","snapshot":"s-12","why":"…"})");
  }
  const auto restored = [&]() -> Result<void> {
    const auto ticket = dispatcher_.restore(name, snapshot, why);
    return ticket ? Result<void>() : fail(ticket.error());
  };
  const Result<void> done = verb == "pause"    ? dispatcher_.pause(name, why)
                            : verb == "resume" ? dispatcher_.resume(name, why)
                                               : restored();
  if (!done) {
    const bool unknown = done.error().code == ErrorCode::not_found;
    return refuse(unknown ? 404 : 409, unknown ? "not_found" : "conflict", done.error().message);
  }
  if (dispatcher_.commit_error())
    return refuse(503, "not_stored",
                  fmt::format("it takes effect once it can be stored, which it cannot now: {}",
                              dispatcher_.commit_error()->message));
  return ok(describe(*dispatcher_.triggers().at(name)));
}

Json Api::describe(const Trigger& trigger) const {
  const Sequence newest = dispatcher_.newest();
  Json json = {{"name", trigger.name()},
               {"status", phase_name(trigger, dispatcher_.main_position())},
               {"version", trigger.version().id},
               {"run", trigger.run().value},
               {"cursor", trigger.cursor().value},
               {"lag", newest > trigger.cursor() ? newest.value - trigger.cursor().value : 0},
               {"state_sequence", trigger.stored_through().value},
               {"effects_sequence", trigger.stored().effects_sequence.value},
               {"state_bytes", trigger.stored().state.size()},
               {"state_bytes_max", trigger.loaded.state_bytes_max},
               {"callbacks", trigger.counts.callbacks},
               {"instructions", trigger.counts.instructions},
               {"cpu_us", trigger.counts.cpu.count()},
               {"effects", trigger.counts.effects},
               {"effects_cut", trigger.counts.effects_cut},
               {"helpers_dropped", trigger.counts.helpers_dropped},
               {"errors", trigger.counts.errors},
               {"restarts", trigger.counts.restarts},
               {"diverged", trigger.counts.diverged},
               {"worker", trigger.worker},
               {"isolation", place_name(dispatcher_.place(trigger))},
               {"paused", nullptr},
               {"pinned", nullptr},
               {"last_error", nullptr},
               {"load_error", nullptr},
               {"refused", nullptr}};
  if (const auto pin = dispatcher_.pins().find(trigger.name()); pin != dispatcher_.pins().end())
    json["pinned"] = pin->second.why;
  if (trigger.last_error) {
    Json error = error_json(trigger.last_error->error);
    error["sequence"] = trigger.last_error->sequence.value;
    error["time"] = to_us(trigger.last_error->time);
    json["last_error"] = std::move(error);
  }
  if (const Pause* pause = trigger.open_pause()) json["paused"] = pause_json(*pause);
  if (trigger.load_error) json["load_error"] = error_json(*trigger.load_error);
  if (trigger.refused) json["refused"] = error_json(*trigger.refused);
  return json;
}

// As far as one that has never run has the keys of those that have.
Json Api::describe(const TriggerName& name, const Dispatcher::Refused& refused) {
  return {{"name", name},
          {"status", "refused"},
          {"run", 0},
          {"version", nullptr},
          {"paused", nullptr},
          {"last_error", nullptr},
          {"errors", 0},
          {"load_error", nullptr},
          {"refused", error_json(refused.error)},
          {"refused_at", to_us(refused.at)}};
}

HttpResponse Api::triggers() const {
  Json items = Json::array();
  for (const auto& [name, trigger] : dispatcher_.triggers()) items.push_back(describe(*trigger));
  for (const auto& [name, refused] : dispatcher_.refused()) {
    items.push_back(describe(name, refused));
  }
  std::sort(items.begin(), items.end(),
            [](const Json& a, const Json& b) { return a["name"] < b["name"]; });
  return list(std::move(items), nullptr);
}

HttpResponse Api::trigger(const TriggerName& name) const {
  const auto found = dispatcher_.triggers().find(name);
  if (found == dispatcher_.triggers().end()) {
    const auto refused = dispatcher_.refused().find(name);
    if (refused == dispatcher_.refused().end()) return no_such_trigger(name);
    return ok(describe(name, refused->second));
  }
  const Trigger& trigger = *found->second;
  Json json = describe(trigger);
  json["script"] = trigger.version().script.path;
  Json subscriptions = Json::array();
  for (const SubscriptionSpec& spec : trigger.loaded.subscriptions) {
    Json types = Json::array();
    for (const MessageType type : spec.types) types.push_back(type_name(type));
    auto filter = parse_json(spec.filter);
    subscriptions.push_back({{"line", spec.line},
                             {"types", std::move(types)},
                             {"filter", filter ? std::move(*filter) : Json::object()},
                             {"own", spec.own}});
  }
  json["subscriptions"] = std::move(subscriptions);
  json["periodic"] = trigger.loaded.periodic;
  Json errors = Json::array();
  if (const auto logs = store_.logs(name, 20)) {
    for (const LogRecord& log : *logs) {
      errors.push_back({{"kind", log.kind},
                        {"sequence", log.sequence.value},
                        {"time", to_us(log.time)},
                        {"text", log.text},
                        {"script", log.script},
                        {"line", log.line}});
    }
  }
  json["log"] = std::move(errors);
  return ok(json);
}

HttpResponse Api::state(const TriggerName& name) const {
  const auto stored = store_.load(name);
  if (!stored) return refuse(500, "store", stored.error().message);
  if (!*stored) return no_such_trigger(name);
  const Checkpoint& checkpoint = (*stored)->checkpoint;
  // The text is canonical JSON already; a trigger that has not been judged yet has the state that
  // its script gives.
  return {200, "application/json",
          fmt::format(R"({{"sequence":{},"state":{},"time":{}}})", checkpoint.state_sequence.value,
                      checkpoint.state.empty() ? "{}" : checkpoint.state,
                      to_us(checkpoint.state_time))};
}

HttpResponse Api::snapshots(const TriggerName& name) const {
  const auto kept = store_.snapshots(name);
  if (!kept) return refuse(500, "store", kept.error().message);
  if (kept->empty() && !dispatcher_.triggers().contains(name))
    return refuse(404, "not_found", dispatcher_.no_trigger(name) + "; /v1/triggers lists them");
  const auto& stream = dispatcher_.syndicator();
  Json items = Json::array();
  for (const SnapshotRecord& record : *kept) {
    items.push_back({{"id", fmt::format("s-{}", record.number)},
                     {"run", record.run.value},
                     {"sequence", record.sequence.value},
                     {"time", to_us(record.time)},
                     {"bytes", record.bytes},
                     {"why", record.why},
                     {"reachable", stream && record.sequence.next() >= stream->oldest}});
  }
  return list(std::move(items), nullptr);
}

namespace {

// "n-4f21" or the number that `next` gives; 0 if there is none.
std::uint64_t notification_id(Arguments& arguments, const std::string& name) {
  if (const auto id = id_from_short(arguments.text(name))) return *id;
  return arguments.number(name, 0, 0, UINT64_MAX);
}

}  // namespace

HttpResponse Api::notifications(const HttpRequest& request) const {
  CheckpointStore::NotificationQuery query;
  Arguments arguments(request);
  query.since = arguments.time("since");
  query.max = static_cast<std::uint32_t>(arguments.number("limit", 100, 1, 1'000));
  query.after_id = notification_id(arguments, "after");
  query.before_id = notification_id(arguments, "before");
  const std::string order = arguments.text("order");
  query.newest_first = order == "newest";
  if (!order.empty() && order != "newest" && order != "oldest")
    arguments.refuse("order is one of oldest, newest");
  query.trigger = arguments.text("trigger");
  if (const std::string status = arguments.text("status"); !status.empty()) {
    query.status = status_from_name(status);
    if (!query.status)
      arguments.refuse("status is one of recorded, waiting, sent, pending, closed, failed");
  }
  if (!arguments.error().empty()) return refuse(400, "bad_argument", arguments.error());
  const auto records = store_.notifications(query);
  if (!records) return refuse(500, "store", records.error().message);
  Json items = Json::array();
  for (const NotificationRecord& record : *records) {
    items.push_back(notification_to_json(record));
  }
  const Json next = records->size() == query.max ? Json(records->back().id) : Json(nullptr);
  return list(std::move(items), next);
}

namespace {

std::string http_metrics(const HttpServer::Counts& counts) {
  return fmt::format(
      "# HELP hastur_http_connections Connections to the API that are open.\n"
      "# TYPE hastur_http_connections gauge\n"
      "hastur_http_connections {}\n"
      "# HELP hastur_http_gave_way_total Connections closed to make room for a new one.\n"
      "# TYPE hastur_http_gave_way_total counter\n"
      "hastur_http_gave_way_total {}\n"
      "# HELP hastur_http_turned_away_total Connections answered with 503, as there were too "
      "many.\n"
      "# TYPE hastur_http_turned_away_total counter\n"
      "hastur_http_turned_away_total {}\n",
      counts.open, counts.gave_way, counts.turned_away);
}

}  // namespace

HttpResponse Api::metrics() const {
  std::string text = metrics_text(dispatcher_, store_);
  if (options_.cage_missing != nullptr) text += cage_metrics(*options_.cage_missing);
  if (options_.notify != nullptr) text += options_.notify->metrics();
  if (options_.commits != nullptr) text += options_.commits->metrics();
  if (options_.http_counts) text += http_metrics(options_.http_counts());
  return {200, "text/plain; version=0.0.4", std::move(text)};
}

HttpResponse Api::health() const {
  Json troubles = Json::array();
  switch (dispatcher_.stage()) {
    case Dispatcher::Stage::connecting:
      troubles.push_back("not running yet: waiting for the syndicator");
      break;
    case Dispatcher::Stage::leasing:
      troubles.push_back("not running yet: waiting for the lease of its triggers");
      break;
    case Dispatcher::Stage::loading:
      troubles.push_back("not running yet: the triggers are being loaded");
      break;
    case Dispatcher::Stage::running:
      break;
  }
  if (!dispatcher_.lease_refused().empty()) troubles.push_back(dispatcher_.lease_refused());
  // It is asked each second.
  constexpr Micros silent_max = std::chrono::seconds{5};
  if (const auto heard = dispatcher_.heard_at();
      heard && clock_.monotonic() - *heard > silent_max) {
    troubles.push_back(
        fmt::format("the syndicator has not answered for {} s",
                    std::chrono::floor<std::chrono::seconds>(clock_.monotonic() - *heard).count()));
  }
  const auto& stream = dispatcher_.syndicator();
  if (const auto failing = stream ? stream->history_failing() : std::nullopt) {
    troubles.push_back(fmt::format(
        "the syndicator cannot write its History for {}: what arrives is held, and {} messages "
        "were lost for want of room so far; its log says why",
        format_span(std::chrono::ceil<std::chrono::seconds>(*failing)), stream->lost_by_history()));
  }
  if (auto trouble = dispatcher_.worker_trouble()) troubles.push_back(*std::move(trouble));
  if (dispatcher_.commit_error()) troubles.push_back(dispatcher_.commit_error()->message);
  if (const auto* source = options_.commits; source != nullptr && source->trouble())
    troubles.push_back(source->trouble()->text + "; the triggers that run go on running");
  if (troubles.empty()) return ok({{"status", "ok"}});
  HttpResponse response = ok({{"status", "trouble"}, {"troubles", std::move(troubles)}});
  response.status = 503;
  return response;
}

void Api::messages(const HttpRequest& request, const HttpServer::Respond& respond) {
  Arguments arguments(request);
  struct Query {
    std::string name;
    std::string uuid;
    std::optional<MessageType> type;
    bool derived = false;
    std::size_t limit = 0;
    std::optional<Time> to;
    Sequence since;
    bool newest = false;
    std::deque<Json> found;
    Sequence seen;
    // What comes later is not asked for.
    bool ended = false;
  };
  const auto query = std::make_shared<Query>();  // owned by both callbacks of the read
  query->name = arguments.text("name");
  query->uuid = arguments.uuid("uuid");
  query->derived = arguments.flag("derived");
  query->limit = arguments.number("limit", 100, 1, 1'000);
  query->to = arguments.time("to");
  if (const std::string type = arguments.text("type"); !type.empty()) {
    query->type = type_from_name(type);
    if (!query->type) arguments.refuse(fmt::format("there is no message type '{}'", type));
  }
  ReadRequest read;
  const auto from = arguments.time("from");
  // A page goes on after what `next` said.
  const std::string since = arguments.text("after");
  query->since = Sequence{arguments.number("after", 0, 0, UINT64_MAX)};
  if (!arguments.error().empty()) return respond(refuse(400, "bad_argument", arguments.error()));
  if (from) {
    read.from_time = from;
  } else if (!since.empty()) {
    read.from = query->since.next();
  } else {
    // The newest: the last of what the stream's end holds.
    constexpr std::uint64_t looked_at = 20'000;
    const std::uint64_t newest = dispatcher_.newest().value;
    read.from = Sequence{newest > looked_at ? newest - looked_at : 1};
    query->newest = true;
  }
  if (!query->name.empty() && query->name.find('*') == std::string::npos)
    read.names = {query->name};

  history_.read(
      std::move(read),
      [query, order = std::make_shared<RunOrder>(store_)](const BatchView& batch) {
        std::vector<Label> labels;
        for (std::uint32_t row = 0; row < batch.count(); ++row) {
          const Sequence sequence = batch.sequence(row);
          if (sequence <= query->since) continue;
          const MessageView message = batch.message(row, labels);
          if (query->to && message.received_at >= *query->to) {
            query->ended = true;
            return false;
          }
          query->seen = sequence;
          if (message.type == MessageType::tick && query->type != MessageType::tick) continue;
          if (query->type && message.type != *query->type) continue;
          if (query->derived && !message.origin) continue;
          if (!query->uuid.empty() && message.uuid != query->uuid) continue;
          if (!query->name.empty() && !(message.name && wildcard_match(query->name, *message.name)))
            continue;
          Json item = message_to_json(message);
          item["seq"] = sequence.value;
          if (message.origin) {
            const Origin& origin = *message.origin;
            const auto superseded =
                order->is_superseded(TriggerName(origin.trigger), origin.run, origin.sequence);
            if (superseded && *superseded) item["superseded"] = true;
          }
          query->found.push_back(std::move(item));
          if (query->found.size() > query->limit) query->found.pop_front();
          if (!query->newest && query->found.size() == query->limit) return false;
        }
        return true;
      },
      [query, respond](const Result<void>& done) {
        if (!done) return respond(refuse(503, "unavailable", done.error().message));
        Json items = Json::array();
        for (Json& item : query->found) items.push_back(std::move(item));
        const Sequence next = std::max(query->seen, query->since);
        const bool goes_on = !query->ended && next.value > 0;
        respond(list(std::move(items), goes_on ? Json(next.value) : Json(nullptr)));
      },
      clock_.monotonic());
}

}  // namespace hastur
