#pragma once

// Messages and parts of them in one line, as people read them.

#include <string>

#include "core/cut_text.h"
#include "core/json_fwd.h"
#include "message/message.h"
#include "trigger-test/nicknames.h"

namespace hastur {

// The entry of an object: a text as it is, anything else as JSON; empty if there is none, it is
// null, or `object` is no object.
std::string entry_text(const Json& object, const char* key);

// JSON, but for what is nested: "{…}".
std::string value_words(const Value& value);

// "gauge load 9.7 from shop1 app=\"x\"", printable.
std::string message_words(const MessageView& message);

// Whether a message's own texts (uuid, host, labels) stand in the key: then it is what the key is
// about.
bool concerns(const MessageView& message, const std::string& key, const Nicknames& names = {});

}  // namespace hastur
