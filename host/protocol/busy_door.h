#pragma once

#include <memory>
#include <thread>

#include "host/protocol/connection.h"

namespace bittern {

/// Answers at the door while a client is being served: whoever connects is told at once that the
/// device is busy (WireError::kBusy), instead of waiting without a word. Works in a thread of its
/// own for as long as this object lives; nobody else may accept clients of the listener then.
class BusyDoor {
 public:
  explicit BusyDoor(Listener& listener);
  ~BusyDoor();
  BusyDoor(const BusyDoor&) = delete;
  BusyDoor& operator=(const BusyDoor&) = delete;

 private:
  void watch();

  Listener& listener_;
  std::pair<Connection, Connection> wake_;  // closing the first end wakes the thread
  std::thread thread_;
};

}  // namespace bittern
