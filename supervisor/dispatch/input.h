#pragma once

// A batch on its way to triggers.

#include <memory>

#include "message/stream_time.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

// Whoever decoded the frame has checked the body.
inline std::shared_ptr<const InputBatch> make_input(Batch batch) {
  auto input = std::make_shared<InputBatch>();
  input->batch = std::move(batch);
  stream_times(BatchView::trusted(input->batch.header, input->batch.body), input->stream_times);
  return input;
}

// What keeping it costs, in bytes.
inline std::size_t weight(const InputBatch& input) {
  return input.batch.body.size() + input.stream_times.size() * 8;
}

}  // namespace hastur
