#include "supervisor/http/deploy_api.h"

#include <fmt/format.h>

#include <charconv>

#include "core/json.h"
#include "supervisor/http/answers.h"

namespace hastur {
namespace {

std::optional<std::uint64_t> id_of(std::string_view text) {
  std::uint64_t id = 0;
  if (!text.starts_with("d-")) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size() || id == 0) return std::nullopt;
  return id;
}

std::string deployment_id(std::uint64_t id) { return fmt::format("d-{}", id); }

Json pin_to_json(const Pin& pin) {
  return {{"trigger", pin.trigger}, {"version", pin.version},
          {"file", pin.file},       {"deployment", deployment_id(pin.deployment)},
          {"why", pin.why},         {"since", to_us(pin.since)}};
}

HttpResponse refused(const Error& error) {
  switch (error.code) {
    case ErrorCode::not_found:
      return refuse(404, "not_found", error.message);
    case ErrorCode::conflict:
      return refuse(409, "conflict", error.message);
    default:
      return refuse(500, "store", error.message);
  }
}

}  // namespace

Json deployment_to_json(const DeploymentRecord& record) {
  Json changes = Json::array();
  for (const DeploymentChange& change : record.changes) {
    changes.push_back(
        {{"trigger", change.trigger},
         {"before", change.before},
         {"version", change.version},
         {"run", change.run.value},
         {"why", change.why},
         {"was", change.was},
         {"snapshot", change.snapshot > 0 ? Json(fmt::format("s-{}", change.snapshot)) : Json()},
         {"outcome", change.outcome.empty() ? "pending" : change.outcome}});
  }
  return {{"id", deployment_id(record.id)},
          {"kind", deployment_kind_name(record.kind)},
          {"verdict", record.sequence ? "accepted" : "refused"},
          {"commit", record.commit},
          {"author", record.author},
          {"subject", record.subject},
          {"report", record.report},
          {"time", to_us(record.decided_at)},
          {"sequence", record.sequence ? Json(record.sequence->value) : Json(nullptr)},
          {"replay", record.replay.empty() ? Json(nullptr) : Json(record.replay)},
          {"changes", std::move(changes)}};
}

std::optional<HttpResponse> DeployApi::read(const HttpRequest& request) const {
  constexpr std::string_view prefix = "/v1/deployments/";
  if (request.path == "/v1/deployments") return deployments(request);
  if (request.path == "/v1/pins") return without_arguments(request, pins());
  if (request.path.starts_with(prefix))
    return without_arguments(request, deployment(request.path.substr(prefix.size())));
  return std::nullopt;
}

HttpResponse DeployApi::deployments(const HttpRequest& request) const {
  Arguments arguments(request);
  CheckpointStore::DeploymentQuery query;
  query.trigger = arguments.text("trigger");
  query.max = static_cast<std::uint32_t>(arguments.number("limit", 20, 1, 1'000));
  query.before = arguments.number("after", 0, 0, INT64_MAX);
  if (!arguments.error().empty()) return refuse(400, "bad_argument", arguments.error());
  const auto records = store_.deployments(query);
  if (!records) return refuse(500, "store", records.error().message);
  Json items = Json::array();
  for (const DeploymentRecord& record : *records) items.push_back(deployment_to_json(record));
  const Json next = records->size() == query.max ? Json(records->back().id) : Json(nullptr);
  return list(std::move(items), next);
}

HttpResponse DeployApi::deployment(const std::string& id) const {
  const auto number = id_of(id);
  if (number) {
    const auto found = store_.deployments({.before = *number + 1, .max = 1});
    if (!found) return refuse(500, "store", found.error().message);
    if (!found->empty() && found->front().id == *number)
      return ok(deployment_to_json(found->front()));
  }
  return refuse(404, "not_found",
                fmt::format("there is no deployment {}; /v1/deployments lists them", id));
}

HttpResponse DeployApi::pins() const {
  Json items = Json::array();
  for (const auto& [name, pin] : dispatcher_.pins()) items.push_back(pin_to_json(pin));
  return list(std::move(items), nullptr);
}

bool DeployApi::command(const std::string& verb, const Json& body,
                        const HttpServer::Respond& respond) {
  if (verb == "rollback") {
    rollback(body, respond);
  } else if (verb == "unpin") {
    respond(unpin(body));
  } else {
    return false;
  }
  return true;
}

void DeployApi::rollback(const Json& body, const HttpServer::Respond& respond) {
  Fields fields(body);
  const TriggerName name = fields.text("trigger");
  const std::string before = fields.text("before");
  const auto since = fields.flag("replay", true) ? Dispatcher::HistorySince::replayed
                                                 : Dispatcher::HistorySince::left_out;
  const std::string why = fields.why();
  if (auto wrong = fields.refusal()) return respond(*std::move(wrong));
  const auto deployment = before.empty() ? std::optional<std::uint64_t>(0) : id_of(before);
  if (name.empty() || !deployment) {
    return respond(refuse(400, "bad_argument",
                          R"(say which, and if not its last: {"trigger":"NAME","before":"d-12"})"));
  }
  const auto ticket = dispatcher_.rollback(name, *deployment, why, since);
  if (!ticket) return respond(refused(ticket.error()));
  waiting_.emplace(*ticket, respond);
}

HttpResponse DeployApi::unpin(const Json& body) {
  Fields fields(body);
  const TriggerName name = fields.text("trigger");
  if (auto wrong = fields.refusal()) return *std::move(wrong);
  if (name.empty()) return refuse(400, "bad_argument", R"(say which: {"trigger":"NAME"})");
  if (const auto done = dispatcher_.unpin(name); !done) return refused(done.error());
  calls_.read_again();
  return ok({{"trigger", name}, {"pinned", false}});
}

void DeployApi::deployed(const Deployed& deployed) {
  const auto waiting = waiting_.extract(deployed.ticket);
  if (!waiting) return;
  const DeploymentRecord& record = deployed.record;
  waiting.mapped()(record.sequence ? ok(deployment_to_json(record))
                                   : refuse(409, "refused", record.report));
}

}  // namespace hastur
