#include "message/recording_items.h"

#include <fmt/format.h>

#include <limits>

namespace hastur {
namespace {

bool is_space(int c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

RecordingItems::RecordingItems(std::istream& input, std::string source)
    : input_(input), source_(std::move(source)) {}

// Looks at the first character that is not white space. False for a file without one.
Result<bool> RecordingItems::begin() {
  while (is_space(input_.peek())) {
    if (input_.get() == '\n') ++number_;
  }
  int first = input_.peek();
  // The byte order mark that some editors put before UTF-8.
  if (first == 0xEF) {
    for (const int mark : {0xEF, 0xBB, 0xBF}) {
      if (input_.peek() == mark) input_.get();
    }
    first = input_.peek();
  }
  if (input_.bad()) return fail(ErrorCode::unavailable, fmt::format("{} cannot be read", source_));
  if (first == std::istream::traits_type::eof()) return false;
  if (first != '{' && first != '[') {
    return fail(ErrorCode::invalid, fmt::format("{} is no recording: it must begin with '{{' (JSON "
                                                "Lines, one message a line) or '[' (a "
                                                "Hastur replay file)",
                                                source_));
  }
  form_ = first == '[' ? Form::json_array : Form::json_lines;
  line_under_way_ = number_ + 1;
  begun_ = true;
  return true;
}

Result<std::optional<RecordingItems::Item>> RecordingItems::next() {
  if (!begun_) {
    const Result<bool> any = begin();
    if (!any) return fail(any.error());
    if (!*any) return std::optional<Item>();
  }
  std::optional<Item> item = form_ == Form::json_lines ? next_line() : next_element();
  if (!item && input_.bad()) {
    return fail(ErrorCode::unavailable,
                fmt::format("{} cannot be read after line {}", source_, number_));
  }
  if (!item && in_array_) {
    return fail(ErrorCode::invalid,
                fmt::format("{}:{}: the file ends within its array: it was cut short. Read are the "
                            "elements that it has; to go without the others, end it with ']'",
                            source_, line_under_way_));
  }
  return item;
}

std::optional<RecordingItems::Item> RecordingItems::next_line() {
  // The delimiter and getline's closing zero.
  line_.resize(item_bytes_max + 2);
  while (true) {
    input_.getline(line_.data(), static_cast<std::streamsize>(line_.size()));
    auto size = static_cast<std::size_t>(input_.gcount());
    if (input_.bad() || size == 0) return std::nullopt;
    ++number_;
    Item item;
    if (input_.eof()) {
      // No delimiter was taken.
    } else if (input_.fail()) {
      input_.clear();
      input_.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
      item.cut = true;
      size = item_bytes_max;
    } else {
      --size;
    }
    item.text = {line_.data(), size};
    if (!is_blank(item.text)) return item;
  }
}

int RecordingItems::take_byte() {
  if (block_at_ == block_size_) {
    constexpr std::size_t block_bytes = 64 * 1024;
    block_.resize(block_bytes);
    input_.read(block_.data(), static_cast<std::streamsize>(block_.size()));
    block_at_ = 0;
    block_size_ = static_cast<std::size_t>(input_.gcount());
    if (block_size_ == 0) return -1;
  }
  const char byte = block_[block_at_++];
  if (byte == '\n') ++line_under_way_;
  return static_cast<unsigned char>(byte);
}

void RecordingItems::keep(char c) {
  if (element_.size() < item_bytes_max) {
    element_ += c;
  } else {
    element_cut_ = true;
  }
}

// Brackets and commas around elements say nothing more, so that files put together end to end are
// read too.
std::optional<RecordingItems::Item> RecordingItems::next_element() {
  element_.clear();
  element_cut_ = false;
  int c = take_byte();
  for (; is_space(c) || c == '[' || c == ']' || c == ','; c = take_byte()) {
    if (c == '[' || c == ']') in_array_ = c == '[';
  }
  if (c < 0) return std::nullopt;
  number_ = line_under_way_;
  const bool object = c == '{';
  std::size_t depth = 0;
  bool in_string = false;
  for (; c >= 0; c = take_byte()) {
    if (!object && !in_string && (is_space(c) || c == ',' || c == ']')) {
      if (c == ']') in_array_ = false;
      break;
    }
    keep(static_cast<char>(c));
    if (in_string && c == '\\') {
      if (const int escaped = take_byte(); escaped >= 0) keep(static_cast<char>(escaped));
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && object) {
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) break;
    }
  }
  return Item{element_, element_cut_};
}

}  // namespace hastur
