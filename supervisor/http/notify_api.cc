#include "supervisor/http/notify_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/json.h"
#include "core/suggest.h"
#include "supervisor/http/answers.h"

namespace hastur {
namespace {

// Incidents that an overview lists.
constexpr std::size_t listed_max = 100;

Json time_or_null(const std::optional<Time>& time) {
  return time ? Json(to_us(*time)) : Json(nullptr);
}

std::string silence_id(const NotifyOrder& order) { return fmt::format("q-{}", order.number); }

Json order_to_json(const NotifyOrder& order) {
  Json json = {{"number", order.number},
               {"scope", order_scope_name(order.scope)},
               {"name", order.name},
               {"mode", notify_mode_name(order.mode)},
               {"since", to_us(order.since)},
               {"until", time_or_null(order.until)},
               {"why", order.why},
               {"ended", time_or_null(order.ended)},
               {"end_why", order.end_why}};
  if (order.scope == OrderScope::silence) {
    json["id"] = silence_id(order);
    json["key"] = order.key;
  }
  return json;
}

Json incident_to_json(const Incident& incident) {
  return {{"trigger", incident.trigger},
          {"channel", incident.channel},
          {"key", incident.key},
          {"state", incident_state_name(incident.state)},
          {"opened", to_us(incident.opened)},
          {"changed", to_us(incident.changed)},
          {"last_sent", time_or_null(incident.last_sent)},
          {"told_open", incident.told_open},
          {"newest", short_id(incident.newest)}};
}

HttpResponse refuse_error(const Error& error) {
  switch (error.code) {
    case ErrorCode::not_found:
      return refuse(404, "not_found", error.message);
    case ErrorCode::conflict:
      return refuse(409, "conflict", error.message);
    case ErrorCode::invalid:
      return refuse(400, "bad_argument", error.message);
    default:
      return refuse(503, "not_stored", error.message);
  }
}

// How long something is to last: "for" as a span, or "until" as a time.
struct Term {
  std::string span, until;
};

// A time may be a number.
Term term_of(Fields& fields) {
  const Json* until = fields.any("until");
  const bool is_number = until != nullptr && until->is_number_integer();
  Term term{fields.text("for"), is_number ? until->dump() : fields.text("until")};
  if (!term.span.empty() && !term.until.empty())
    fields.refuse("for and until are both given; keep one");
  return term;
}

// From now on; nothing if neither is given.
Result<std::optional<Micros>> span_of(const Term& term, Time now) {
  if (!term.span.empty()) {
    const auto span = parse_span(term.span);
    if (!span || *span <= Micros{0}) {
      return fail(ErrorCode::invalid,
                  fmt::format("for: '{}' is no span as 30m, 2h or 1d", term.span));
    }
    return std::optional(*span);
  }
  if (!term.until.empty()) {
    const auto until = parse_time(term.until);
    if (!until || *until <= now) {
      return fail(
          ErrorCode::invalid,
          fmt::format("until: '{}' is no time to come, as 2024-01-31T12:00:00Z", term.until));
    }
    return std::optional(*until - now);
  }
  return std::optional<Micros>();
}

}  // namespace

Json notification_to_json(const NotificationRecord& record) {
  auto payload = parse_json(record.payload);
  Json item = payload && payload->is_object() ? std::move(*payload) : Json::object();
  item["id"] = short_id(record.id);
  item["trigger"] = record.trigger;
  item["run"] = record.run.value;
  item["sequence"] = record.sequence.value;
  item["ordinal"] = record.ordinal;
  item["time"] = to_us(record.time);
  item["status"] = status_name(record.status);
  item["reason"] = record.reason;
  item["channel"] = record.channel;
  item["action"] = action_name(record.action);
  item["sent_at"] = time_or_null(record.sent_at);
  return item;
}

NotifyApi::NotifyApi(CheckpointStore& store, Clock& clock,
                     const std::map<std::string, Channel>& channels, NotifyPolicy& policy,
                     NotifyOrders& orders, Delivery& delivery, Calls calls)
    : store_(store),
      clock_(clock),
      channels_(channels),
      policy_(policy),
      orders_(orders),
      delivery_(delivery),
      calls_(std::move(calls)) {}

std::optional<HttpResponse> NotifyApi::read(const HttpRequest& request) const {
  constexpr std::string_view one = "/v1/notifications/";
  if (request.path == "/v1/notify") return without_arguments(request, ok(overview()));
  if (request.path == "/v1/notify/orders") return orders_list(request);
  if (request.path == "/v1/incidents") return incidents(request);
  if (request.path.starts_with(one))
    return without_arguments(request, notification(request.path.substr(one.size())));
  return std::nullopt;
}

bool NotifyApi::command(const std::string& verb, const Json& body,
                        const HttpServer::Respond& respond) {
  if (verb == "notify") {
    respond(set_mode(body));
  } else if (verb == "silence") {
    respond(silence(body));
  } else if (verb == "unsilence") {
    respond(unsilence(body));
  } else if (verb == "release" || verb == "close") {
    respond(release_or_close(verb, body));
  } else if (verb == "notify-test") {
    try_channel(body, respond);
  } else {
    return false;
  }
  return true;
}

Json NotifyApi::overview() const {
  Json channels = Json::array();
  for (const auto& [name, channel] : channels_) {
    const ChannelState state = calls_.channel_state(name);
    channels.push_back({{"name", name},
                        {"kind", channel.kind},
                        {"default", channel.is_default},
                        {"mode", notify_mode_name(policy_.channel_mode(name))},
                        {"waiting", state.waiting},
                        {"in_flight", state.in_flight},
                        {"sent", state.sent},
                        {"failed", state.failed},
                        {"closed", state.closed},
                        {"attempts_failed", state.attempts_failed},
                        {"trouble_since", time_or_null(state.trouble_since)},
                        {"trouble_at", state.trouble_at},
                        {"trouble", state.last_trouble}});
  }
  Json orders = Json::array();
  for (const NotifyOrder& order : policy_.orders()) orders.push_back(order_to_json(order));
  Json untold = Json::array();
  if (const auto incidents = delivery_.untold(listed_max)) {
    for (const Incident& incident : *incidents) untold.push_back(incident_to_json(incident));
  }
  return {{"mode", notify_mode_name(policy_.supervisor_mode())},
          {"channels", std::move(channels)},
          {"orders", std::move(orders)},
          {"untold", std::move(untold)}};
}

HttpResponse NotifyApi::orders_list(const HttpRequest& request) const {
  Arguments arguments(request);
  CheckpointStore::OrderQuery query;
  query.ended_too = true;
  query.max = static_cast<std::uint32_t>(arguments.number("limit", 100, 1, 1'000));
  query.after_number = arguments.number("after", 0, 0, UINT64_MAX);
  if (!arguments.error().empty()) return refuse(400, "bad_argument", arguments.error());
  const auto found = store_.orders(query);
  if (!found) return refuse(500, "store", found.error().message);
  Json items = Json::array();
  for (const NotifyOrder& order : *found) items.push_back(order_to_json(order));
  return list(std::move(items),
              found->size() == query.max ? Json(found->back().number) : Json(nullptr));
}

HttpResponse NotifyApi::incidents(const HttpRequest& request) const {
  Arguments arguments(request);
  CheckpointStore::IncidentQuery query;
  query.trigger = arguments.text("trigger");
  query.closed_too = arguments.flag("closed");
  query.max = static_cast<std::uint32_t>(arguments.number("limit", 100, 1, 1'000));
  query.after_number = arguments.number("after", 0, 0, UINT64_MAX);
  if (!arguments.error().empty()) return refuse(400, "bad_argument", arguments.error());
  const auto found = store_.incidents(query);
  if (!found) return refuse(500, "store", found.error().message);
  Json items = Json::array();
  for (const Incident& incident : *found) items.push_back(incident_to_json(incident));
  return list(std::move(items),
              found->size() == query.max ? Json(found->back().number) : Json(nullptr));
}

HttpResponse NotifyApi::notification(std::string_view id) const {
  const auto number = id_from_short(id);
  if (!number)
    return refuse(400, "bad_argument", fmt::format("'{}' is no id of a notification", id));
  const std::uint64_t ids[] = {*number};
  const auto found = store_.notifications_of(ids);
  if (!found) return refuse(500, "store", found.error().message);
  if (found->empty())
    return refuse(404, "not_found", fmt::format("there is no notification {}", id));
  const NotificationRecord& record = found->front();
  Json json = notification_to_json(record);
  json["incident"] = nullptr;
  if (!record.key.empty()) {
    const auto incident = store_.incident(record.trigger, record.channel, record.key);
    if (incident && *incident) json["incident"] = incident_to_json(**incident);
  }
  return ok(json);
}

HttpResponse NotifyApi::no_such_channel(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& [each, channel] : channels_) names.push_back(each);
  const std::string near = nearest(name, names);
  return refuse(404, "not_found",
                fmt::format("there is no channel '{}'; {}", name,
                            near.empty() ? "/v1/notify lists them"
                                         : fmt::format("did you mean '{}'?", near)));
}

HttpResponse NotifyApi::set_mode(const Json& body) {
  Fields fields(body);
  const std::string word = fields.text("mode");
  const std::string channel = fields.text("channel");
  const std::string trigger = fields.text("trigger");
  const Term term = term_of(fields);
  const bool releases = fields.flag("release", false);
  const std::string why = fields.why();
  if (auto wrong = fields.refusal()) return *std::move(wrong);
  const auto mode = notify_mode_from_name(word);
  if (!mode && word != "default")
    return refuse(400, "bad_argument", "mode must be one of on, record, off, default");
  if (!channel.empty() && !trigger.empty())
    return refuse(400, "bad_argument", "name a channel or a trigger, not both");
  if (!channel.empty() && !channels_.contains(channel)) return no_such_channel(channel);
  if (!trigger.empty() && !calls_.is_trigger(trigger)) return no_such_trigger(trigger);
  const auto span = span_of(term, clock_.now());
  if (!span) return refuse_error(span.error());
  if (*span && !mode) return refuse(400, "bad_argument", "default has no end");
  const OrderScope scope = !channel.empty()   ? OrderScope::channel
                           : !trigger.empty() ? OrderScope::trigger
                                              : OrderScope::supervisor;
  const auto done = orders_.set_mode(scope, channel + trigger, mode, *span, why);
  if (!done) return refuse_error(done.error());
  std::size_t released = 0;
  if (releases) {
    const auto count = delivery_.release_untold();
    if (!count) return refuse_error(count.error());
    released = *count;
  }
  Json answer = overview();
  answer["released"] = released;
  return ok(answer);
}

// A key may hold '/' as a trigger's name may: the longest name that is a trigger's counts.
HttpResponse NotifyApi::silence(const Json& body) {
  Fields fields(body);
  TriggerName trigger = fields.text("trigger");
  const std::string given_key = fields.text("key");
  const Term term = term_of(fields);
  const std::string why = fields.why();
  if (auto wrong = fields.refusal()) return *std::move(wrong);
  std::string key = given_key;
  const TriggerName given = trigger;
  while (!calls_.is_trigger(trigger)) {
    const auto slash = trigger.rfind('/');
    if (slash == std::string::npos || !given_key.empty()) return no_such_trigger(given);
    trigger.resize(slash);
    key = given.substr(slash + 1);
  }
  const Time now = clock_.now();
  const auto span = span_of(term, now);
  if (!span) return refuse_error(span.error());
  if (!*span)
    return refuse(400, "bad_argument", "a silence has an end: say for, as in \"for\":\"2h\"");
  const auto number = orders_.silence(trigger, key, now + **span, why);
  if (!number) return refuse_error(number.error());
  return ok({{"id", fmt::format("q-{}", *number)},
             {"trigger", trigger},
             {"key", key},
             {"until", to_us(now + **span)}});
}

HttpResponse NotifyApi::unsilence(const Json& body) {
  Fields fields(body);
  const std::string id = fields.text("id");
  const std::string why = fields.why();
  if (auto wrong = fields.refusal()) return *std::move(wrong);
  std::uint64_t number = 0;
  const char* end = id.data() + id.size();
  if (!id.starts_with("q-") || id.size() < 3 ||
      std::from_chars(id.data() + 2, end, number).ptr != end)
    return refuse(400, "bad_argument", R"(say which: {"id":"q-3","why":"…"})");
  const auto done = orders_.end_silence(number, why);
  return done ? ok({{"id", id}, {"ended", to_us(clock_.now())}}) : refuse_error(done.error());
}

HttpResponse NotifyApi::release_or_close(const std::string& verb, const Json& body) {
  Fields fields(body);
  const std::string id = fields.text("id");
  const std::string why = fields.why();
  if (auto wrong = fields.refusal()) return *std::move(wrong);
  const auto number = id_from_short(id);
  if (!number) return refuse(400, "bad_argument", R"(say which: {"id":"n-4f21","why":"…"})");
  const auto done =
      verb == "release" ? delivery_.release(*number) : delivery_.close(*number, "closed: " + why);
  return done ? notification(id) : refuse_error(done.error());
}

void NotifyApi::try_channel(const Json& body, const HttpServer::Respond& respond) {
  Fields fields(body);
  const std::string name = fields.text("channel");
  if (auto wrong = fields.refusal()) return respond(*std::move(wrong));
  if (!channels_.contains(name)) return respond(no_such_channel(name));
  calls_.try_channel(name, [respond, name](const Answer& answer) {
    constexpr std::string_view words[] = {"arrived", "refused", "failed"};
    respond(ok({{"channel", name},
                {"verdict", words[static_cast<std::size_t>(answer.verdict)]},
                {"answer", answer.text}}));
  });
}

std::string NotifyApi::metrics() const {
  std::string out =
      "# HELP hastur_notify_mode 1 for the mode that is in force.\n"
      "# TYPE hastur_notify_mode gauge\n";
  for (const NotifyMode mode : {NotifyMode::on, NotifyMode::record, NotifyMode::off}) {
    out += fmt::format("hastur_notify_mode{{mode=\"{}\"}} {}\n", notify_mode_name(mode),
                       policy_.supervisor_mode() == mode ? 1 : 0);
  }
  out += fmt::format(
      "# HELP hastur_notify_orders Orders in force about notifications, silences too.\n"
      "# TYPE hastur_notify_orders gauge\nhastur_notify_orders {}\n",
      policy_.orders().size());
  struct Family {
    const char* name;
    const char* kind;
    const char* help;
    std::uint64_t (*value)(const ChannelState&);
  };
  const Family families[] = {
      {"hastur_notifications_sent_total", "counter", "Notifications that arrived.",
       [](const ChannelState& state) { return state.sent; }},
      {"hastur_notifications_failed_total", "counter", "Notifications that were given up.",
       [](const ChannelState& state) { return state.failed; }},
      {"hastur_notification_attempts_failed_total", "counter", "Attempts that are made again.",
       [](const ChannelState& state) { return state.attempts_failed; }},
      {"hastur_notifications_waiting", "gauge", "Notifications in memory that wait to be sent.",
       [](const ChannelState& state) { return std::uint64_t{state.waiting}; }},
      {"hastur_channel_in_trouble", "gauge", "1 while nothing gets through.",
       [](const ChannelState& state) { return std::uint64_t{state.trouble_since ? 1u : 0u}; }},
  };
  for (const Family& family : families) {
    out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", family.name, family.help, family.kind);
    for (const auto& [name, channel] : channels_) {
      out += fmt::format("{}{{channel=\"{}\"}} {}\n", family.name, name,
                         family.value(calls_.channel_state(name)));
    }
  }
  return out;
}

}  // namespace hastur
