#pragma once

// The lines or array elements of a file, one after the other, without reading it whole.

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace hastur {

class RecordingItems {
 public:
  enum class Form { json_lines, json_array };

  // A longer line or element is cut to this.
  static constexpr std::size_t item_bytes_max = 1u << 20;

  struct Item {
    // Valid until the next one is read.
    std::string_view text;
    // It was longer than item_bytes_max.
    bool cut = false;
  };

  // `input` outlives it.
  RecordingItems(std::istream& input, std::string source);

  // The next line that is not blank, or the next element; nothing at the end. `unavailable` if the
  // file cannot be read, `invalid` if its first character begins neither form or if an array does
  // not end.
  Result<std::optional<Item>> next();

  // Of the file; json_lines as long as nothing was read.
  Form form() const { return form_; }
  // The line (from 1) that the last one stands in, or begins in.
  std::uint64_t number() const { return number_; }

 private:
  Result<bool> begin();
  std::optional<Item> next_line();
  std::optional<Item> next_element();
  // The next byte of an array, -1 at the end.
  int take_byte();
  void keep(char c);

  std::istream& input_;
  std::string source_;
  Form form_ = Form::json_lines;
  bool begun_ = false;
  std::uint64_t number_ = 0;
  // Lines: where one is read to.
  std::vector<char> line_;
  // Arrays: what was read ahead, and the element.
  std::vector<char> block_;
  std::size_t block_at_ = 0;
  std::size_t block_size_ = 0;
  std::uint64_t line_under_way_ = 1;
  bool in_array_ = false;
  std::string element_;
  bool element_cut_ = false;
};

}  // namespace hastur
