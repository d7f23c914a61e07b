#include "supervisor/http/replay_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/json.h"
#include "supervisor/http/answers.h"

namespace hastur {
namespace {

// For so long nobody hears of a replay before its triggers go on without it.
constexpr Micros hold_span = std::chrono::seconds{30};

// Which triggers, and which run replaces which; what is wrong with them if it is not that.
Result<std::vector<ReplayClaim>> claims_of(const Json* triggers) {
  const auto wrong = [](std::string why) { return fail(ErrorCode::invalid, std::move(why)); };
  std::vector<ReplayClaim> claims;
  if (triggers == nullptr || !triggers->is_array() || triggers->empty())
    return wrong("say which triggers, and which run replaces which");
  for (const Json& one : *triggers) {
    if (!one.is_object()) return wrong("each of triggers must be an object");
    Fields fields(one);
    const TriggerName name = fields.text("trigger");
    const auto replaces = fields.number("replaces");
    const auto run = fields.number("run");
    if (const std::string& error = fields.error(); !error.empty())
      return wrong("triggers: " + error);
    if (name.empty() || !replaces || !run)
      return wrong("each of triggers has the fields replaces, run and trigger");
    claims.push_back({name, Run{*replaces}, Run{*run}});
  }
  return claims;
}

}  // namespace

HttpResponse ReplayApi::command(const Json& body) {
  Fields fields(body);
  const std::string step = fields.text("step");
  const std::string replay = fields.text("replay");
  const std::string file = fields.text("file");
  const Json* triggers = fields.any("triggers");
  if (auto wrong = fields.refusal()) return *std::move(wrong);
  const auto wanted = claims_of(triggers);
  if (!wanted) return refuse(400, "bad_argument", wanted.error().message);
  const std::vector<ReplayClaim>& claims = *wanted;
  const auto answer = [](const Result<void>& done, Json said) {
    if (done) return ok(said);
    const bool unknown = done.error().code == ErrorCode::not_found;
    return refuse(unknown ? 404 : 409, unknown ? "not_found" : "conflict", done.error().message);
  };
  if (step == "check") {
    for (const ReplayClaim& claim : claims) {
      if (const auto may = dispatcher_.may_replay(claim); !may) return answer(may, {});
    }
    return ok(Json::object());
  }
  if (replay.empty()) return refuse(400, "bad_argument", "say by which token this replay is known");
  if (step == "hold") {
    if (dispatcher_.is_holding() && replay != holder_)
      return refuse(409, "conflict", "another replay is taking over; try again in a moment");
    const auto done = dispatcher_.hold(claims, hold_span);
    if (done) holder_ = replay;
    const auto through = dispatcher_.held_through();
    return answer(done, {{"through", through ? Json(through->value) : Json(nullptr)}});
  }
  if (step == "finish") {
    if (replay != holder_) {
      return refuse(409, "conflict",
                    "another replay has taken over meanwhile, and this one changed nothing; begin "
                    "again");
    }
    if (handed_over_ != replay) {
      if (const auto done = finish(file); !done) return answer(done, {});
      handed_over_ = replay;
    }
    const bool done = std::ranges::all_of(claims, [this](const ReplayClaim& claim) {
      const auto found = dispatcher_.triggers().find(claim.trigger);
      return found != dispatcher_.triggers().end() && found->second->run() == claim.run;
    });
    return ok({{"done", done}});
  }
  if (step == "abandon") {
    if (replay == holder_) dispatcher_.abandon_hold("it was given up");
    return ok(Json::object());
  }
  return refuse(400, "bad_argument", "step is one of check, hold, finish, abandon");
}

Result<void> ReplayApi::finish(const std::string& file) {
  const std::filesystem::path state(state_file_);
  if (state_file_.empty() || file.find('/') != std::string::npos ||
      !file.starts_with(state.filename().string() + ".replay-"))
    return fail(ErrorCode::invalid, "file names a replay's file beside the state file");
  SqliteStoreOptions options;
  options.path = std::filesystem::path(state).replace_filename(file);
  options.read_only = true;
  const auto store = open_store(options);
  if (!store) return fail(store.error());
  auto runs = read_replayed(**store);
  if (!runs) return fail(runs.error());
  return dispatcher_.take_over(std::move(*runs));
}

}  // namespace hastur
