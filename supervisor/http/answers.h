#pragma once

// The shapes that every answer of the API has, and the reading of a request's arguments.

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/json.h"
#include "core/time.h"
#include "message/ids.h"
#include "supervisor/http/http_server.h"

namespace hastur {

HttpResponse ok(const Json& body);
// {"items":[…],"next":…}; `next` is null at the end.
HttpResponse list(Json items, Json next);
// {"error":"a sentence","reason":"a_word"}
HttpResponse refuse(unsigned status, std::string_view reason, std::string_view sentence);
// `answer`, of a path that takes no arguments; a refusal if there are some and it is a good one.
HttpResponse without_arguments(const HttpRequest& request, HttpResponse answer);
HttpResponse no_such_trigger(const TriggerName& name);

// Takes the same time wherever they differ.
bool same_secret(std::string_view given, std::string_view wanted);

// Query arguments; the first that is malformed is remembered as a sentence.
// Whoever reads them asks for every one that it knows before it asks for error(): others are one.
class Arguments {
 public:
  explicit Arguments(const HttpRequest& request) : request_(request) {}

  // Empty if it is not there.
  std::string text(const std::string& name);
  // True or false by these words; false if it is not there.
  bool flag(const std::string& name);
  // In lower case; empty if it is not there.
  std::string uuid(const std::string& name);
  std::optional<Time> time(const std::string& name);
  Micros span(const std::string& name, Micros otherwise);
  std::uint64_t number(const std::string& name, std::uint64_t otherwise, std::uint64_t least,
                       std::uint64_t most);

  void refuse(std::string sentence);
  const std::string& error();

 private:
  const HttpRequest& request_;
  std::set<std::string> known_;
  std::string error_;
};

// The fields of a command's body, or of an object in one, in the way of Arguments: one of another
// type than is asked for, and one that nobody asks for, is an error. null is of no type.
class Fields {
 public:
  // `body` is an object and outlives this.
  explicit Fields(const Json& body) : body_(body) {}

  // Empty if it is not there.
  std::string text(const std::string& name);
  bool flag(const std::string& name, bool otherwise);
  // Not negative; nothing if it is not there.
  std::optional<std::uint64_t> number(const std::string& name);
  // Of any type: whoever asks judges it. Null if it is not there.
  const Json* any(const std::string& name);
  // "why", or that none was given.
  std::string why();

  void refuse(std::string sentence);
  // A sentence; empty if all is right.
  const std::string& error();
  // It, as the command's answer.
  std::optional<HttpResponse> refusal();

 private:
  const Json& body_;
  std::set<std::string> known_;
  std::string error_;
};

}  // namespace hastur
