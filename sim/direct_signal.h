#pragma once

#include <systemc>

namespace bittern::sim {

/// SystemC channel whose value changes at once, without an update phase, and wakes nobody: for the
/// pins between a Verilated module and the one process that clocks it. sc_signal would cost two
/// delta cycles for every clock cycle.
template <typename T>
class DirectSignal : public sc_core::sc_signal_inout_if<T> {
 public:
  explicit DirectSignal(T value) : value_(value) {}

  const T& read() const override { return value_; }
  const T& get_data_ref() const override { return value_; }
  void write(const T& value) override { value_ = value; }
  bool event() const override { return false; }
  const sc_core::sc_event& default_event() const override { return never_; }
  const sc_core::sc_event& value_changed_event() const override { return never_; }

 protected:
  T value_;
  sc_core::sc_event never_;
};

/// The same for one bit, which SystemC gives edge events as well.
template <>
class DirectSignal<bool> : public sc_core::sc_signal_inout_if<bool> {
 public:
  explicit DirectSignal(bool value) : value_(value) {}

  const bool& read() const override { return value_; }
  const bool& get_data_ref() const override { return value_; }
  void write(const bool& value) override { value_ = value; }
  bool event() const override { return false; }
  const sc_core::sc_event& default_event() const override { return never_; }
  const sc_core::sc_event& value_changed_event() const override { return never_; }
  const sc_core::sc_event& posedge_event() const override { return never_; }
  const sc_core::sc_event& negedge_event() const override { return never_; }
  bool posedge() const override { return false; }
  bool negedge() const override { return false; }

 private:
  bool value_;
  sc_core::sc_event never_;
};

}  // namespace bittern::sim
