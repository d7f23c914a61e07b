#include "supervisor/http/answers.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "core/json.h"
#include "message/message.h"

namespace hastur {

HttpResponse ok(const Json& body) { return {200, "application/json", canonical_json(body)}; }

HttpResponse list(Json items, Json next) {
  return ok({{"items", std::move(items)}, {"next", std::move(next)}});
}

HttpResponse refuse(unsigned status, std::string_view reason, std::string_view sentence) {
  return {status, "application/json", canonical_json({{"error", sentence}, {"reason", reason}})};
}

HttpResponse without_arguments(const HttpRequest& request, HttpResponse answer) {
  if (request.query.empty() || answer.status != 200) return answer;
  return refuse(400, "bad_argument",
                fmt::format("there is no argument '{}' here; {} takes none",
                            request.query.begin()->first, request.path));
}

HttpResponse no_such_trigger(const TriggerName& name) {
  return refuse(404, "not_found",
                fmt::format("there is no trigger '{}'; /v1/triggers lists them", name));
}

bool same_secret(std::string_view given, std::string_view wanted) {
  unsigned difference = given.size() == wanted.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    difference |= static_cast<unsigned char>(given[i]) ^
                  static_cast<unsigned char>(wanted[i % std::max<std::size_t>(wanted.size(), 1)]);
  }
  return difference == 0 && !wanted.empty();
}

std::string Arguments::text(const std::string& name) {
  known_.insert(name);
  const auto found = request_.query.find(name);
  return found == request_.query.end() ? "" : found->second;
}

bool Arguments::flag(const std::string& name) {
  const std::string given = text(name);
  if (!given.empty() && given != "true" && given != "false")
    refuse(fmt::format("{} is true or false", name));
  return given == "true";
}

std::string Arguments::uuid(const std::string& name) {
  const std::string given = text(name);
  std::array<char, 36> lowered{};
  if (given.empty()) return {};
  if (!normalise_uuid(given, lowered)) {
    refuse(fmt::format("{} has 36 characters, 8-4-4-4-12 hex digits", name));
    return {};
  }
  return {lowered.data(), lowered.size()};
}

std::optional<Time> Arguments::time(const std::string& name) {
  const std::string given = text(name);
  if (given.empty()) return std::nullopt;
  const auto time = parse_time(given);
  if (!time) {
    refuse(fmt::format("{}: {}", name, time.error().message));
    return std::nullopt;
  }
  return *time;
}

Micros Arguments::span(const std::string& name, Micros otherwise) {
  const std::string given = text(name);
  if (given.empty()) return otherwise;
  // Microseconds in digits alone, as for times.
  std::int64_t us = 0;
  const auto [end, status] = std::from_chars(given.data(), given.data() + given.size(), us);
  if (status == std::errc{} && end == given.data() + given.size()) return Micros{us};
  const auto span = parse_span(given);
  if (!span) refuse(fmt::format("{}: {}", name, span.error().message));
  return span ? *span : otherwise;
}

std::uint64_t Arguments::number(const std::string& name, std::uint64_t otherwise,
                                std::uint64_t least, std::uint64_t most) {
  const std::string given = text(name);
  if (given.empty()) return otherwise;
  std::uint64_t value = 0;
  const auto [end, status] = std::from_chars(given.data(), given.data() + given.size(), value);
  if (status != std::errc{} || end != given.data() + given.size() || value < least ||
      value > most) {
    refuse(fmt::format("{} is a whole number from {} to {}", name, least, most));
    return otherwise;
  }
  return value;
}

void Arguments::refuse(std::string sentence) {
  if (error_.empty()) error_ = std::move(sentence);
}

const std::string& Arguments::error() {
  for (const auto& [name, given] : request_.query) {
    if (!known_.contains(name))
      refuse(fmt::format("there is no argument '{}' here; there are {}", name,
                         fmt::join(known_, ", ")));
  }
  return error_;
}

const Json* Fields::any(const std::string& name) {
  known_.insert(name);
  const auto found = body_.find(name);
  return found == body_.end() ? nullptr : &*found;
}

std::string Fields::text(const std::string& name) {
  const Json* given = any(name);
  if (given == nullptr) return "";
  if (given->is_string()) return given->get<std::string>();
  refuse(fmt::format("{} must be a text", name));
  return "";
}

bool Fields::flag(const std::string& name, bool otherwise) {
  const Json* given = any(name);
  if (given == nullptr) return otherwise;
  if (given->is_boolean()) return given->get<bool>();
  refuse(fmt::format("{} must be true or false", name));
  return otherwise;
}

std::optional<std::uint64_t> Fields::number(const std::string& name) {
  const Json* given = any(name);
  if (given == nullptr) return std::nullopt;
  if (given->is_number_unsigned()) return given->get<std::uint64_t>();
  refuse(fmt::format("{} must be a whole number", name));
  return std::nullopt;
}

std::string Fields::why() {
  const std::string given = text("why");
  return given.empty() ? "no reason was given" : given;
}

void Fields::refuse(std::string sentence) {
  if (error_.empty()) error_ = std::move(sentence);
}

// What is missing may be there under a name with a slip in it: that comes first.
const std::string& Fields::error() {
  for (const auto& [name, value] : body_.items()) {
    if (known_.contains(name)) continue;
    error_ =
        fmt::format("there is no field '{}' here; there are {}", name, fmt::join(known_, ", "));
    break;
  }
  return error_;
}

std::optional<HttpResponse> Fields::refusal() {
  if (error().empty()) return std::nullopt;
  return hastur::refuse(400, "bad_argument", error_);
}

}  // namespace hastur
