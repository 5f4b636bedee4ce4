// One call of io_uring_register(2) while a `register` step makes it.
//
// The handlers of the ring's own tables stand in register_steps.cpp; those of what belongs to the
// task, to other rings or to the kernel in register_wider.cpp. Included by these two only.
#pragma once

#include <liburing.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "scenarios/low_level_plan.hpp"
#include "scenarios/private_ring.hpp"
#include "scenarios/register_table.hpp"
#include "scenarios/sqe_builder.hpp"
#include "scenarios/value.hpp"

namespace scenarios {

// One call while it is being made.
class register_call {
 public:
  register_call(const register_step& body, private_ring& ring, sqe_builder& values)
      : body_(body), ring_(ring), values_(values) {}

  /// What the call returned, or nothing when a value could not be had.
  std::optional<int> make() {
    for (const handler& each : handlers()) {
      if (each.opcode != body_.row->opcode) continue;
      const int result = (this->*each.call)();
      return bad_ || !refused.empty() ? std::nullopt : std::optional(result);
    }
    return plain();
  }

  value::record_type fields;
  std::string refused;  // why the call was not made, where it is no value's fault

 private:
  struct handler {
    unsigned opcode;
    int (register_call::*call)();
  };
  /// Calls without an argument have none.
  static std::span<const handler> handlers();

  const sqe_field* find(std::string_view name) const {
    const auto found = std::ranges::find_if(
        body_.fields, [&](const sqe_field& each) { return each.row->name == name; });
    return found == body_.fields.end() ? nullptr : &*found;
  }
  std::int64_t number(std::string_view name, std::int64_t otherwise = 0) {
    const sqe_field* field = find(name);
    if (field == nullptr) return otherwise;
    const auto value = values_.integer(*field);
    bad_ |= !value;
    return value.value_or(otherwise);
  }
  std::uint32_t small(std::string_view name, std::uint32_t otherwise = 0) {
    return static_cast<std::uint32_t>(number(name, otherwise));
  }
  /// -1 without the field.
  int descriptor(std::string_view name) {
    const sqe_field* field = find(name);
    const auto fd = field == nullptr ? -1 : values_.descriptor(*field);
    bad_ |= !fd;
    return fd.value_or(-1);
  }
  /// All zero without the field.
  __kernel_timespec time(std::string_view name) {
    const sqe_field* field = find(name);
    const auto time = field == nullptr ? __kernel_timespec{} : values_.time(*field);
    bad_ |= !time;
    return time.value_or(__kernel_timespec{});
  }
  void publish(std::string_view name, std::uint64_t number) {
    fields.push_back({std::string(name), value(static_cast<std::int64_t>(number))});
  }
  std::vector<int> descriptors(std::string_view name) {
    const sqe_field* field = find(name);
    if (field == nullptr) return {};
    auto all = values_.descriptors(*field);
    bad_ |= !all;
    return all.value_or(std::vector<int>{});
  }
  std::vector<std::uint64_t> numbers(std::string_view name) {
    std::vector<std::uint64_t> all;
    const sqe_field* field = find(name);
    if (field == nullptr) return all;
    for (const sqe_field& part : field->parts) {
      const auto value = values_.integer(part);
      bad_ |= !value;
      all.push_back(static_cast<std::uint64_t>(value.value_or(0)));
    }
    return all;
  }
  /// Buffers of the sizes under "sizes", or the bad pointer that stands there.
  std::vector<iovec> buffers() {
    const sqe_field* field = find("sizes");
    if (field == nullptr) return {};
    if (field->bad_address) {
      const auto size = values_.bad_length(*field);
      bad_ |= !size;
      return {{reinterpret_cast<void*>(field->constant), size.value_or(0)}};
    }
    std::vector<std::uint32_t> sizes;
    for (const std::uint64_t size : numbers("sizes"))
      sizes.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(size, 16U << 20U)));
    return ring_.make_buffers(sizes);
  }

  int plain() { return ring_.call(body_.row->opcode, nullptr, 0); }
  int register_buffers();
  int unregister_buffers();
  int register_files();
  int register_eventfd();
  int switch_eventfd();
  int update_files();
  int probe();
  int unregister_personality();
  int restrict();
  int register_tagged();
  int update_tagged();
  int limit_workers();
  int register_group();
  int unregister_group();
  int sync_cancel();
  int limit_slots();
  int group_status();
  int set_clock();
  int clone_buffers();
  int resize();
  int limit_cpus();
  int release_cpus();
  int register_descriptor();
  int unregister_descriptor();
  int set_napi();
  int send_message();
  int register_region();
  int query();

  const register_step& body_;
  private_ring& ring_;
  sqe_builder& values_;
  bool bad_ = false;
};

}  // namespace scenarios
