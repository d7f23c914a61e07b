#include "supervisor/notify/hmac.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "core/check.h"

namespace hastur {

std::string hmac_sha256_hex(const Secret& key, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const unsigned char* made = HMAC(
      EVP_sha256(), key.reveal().data(), static_cast<int>(key.reveal().size()),
      reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data(), &size);
  HASTUR_CHECK(made != nullptr, "OpenSSL has SHA-256");
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

}  // namespace hastur
