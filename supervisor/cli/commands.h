#pragma once

// The commands of `hastur` that ask or send and end: each returns the program's exit code, 0 if all
// went well, 1 if something was refused or could not be reached, having said on standard error
// what.

#include <cstdio>
#include <istream>
#include <string>

#include "core/time.h"
#include "supervisor/cli/compose.h"
#include "supervisor/cli/http_client.h"

namespace hastur {

struct SendOptions {
  MessageWords words;
  // The syndicator's UDP address.
  std::string to;
};
// Sends one message of words, or with the type "-" each line of `input`. What the syndicator would
// refuse is not sent.
int send_command(const SendOptions& options, std::istream& input, Time now);

// `json`: the API's answer as it is, one line.
int list_command(HttpClient& http, bool json);
int show_command(HttpClient& http, const std::string& name, bool json);
// Exit code 1 also when the supervisor says that it is in trouble.
int status_command(HttpClient& http);

// The supervisor's token, from the file `named`; if that is empty, from where CommandOptions says.
// The error says where it was looked for.
Result<std::string> read_token_file(const std::string& named);

// POST /v1/commands/VERB with that token.
Result<Json> order(HttpClient& http, const std::string& verb, const Json& body,
                   const std::string& token_file);

// Says it on standard error; returns exit code 1.
int complain(const Error& error);

struct CommandOptions {
  std::string trigger;
  std::string why;
  // Holds the supervisor's token; empty: what HASTUR_TOKEN_FILE names, else where a supervisor
  // with default settings or `hastur demo` leaves it, below the working directory.
  std::string token_file;
  // Only for "restore".
  std::string snapshot = {};
};

// What a trigger may be put back to.
int snapshots_command(HttpClient& http, const std::string& name, bool json);
// `verb` is "pause", "resume" or "restore".
int trigger_command(HttpClient& http, const std::string& verb, const CommandOptions& options);

}  // namespace hastur
