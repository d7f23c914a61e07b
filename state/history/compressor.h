#pragma once

// The one wrapper of zstd. Keeps its working memory between calls.

#include <memory>
#include <string>
#include <string_view>

namespace hastur {

class Compressor {
 public:
  Compressor();
  ~Compressor();
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;

  // Appends one zstd frame to `out`. Levels are zstd's; negative ones are faster than 1.
  void compress(std::string_view bytes, int level, std::string& out);

  // Fills `out`, whose size is what was compressed; false if `frame` is damaged or of another size.
  bool decompress(std::string_view frame, std::string& out);

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
};

}  // namespace hastur
