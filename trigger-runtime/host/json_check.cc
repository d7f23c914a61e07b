#include "trigger-runtime/host/json_check.h"

#include <bitset>
#include <cstddef>

namespace hastur {
namespace {

constexpr int depth_max = 128;

class JsonWalk {
 public:
  explicit JsonWalk(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  // Goes on until every bracket is closed. An iteration reads one member or element, or closes a
  // bracket.
  bool object() {
    space();
    if (at_ == end_ || *at_ != '{') return false;
    bool ok = open();
    while (ok && depth_ > 0) ok = closes() ? close() : item();
    space();
    return ok && at_ == end_;
  }

 private:
  void space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool open() {
    if (depth_ == depth_max) return false;
    is_object_[static_cast<std::size_t>(depth_)] = *at_ == '{';
    ++depth_;
    ++at_;
    first_ = true;
    return true;
  }

  bool in_object() const { return is_object_[static_cast<std::size_t>(depth_ - 1)]; }

  bool closes() {
    space();
    return at_ != end_ && *at_ == (in_object() ? '}' : ']');
  }

  bool close() {
    ++at_;
    --depth_;
    first_ = false;
    return true;
  }

  bool item() {
    if (!first_ && !take(',')) return false;
    first_ = false;
    space();
    if (in_object()) {
      if (!string()) return false;
      space();
      if (!take(':')) return false;
      space();
    }
    if (at_ == end_) return false;
    switch (*at_) {
      case '{':
      case '[':
        return open();
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool word(std::string_view expected) {
    if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(expected)) {
      return false;
    }
    at_ += expected.size();
    return true;
  }

  bool digits() {
    const char* const begin = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ != begin;
  }

  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }

  bool string() {
    if (!take('"')) return false;
    while (at_ != end_) {
      const auto byte = static_cast<unsigned char>(*at_);
      if (byte == '"') return take('"');
      if (byte < 0x20) return false;
      if (byte == '\\') {
        if (!escape()) return false;
      } else if (byte < 0x80) {
        ++at_;
      } else if (!wide(byte)) {
        return false;
      }
    }
    return false;
  }

  bool escape() {
    ++at_;
    if (at_ == end_) return false;
    const char c = *at_++;
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ == end_) return false;
      const bool hex = (*at_ >= '0' && *at_ <= '9') || (*at_ >= 'a' && *at_ <= 'f') ||
                       (*at_ >= 'A' && *at_ <= 'F');
      if (!hex) return false;
    }
    return true;
  }

  // A sequence of more than one byte (RFC 3629, the table in section 4).
  bool wide(unsigned char lead) {
    unsigned low = 0x80;
    unsigned high = 0xBF;
    int more = 0;
    if (lead >= 0xC2 && lead <= 0xDF) {
      more = 1;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      more = 2;
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      more = 3;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    } else {
      return false;
    }
    ++at_;
    for (int i = 0; i < more; ++i, ++at_, low = 0x80, high = 0xBF) {
      if (at_ == end_) return false;
      const auto byte = static_cast<unsigned char>(*at_);
      if (byte < low || byte > high) return false;
    }
    return true;
  }

  const char* at_;
  const char* end_;
  int depth_ = 0;
  // Nothing has been read yet within the innermost bracket.
  bool first_ = true;
  std::bitset<depth_max> is_object_;
};

}  // namespace

bool is_json_object(std::string_view text) { return JsonWalk(text).object(); }

}  // namespace hastur
