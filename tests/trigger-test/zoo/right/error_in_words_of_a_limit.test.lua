return {
  name = "a queue that is too long is an error",
  messages = { { type = "gauge", name = "queue.length", value = 5000, uuid = "u1" } },
  expect = { { error = "a queue larger than *" } },
}
