// recv of one message: looks ahead, takes apart what is there, and consumes exactly the message.

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "scenarios/message_decoder.hpp"
#include "scenarios/step_runner.hpp"

namespace scenarios {
namespace {

constexpr std::size_t looked_ahead = 64U << 10U;

std::span<std::byte> room(std::string& buffer, std::size_t at, std::size_t count) {
  return {reinterpret_cast<std::byte*>(buffer.data()) + at, count};
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// What is no message of the layout: seen, but not consumed.
step_end malformed(const message_decoder& decoder, const uring::completion& last,
                   std::string seen) {
  step_end end = step_end::from(last);
  end.natural = false;
  end.outcome = step_outcome::error;
  end.res = -EBADMSG;
  end.failed_as = decoder.contradicts() ? code::fields_differ : code::malformed_message;
  end.detail = decoder.error();
  end.data = std::move(seen);
  return end;
}

/// The end, a timeout or a cancel came before the message was complete.
step_end incomplete(message_decoder& decoder, const uring::completion& last, std::string data) {
  step_end end = step_end::from(last);
  end.natural = false;
  if (last.res == 0) {
    end.outcome = step_outcome::eof;
    end.res = 0;
    if (!data.empty()) end.failed_as = code::malformed_message;
  }
  end.detail = data.empty() ? "no octet of the message had come"
                            : fmt::format("{} octets had come, and {} was being read", data.size(),
                                          decoder.reading());
  end.data = std::move(data);
  return end;
}

}  // namespace

uring::task<step_end> step_runner::receive_message(uring::byte_stream& from,
                                                   const message_layout& layout,
                                                   std::uint64_t max) {
  message_decoder decoder(layout, max);
  std::string data;  // what was consumed, and while it is looked at what lies ahead
  std::string ahead(looked_ahead, '\0');
  uring::completion last;
  decode_state state = decoder.advance(data, false);
  while (state == decode_state::needs_more) {
    context_.recorder.last_submission = false;
    last = co_await from.peek_some(room(ahead, 0, ahead.size()), limits());
    if (last.res <= 0) break;
    const std::size_t consumed = data.size();
    data.append(ahead, 0, static_cast<std::size_t>(last.res));
    if (data.size() >= decoder.needed()) state = decoder.advance(data, false);
    if (state == decode_state::malformed) {
      from.unread(bytes_of(data).first(consumed));
      co_return malformed(decoder, last, std::move(data));
    }
    const bool complete = state == decode_state::complete;
    const std::size_t length = complete ? decoder.used() : data.size();
    data.resize(length);
    // Consume exactly that much: what follows stays in the socket for any next reader.
    context_.recorder.last_submission = complete;
    std::size_t taken = consumed;
    while (taken < length) {
      last = co_await from.read_some(room(data, taken, length - taken), limits());
      if (last.res <= 0) break;
      taken += static_cast<std::size_t>(last.res);
    }
    data.resize(taken);
    if (taken < length) {
      state = decode_state::needs_more;
      break;
    }
    if (!complete && last.why != uring::outcome::ok) break;
  }
  if (state != decode_state::complete) {
    // What an interrupted recv had read is there for the next one.
    if (last.res != 0) from.unread(bytes_of(data));
    co_return incomplete(decoder, last, std::move(data));
  }
  step_end end = step_end::from(last);
  end.res = static_cast<std::int64_t>(data.size());
  end.res_is = res_kind::bytes;
  end.data = std::move(data);
  end.fields = decoder.take();
  end.is_message = true;
  co_return end;
}

}  // namespace scenarios
