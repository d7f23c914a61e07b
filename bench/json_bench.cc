// A gauge datagram of 150 bytes, name, value, timestamp, uuid and two labels: decoded to a
// MessageView, beside the floor, which is simdjson parsing the same bytes into its document and
// nothing else.

#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <string>

#include "message/json_codec.h"

namespace hastur {
namespace {

constexpr std::string_view gauge =
    R"({"type":"gauge","name":"ots.load","value":371.1,"timestamp":1335826232943810,)"
    R"("uuid":"8e58af00-708c-012f-e468-64ce8f3a9dc2","labels":{"app":"x","pid":17}})";
static_assert(gauge.size() >= 145 && gauge.size() <= 155);

constexpr std::string_view event =
    R"({"type":"event","name":"disk","subject":"full","body":"only 3 % left","attn":["ops","dev"],)"
    R"("timestamp":1335826232943810,"uuid":"8e58af00-708c-012f-e468-64ce8f3a9dc2","labels":{"app":"x"}})";

// As datagrams lie in a receive buffer: one behind the other, no two at the same place.
std::string datagrams(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  all.append(simdjson::SIMDJSON_PADDING, ' ');
  return all;
}

constexpr std::size_t datagrams_count = 1024;

void bench_simdjson_alone(benchmark::State& state, std::string_view text) {
  const std::string all = datagrams(text, datagrams_count);
  simdjson::dom::parser parser;
  std::size_t at = 0;
  for (auto _ : state) {
    auto parsed = parser.parse(all.data() + at * text.size(), text.size(), false);
    benchmark::DoNotOptimize(parsed);
    at = (at + 1) % datagrams_count;
  }
  state.SetItemsProcessed(state.iterations());
}

void bench_decode(benchmark::State& state, std::string_view text) {
  const std::string all = datagrams(text, datagrams_count);
  JsonDecoder decoder;
  JsonDecoder::Defaults defaults;
  defaults.received_at = time_from_us(1'700'000'000'000'000);
  defaults.uuid = "00000000-0000-4000-8000-000000000001";
  std::size_t at = 0;
  for (auto _ : state) {
    auto decoded = decoder.decode({all.data() + at * text.size(), text.size()}, defaults);
    benchmark::DoNotOptimize(decoded);
    at = (at + 1) % datagrams_count;
  }
  state.SetItemsProcessed(state.iterations());
}

void bench_write(benchmark::State& state, std::string_view text) {
  JsonDecoder decoder;
  JsonDecoder::Defaults defaults;
  defaults.received_at = time_from_us(1'700'000'000'000'000);
  const auto decoded = decoder.decode(text, defaults);
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_message_json(out, std::get<MessageView>(decoded));
    benchmark::DoNotOptimize(out);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(bench_simdjson_alone, gauge, gauge);
BENCHMARK_CAPTURE(bench_decode, gauge, gauge);
BENCHMARK_CAPTURE(bench_simdjson_alone, event, event);
BENCHMARK_CAPTURE(bench_decode, event, event);
BENCHMARK_CAPTURE(bench_write, gauge, gauge);

}  // namespace
}  // namespace hastur

BENCHMARK_MAIN();
