#include "state/history/compressor.h"

#include <zstd.h>

#include "core/check.h"

namespace hastur {

struct Compressor::Contexts {
  ZSTD_CCtx* compress = ZSTD_createCCtx();
  ZSTD_DCtx* decompress = ZSTD_createDCtx();
  ~Contexts() {
    ZSTD_freeCCtx(compress);
    ZSTD_freeDCtx(decompress);
  }
};

Compressor::Compressor() : contexts_(std::make_unique<Contexts>()) {}
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;

void Compressor::compress(std::string_view bytes, int level, std::string& out) {
  const std::size_t begin = out.size();
  out.resize(begin + ZSTD_compressBound(bytes.size()));
  const std::size_t written =
      ZSTD_compressCCtx(contexts_->compress, out.data() + begin, out.size() - begin, bytes.data(),
                        bytes.size(), level);
  HASTUR_CHECK(ZSTD_isError(written) == 0, "zstd compresses into a buffer of its own bound");
  out.resize(begin + written);
}

bool Compressor::decompress(std::string_view frame, std::string& out) {
  const std::size_t read = ZSTD_decompressDCtx(contexts_->decompress, out.data(), out.size(),
                                               frame.data(), frame.size());
  return ZSTD_isError(read) == 0 && read == out.size();
}

}  // namespace hastur
