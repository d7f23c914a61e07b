#pragma once

// The one wrapper of OpenSSL: signatures that a receiver can check.

#include <string>
#include <string_view>

#include "supervisor/notify/secret.h"

namespace hastur {

// HMAC-SHA256 (RFC 2104), 64 lowercase hex digits.
std::string hmac_sha256_hex(const Secret& key, std::string_view bytes);

}  // namespace hastur
