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

std::vector<ReplayClaim> claims_of(const Json& body) {
  std::vector<ReplayClaim> claims;
  if (!body.contains("triggers") || !body["triggers"].is_array()) return claims;
  for (const Json& one : body["triggers"]) {
    const auto has = [&](const char* key, auto is) {
      return one.is_object() && one.contains(key) && (one[key].*is)();
    };
    if (!has("trigger", &Json::is_string) || !has("replaces", &Json::is_number_unsigned) ||
        !has("run", &Json::is_number_unsigned))
      return {};
    claims.push_back({one["trigger"].get<std::string>(), Run{one["replaces"].get<std::uint64_t>()},
                      Run{one["run"].get<std::uint64_t>()}});
  }
  return claims;
}

}  // namespace

HttpResponse ReplayApi::command(const Json& body) {
  const auto text = [&](const char* key) {
    return body.contains(key) && body[key].is_string() ? body[key].get<std::string>() : "";
  };
  const std::string step = text("step");
  const std::vector<ReplayClaim> claims = claims_of(body);
  if (claims.empty())
    return refuse(400, "bad_argument", "say which triggers, and which run replaces which");
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
  const std::string replay = text("replay");
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
      if (const auto done = finish(text("file")); !done) return answer(done, {});
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
