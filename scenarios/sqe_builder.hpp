// Fills one submission, field by field as the op table says, with the values of one strand.
//
// Made for one step while it starts. What the pointers point to goes into the submission_memory
// that it is given; what lies in a ring (registered buffers, provided ones) is the private_ring's.
#pragma once

#include <liburing.h>

#include <string>

#include "scenarios/low_level_plan.hpp"
#include "scenarios/sqe_memory.hpp"

namespace scenarios {

class strand;
class private_ring;

class sqe_builder {
 public:
  /// `on` is null on the loop's own ring.
  sqe_builder(strand& owner, private_ring* on, submission_memory& memory)
      : strand_(owner), ring_(on), memory_(memory) {}

  /// The whole submission of a step. False with `why()` set when a value could not be had.
  bool build(const step_plan& step, const sqe_step& body, io_uring_sqe& sqe);

  // Single values, for what is no submission but has the same kinds of arguments. Nothing returned:
  // why() says it.
  std::optional<std::int64_t> integer(const sqe_field& field);
  std::optional<int> descriptor(const sqe_field& field);
  std::optional<std::vector<int>> descriptors(const sqe_field& field);
  std::optional<std::string> text(const sqe_field& field);
  std::optional<std::string> data(const sqe_field& field);
  std::optional<__kernel_timespec> time(const sqe_field& field);
  std::optional<std::uint64_t> target(const sqe_field& field);
  /// The length beside a pointer that is to be a bad one.
  std::optional<std::size_t> bad_length(const sqe_field& field);

  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  bool set_descriptor(const step_plan& step, const sqe_step& body, io_uring_sqe& sqe);
  bool fill(io_uring_sqe& sqe, const sqe_field& field);
  bool fill_bad_address(io_uring_sqe& sqe, const sqe_field& field);
  bool fill_number(io_uring_sqe& sqe, const sqe_field& field);
  bool fill_data(io_uring_sqe& sqe, const sqe_field& field);
  bool fill_text(io_uring_sqe& sqe, const sqe_field& field);
  bool fill_address(io_uring_sqe& sqe, const sqe_field& field);
  bool fill_buffer(io_uring_sqe& sqe, const sqe_field& field);
  bool fill_iov(io_uring_sqe& sqe, const sqe_field& field);
  bool fill_message(io_uring_sqe& sqe, const sqe_field& field);
  bool fill_how(io_uring_sqe& sqe, const sqe_field& field);
  bool fill_event(io_uring_sqe& sqe, const sqe_field& field);
  bool fill_waits(io_uring_sqe& sqe, const sqe_field& field);
  bool fill_list(io_uring_sqe& sqe, const sqe_field& field);
  bool fill_descriptor(io_uring_sqe& sqe, const sqe_field& field);
  bool fill_memory(io_uring_sqe& sqe, const sqe_field& field);
  bool fill_time(io_uring_sqe& sqe, const sqe_field& field);
  void fill_by_itself(io_uring_sqe& sqe, const uring::field_row& row);
  void fill_unsaid(io_uring_sqe& sqe);

  bool read_iov(const sqe_field& field, std::vector<iovec>& into);
  bool read_message(const sqe_field& field, received_message& into);
  bool add_rights(const sqe_field& field, msghdr& into);
  /// Room for `size` bytes: in the registered buffer that the step names, or in its own memory.
  void* place(std::size_t size);
  void note_sent(std::string_view octets);
  bool fail(std::string why);

  strand& strand_;
  private_ring* ring_;
  submission_memory& memory_;
  const sqe_step* body_ = nullptr;
  std::optional<iovec> fixed_;  // what is left of the registered buffer
  bool absolute_ = false;       // a timespec is a point of time
  clockid_t clock_ = 0;
  std::string why_;
};

}  // namespace scenarios
