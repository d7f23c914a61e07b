#include "supervisor/replay/take_over.h"

#include <fmt/format.h>

#include "core/json.h"
#include "core/loop.h"
#include "core/random.h"

namespace hastur {
namespace {

constexpr Micros answer_max = std::chrono::seconds{60};
constexpr Micros asked_every = std::chrono::milliseconds{10};

}  // namespace

TakeOver::TakeOver(const std::string& http, std::string token, std::vector<ReplayClaim> claims,
                   Clock& clock)
    : http_(http, answer_max),
      token_(std::move(token)),
      replay_(fmt::format("{:016x}", random_u64())),
      claims_(std::move(claims)),
      clock_(clock) {}

Result<Json> TakeOver::ask(std::string_view step, const std::string& file) {
  Json triggers = Json::array();
  for (const ReplayClaim& claim : claims_) {
    triggers.push_back(
        {{"trigger", claim.trigger}, {"replaces", claim.replaces.value}, {"run", claim.run.value}});
  }
  Json body = {{"step", step}, {"replay", replay_}, {"triggers", std::move(triggers)}};
  if (!file.empty()) body["file"] = file;
  return http_.post_json("/v1/commands/replay", body, token_);
}

Result<void> TakeOver::check() {
  const auto answer = ask("check");
  return answer ? Result<void>() : fail(answer.error());
}

Result<Sequence> TakeOver::hold() {
  Loop loop;
  const Micros began = clock_.monotonic();
  while (clock_.monotonic() - began < answer_max) {
    const auto answer = ask("hold");
    if (!answer) return fail(answer.error());
    if (answer->contains("through") && (*answer)["through"].is_number())
      return Sequence{(*answer)["through"].get<std::uint64_t>()};
    loop.run_some(asked_every);
  }
  abandon();
  return fail(ErrorCode::unavailable, "the supervisor does not come to hold the triggers");
}

Result<void> TakeOver::finish(const std::string& file) {
  auto answer = ask("finish", file);
  Loop loop;
  const Micros began = clock_.monotonic();
  while (answer) {
    if (answer->value("done", false)) return {};
    if (clock_.monotonic() - began >= answer_max)
      return fail(ErrorCode::unavailable, "the supervisor does not come to store the new runs");
    loop.run_some(asked_every);
    answer = ask("finish", file);
  }
  return fail(answer.error());
}

void TakeOver::abandon() { (void)ask("abandon"); }

}  // namespace hastur
