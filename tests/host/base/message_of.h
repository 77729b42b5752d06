#pragma once

#include <gtest/gtest.h>

#include <exception>
#include <string>

#include "host/base/error.h"

/// What a failing call says: for tests of refusals.
namespace bittern {

/// Message of the E that `body` throws. Fails the test when it throws something else or nothing.
template <typename E = Error, typename Body>
std::string message_of(Body body) {
  try {
    body();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another exception: " << error.what();
    return "";
  }
  ADD_FAILURE() << "no exception";
  return "";
}

/// The same of an Error that leads to this exit status.
template <typename Body>
std::string message_of(ExitStatus status, Body body) {
  return message_of([&] {
    try {
      body();
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), status) << error.what();
      throw;
    }
  });
}

}  // namespace bittern
