#include "trigger-runtime/sources/commit_json.h"

#include <fmt/format.h>

#include <algorithm>

namespace hastur {
namespace {

bool is_commit_id(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Json commit_to_json(const CommitFiles& commit) {
  return {{"commit", commit.commit},     {"author", commit.author},
          {"subject", commit.subject},   {"time", to_us(commit.time)},
          {"files", Json(commit.files)}, {"problems", Json(commit.problems)}};
}

Result<CommitFiles> commit_from_json(const Json& body) {
  const auto wrong = [](std::string_view field, std::string_view wanted) {
    return fail(ErrorCode::invalid, fmt::format("'{}' must be {}", field, wanted));
  };
  CommitFiles commit;
  for (const auto& [field, text] : {std::pair{"commit", &commit.commit},
                                    {"author", &commit.author},
                                    {"subject", &commit.subject}}) {
    const auto found = body.find(field);
    if (found == body.end() || !found->is_string()) return wrong(field, "a text");
    *text = found->get<std::string>();
  }
  if (!is_commit_id(commit.commit)) return wrong("commit", "40 hex digits");
  const auto time = body.find("time");
  if (time == body.end() || !time->is_number_integer()) return wrong("time", "µs since 1970");
  commit.time = time_from_us(time->get<std::int64_t>());
  const auto files = body.find("files");
  const auto is_text = [](const Json& each) { return each.is_string(); };
  if (files == body.end() || !files->is_object() || !std::ranges::all_of(*files, is_text))
    return wrong("files", "an object of texts by path");
  for (const auto& [path, text] : files->items()) commit.files.emplace(path, text);
  const auto problems = body.find("problems");
  if (problems == body.end()) return commit;
  if (!problems->is_array() || !std::ranges::all_of(*problems, is_text))
    return wrong("problems", "a list of texts");
  for (const Json& problem : *problems) commit.problems.push_back(problem);
  return commit;
}

}  // namespace hastur
