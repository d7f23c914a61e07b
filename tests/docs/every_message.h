#pragma once

// A stream with a message of every type that triggers can receive, each with all of its own fields,
// and ticks over nine days.

#include "tests/trigger-runtime/vm/test_trigger.h"

namespace hastur::testing {

inline Batch every_message() {
  constexpr const char* messages[] = {
      R"({"type":"gauge","name":"system.cpu.busy","value":95.5,"labels":{"app":"shop","pid":17,"canary":false}})",
      R"({"type":"gauge","name":"system.disk.used_percent","value":93,"labels":{"mount":"/var"}})",
      R"({"type":"counter","name":"shop.requests","value":3,"labels":{"app":"shop","status":500}})",
      R"({"type":"mark","name":"shop.deployed","value":"v42"})",
      R"({"type":"compound","name":"shop.queues","value":{"mail":7,"orders":[1,2]}})",
      R"({"type":"event","name":"shop.order.failed","subject":"No stock","body":"Order 17","attn":["sales","ops"]})",
      R"({"type":"log","subject":"shop","data":"started"})",
      R"({"type":"error","error":"no such table","class":"SqlError","data":{"table":"orders"},"backtrace":["a","b"]})",
      R"({"type":"error","error":"nil","class":"trigger","count":12,"script":"billing/old.lua","line":4,"minute":1704067200000000,"labels":{"trigger":"billing/old"}})",
      R"({"type":"hb_process","name":"shop.worker","value":1,"timeout":30})",
      R"({"type":"hb_agent","name":"agent","value":0,"timeout":10})",
      R"({"type":"reg_agent","hostname":"web1","ipv4":"10.0.0.1","nodename":"web1.example"})",
      R"({"type":"reg_process","data":{"name":"shop"}})",
      R"({"type":"info_process","tag":"version","data":{"shop":"42"}})",
      R"({"type":"info_agent","tag":"version","data":"1"})",
      R"({"type":"info_ohai","data":{"kernel":"6.1"}})",
  };
  Stream stream;
  double second = 0;
  for (const char* message : messages) {
    stream.tick(second).message(second + 0.5, message);
    ++second;
  }
  for (; second <= 120; ++second) stream.tick(second);
  for (const double later : {3'600, 30'000, 90'000, 777'600}) stream.tick(later);
  return stream.take();
}

}  // namespace hastur::testing
