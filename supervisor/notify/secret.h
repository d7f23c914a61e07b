#pragma once

// What must reach a receiver and nobody else: keys, passwords, addresses that are keys themselves.
//
// A Secret cannot be printed, formatted, compared with a text, or turned into JSON: none of that
// compiles. What leaves this process for people (log lines, reasons, the API) is redacted first,
// since receivers like to repeat the key that they refuse.

#include <string>
#include <string_view>

#include "core/result.h"

namespace hastur {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) = default;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&&) = default;
  // Its bytes do not stay in freed memory.
  ~Secret();

  // Whether it is another one now; with a text it cannot be compared.
  bool operator==(const Secret&) const = default;
  bool empty() const { return text_.empty(); }
  // Only for what goes on the wire.
  const std::string& reveal() const { return text_; }

  // `text` with "(secret)" wherever the secret stands, also percent-encoded, in base64 (alone, or
  // as a part of what was encoded) or in a JSON string, or a part of it: a word of 8 characters or
  // more, but a URL's host; and where the beginning of one of these stands at the end or before a
  // "…", since the rest may have been cut off. A secret of fewer than 4 characters is not looked
  // for.
  std::string redact(std::string text) const;

 private:
  std::string text_;
};

// Where a secret comes from: a file or an environment variable, never hastur.toml itself.
struct SecretSetting {
  std::string file;
  std::string env;
  // Empty until read.
  Secret value;

  bool operator==(const SecretSetting&) const = default;
  bool given() const { return !file.empty() || !env.empty(); }
  // Fills `value`; does nothing if neither is given. `key` is the setting without its ending,
  // "routing_key", for the error. A newline at the end is no part of the secret; other control
  // characters are refused, since it stands in header lines.
  Result<void> read(std::string_view key);
};

}  // namespace hastur
