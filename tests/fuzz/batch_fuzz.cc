// Garbage handed to the decoder of frames, and, past its checksum, to the checks of a body.

#include <cstring>

#include "core/check.h"
#include "core/json.h"
#include "message/batch.h"
#include "message/batch_layout.h"
#include "message/router.h"
#include "tests/fuzz/fuzz.h"

namespace hastur {
namespace {

Batch sample(int rows) {
  BatchBuilder builder;
  for (int i = 0; i < rows; ++i) {
    const std::string tree = [] {
      std::string out;
      Json::to_msgpack(Json{{"attn", {"ops"}}, {"subject", "x"}}, out);
      return out;
    }();
    const std::vector<Label> labels{{"app", Value::of(std::string_view("x"))},
                                    {"pid", Value::of(17.0)}};
    MessageView view;
    view.type = i % 3 == 0 ? MessageType::gauge : MessageType::compound;
    view.name = i % 2 == 0 ? "cpu.load" : "cpu.idle";
    view.value = i % 3 == 0 ? Value::of(i * 0.5) : Value::of_tree(tree);
    view.timestamp = view.received_at = time_from_us(1'700'000'000'000'000 + i);
    view.uuid = "8e58af00-708c-012f-e468-64ce8f3a9dc2";
    view.labels = labels;
    if (i % 2 == 0) view.fields = tree;
    if (i % 4 == 0) view.origin = Origin{"billing/load", Run{1}, Sequence{5}, 0, 1};
    builder.add(view);
    if (i % 5 == 0)
      builder.add_tick(time_from_us(1'700'000'000'000'000), view.received_at, Micros{0});
  }
  return builder.finish({}, {1}, time_from_us(1'700'000'000'000'000));
}

// Reads all there is: through messages, a router that asks for everything, and a builder.
void read_everything(const BatchView& view) {
  static Router router = [] {
    Router made;
    Subscription all;
    all.filter = *Filter::parse(*parse_json(
        R"({"none_of":[{"subject":"*x*y"},{"attn":["ops","dev"]},{"labels":{"app":"*q"}},{"name":"*q"}]})"));
    Subscription one;
    one.trigger = 1;
    one.filter = *Filter::parse(
        *parse_json(R"({"name":"cpu*","subject":"x","labels":{"pid":{"above":3}}})"));
    made.build({all, one});
    return made;
  }();
  Routed routed;
  router.route(view, 0, routed);
  std::vector<std::int64_t> times;
  stream_times(view, times);
  const Batch again = slice(view, 0, view.count());
  const auto reopened = BatchView::open(again.header, again.body);
  HASTUR_CHECK(reopened.has_value(), "a batch made of a checked batch is in order");
  std::vector<Label> scratch, scratch_again;
  for (std::uint32_t row = 0; row < view.count(); ++row) {
    const MessageView message = view.message(row, scratch);
    HASTUR_CHECK(same_message(message, reopened->message(row, scratch_again)),
                 "a slice has the same messages");
  }
}

}  // namespace
}  // namespace hastur

std::vector<std::string> fuzz_seeds() {
  std::vector<std::string> seeds;
  for (const int rows : {0, 1, 7, 40}) {
    const hastur::Batch batch = hastur::sample(rows);
    seeds.push_back('f' + hastur::encode_frame(batch));
    seeds.push_back('b' + batch.body);
  }
  return seeds;
}

// The first byte chooses: 'f' for a frame, anything else for a body that calls itself
// well-numbered.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hastur;
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'f') {
    if (const auto batch = decode_frame(input)) {
      const auto view = BatchView::open(batch->header, batch->body);
      HASTUR_CHECK(view.has_value(), "what a frame gives can be opened");
      read_everything(*view);
    }
    return 0;
  }
  // Exactly its size and aligned, as a body in shared memory is.
  std::vector<std::uint64_t> aligned(input.size() / 8);
  if (input.size() % 8 != 0 || input.size() < sizeof(BatchCounts)) return 0;
  std::memcpy(aligned.data(), input.data(), input.size());
  BatchCounts counts;
  std::memcpy(&counts, input.data(), sizeof counts);
  BatchHeader header;
  header.first = {1};
  header.count = counts.rows;
  if (const auto view =
          BatchView::open(header, {reinterpret_cast<const char*>(aligned.data()), input.size()})) {
    read_everything(*view);
  }
  return 0;
}
