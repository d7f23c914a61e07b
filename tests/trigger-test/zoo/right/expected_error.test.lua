return {
  name = "a job without a name is an error",
  messages = { { type = "mark", name = "job", value = hastur.null } },
  expect = { { error = "a job without a name" } },
}
