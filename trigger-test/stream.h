#pragma once

// A stream that is at hand as a whole, and how a test's messages become one.

#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/result.h"
#include "trigger-runtime/protocol/commands.h"
#include "trigger-test/nicknames.h"
#include "trigger-test/test_file.h"

namespace hastur {

struct Stream {
  // In order, without a hole; sequences from 1.
  std::vector<std::shared_ptr<const InputBatch>> batches;
  // By row, over all batches: how many messages there were up to it (RecordingReader).
  std::vector<std::uint64_t> row_messages;
  // Of a recording: what of it could not be decoded (refused_text).
  std::string refused = {};
  // And what of it is passed over (journal_text).
  std::string passed_over = {};

  // Stream time at an input.
  Time time_at(Sequence input) const;
  // One input of it, as its view and the number of its message; nothing for a sequence outside.
  struct Input {
    MessageView message;
    std::uint64_t number = 0;
  };
  // `scratch` receives the labels and lives as long as the view is used.
  std::optional<Input> input(Sequence sequence, std::vector<Label>& scratch) const;
};

// Reads a recording whole. `rows_max`: of a batch.
Result<Stream> read_stream(std::istream& in, const std::string& source,
                           std::uint32_t rows_max = 4096);

// The inputs up to a stream time, that one included.
Stream cut_after(const Stream& stream, Time last);

// The same with an end of a batch after each of these stream times, which are in order.
Stream cut_at(const Stream& stream, const std::vector<Time>& times);

// A test's messages in the order in which they are received.
struct TestStream {
  Stream stream;
  Nicknames names;
  // Of each message, from 0: as JSON, and the line of the test file that made it.
  std::vector<std::string> messages;
  std::vector<std::uint32_t> lines;
  // The test's last moment, from its start.
  Micros end{0};
};

// It begins with a tick at the test's start and ends with one at its end. Recordings lie in
// `folder`. `rows_max`: of a batch.
std::variant<TestStream, TestFileError> make_test_stream(const TestCase& test,
                                                         const std::string& folder,
                                                         std::uint32_t rows_max = 4096);

// `few` in turn, the next at each of `times` after `start`, with one tick before each that moves
// stream time into a new second, and no others: as after spans in which the trigger did not run.
// One without fields is a tick alone. A batch for each `rows` of them. `own_from`: each gauge and
// counter with a number has one of its own instead (own_value), the first that of this place.
// Nothing if one of them can be none.
std::optional<TestStream> make_sparse_stream(const std::vector<MessageSpec>& few,
                                             const std::vector<Micros>& times, Time start,
                                             std::size_t rows,
                                             std::optional<std::size_t> own_from = std::nullopt);

// A little above `given`, less than a half, and another at each place up to a million.
double own_value(double given, std::size_t place);
// Whether a message with these fields can have one.
bool may_have_own_value(const Json& fields);

}  // namespace hastur
