#include "scenarios/tls_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "scenarios/recorder.hpp"

namespace scenarios {
namespace {

using uring::completion;
using uring::io_limits;
using uring::outcome;
using uring::transfer_result;

constexpr std::size_t header_size = 5;
constexpr std::size_t record_max = 16384 + 2048;  // of a record's body, in any version
// Of plain text that is encrypted and sent at once: a few records.
constexpr std::size_t write_chunk = std::size_t{64} << 10;
// A close must not hang because the peer does not read.
constexpr uring::duration goodbye_patience = std::chrono::seconds(1);

// What this stream submits below is part of a larger read or write, whose end the stream knows and
// a single submission does not: faults that hide the end of a step must not take a part for it.
class partial_submissions {
 public:
  explicit partial_submissions(const io_limits& limits)
      : record_(static_cast<step_recorder*>(limits.tag)) {
    if (record_ != nullptr) was_last_ = std::exchange(record_->last_submission, false);
  }
  partial_submissions(const partial_submissions&) = delete;
  partial_submissions& operator=(const partial_submissions&) = delete;
  ~partial_submissions() {
    if (record_ != nullptr) record_->last_submission = was_last_;
  }

 private:
  step_recorder* record_;
  bool was_last_ = true;
};

// It won although it was to be stopped, but there is more to do: stopped, then.
completion stopped_by(const completion& c) {
  const outcome why = c.why == outcome::ok_after_timeout ? outcome::timed_out : outcome::cancelled;
  return {-ECANCELED, 0, why};
}

bool went_on(const completion& c) {
  return c.res >= 0 && c.why == outcome::ok;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// Sets an event when the time is up, so that whoever waits for it looks at the clock.
struct wake_timer : uring::timer {
  explicit wake_timer(uring::event& on)
      : timer([](uring::timer& t) noexcept {
          uring::event& event = static_cast<wake_timer&>(t).target;
          event.set();
          event.reset();
        }),
        target(on) {}
  uring::event& target;
};

}  // namespace

tls_stream::tls_stream(uring::loop& on, std::unique_ptr<uring::byte_stream> below,
                       std::shared_ptr<const tls_context> context, const std::string& host)
    : loop_(on), below_(std::move(below)), session_(std::move(context), host) {}

std::size_t tls_stream::held_back() const {
  const std::size_t below = below_ ? below_->held_back() : 0;
  return byte_stream::held_back() + session_.decrypted() + record_.size() + below;
}

// ---- Carrying records --------------------------------------------------------------------------

uring::task<completion> tls_stream::wait_for(uring::event& event, io_limits limits) {
  wake_timer expiry(event);
  if (limits.deadline) loop_.timers().arm(expiry, *limits.deadline);
  bool woken = false;
  if (limits.stop != nullptr) {
    woken = co_await event.wait().cancel_on(*limits.stop);
  } else {
    woken = co_await event.wait();
  }
  if (!woken) co_return completion{-ECANCELED, 0, outcome::cancelled};
  const bool late = limits.deadline && uring::clock::now() >= *limits.deadline;
  if (late) co_return completion{-ECANCELED, 0, outcome::timed_out};
  co_return completion{};
}

// How much of the record is still to come. What is no record at all goes to OpenSSL as it is, which
// says so: waiting for as much as its "length" promises might never end.
std::size_t tls_stream::missing() const {
  if (record_.size() < header_size) return header_size - record_.size();
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(record_[at]); };
  const bool is_record = byte(0) >= 20 && byte(0) <= 24 && byte(1) == 3;
  const std::size_t body = std::size_t{byte(3)} << 8U | byte(4);
  if (!is_record || body > record_max) return 0;
  return header_size + body - record_.size();
}

uring::task<completion> tls_stream::pull(io_limits limits) {
  if (pulling_) {
    // The other direction is at it already: what it brings is for both.
    const completion waited = co_await wait_for(pulled_, limits);
    co_return waited.res < 0 ? waited : completion{1, 0, outcome::ok};
  }
  pulling_ = true;
  const completion came = co_await pull_record(limits);
  pulling_ = false;
  pulled_.set();
  pulled_.reset();
  co_return came;
}

uring::task<completion> tls_stream::pull_record(io_limits limits) {
  completion last{1, 0, outcome::ok};
  while (const std::size_t more = missing()) {
    const std::size_t have = record_.size();
    record_.resize(have + more);
    const std::span<std::byte> room(reinterpret_cast<std::byte*>(record_.data()) + have, more);
    last = co_await below_->read_some(room, limits);
    record_.resize(have + (last.res > 0 ? static_cast<std::size_t>(last.res) : 0));
    if (last.res == 0) session_.note_truncated();
    if (last.res <= 0) co_return last;
    if (last.why != outcome::ok && missing() != 0) co_return stopped_by(last);
  }
  session_.feed(record_);
  record_.clear();
  co_return last;
}

uring::task<completion> tls_stream::flush(io_limits limits) {
  completion last;
  while (flushing_) {
    last = co_await wait_for(flushed_, limits);
    if (last.res < 0) co_return last;
  }
  flushing_ = true;
  while (!out_.empty()) {
    const std::string sending = std::exchange(out_, {});
    const transfer_result sent = co_await below_->write_all(bytes_of(sending), limits);
    last = sent.last;
    // What a reader has added meanwhile comes after it.
    out_.insert(0, sending, sent.transferred, std::string::npos);
    if (!went_on(last) || sent.transferred < sending.size()) break;
  }
  flushing_ = false;
  flushed_.set();
  flushed_.reset();
  co_return last;
}

uring::task<completion> tls_stream::flush_if_idle(io_limits limits) {
  if (flushing_ || out_.empty()) co_return completion{};
  co_return co_await flush(limits);
}

// The session has failed: the alert, if there is one, goes out as far as that is possible.
uring::task<completion> tls_stream::failed(io_limits limits) {
  const partial_submissions parts(limits);
  co_await flush_if_idle(limits);
  co_return completion{-EPROTO, 0, outcome::error};
}

// A fault that hits a step as a whole replaces the result of one of its submissions. Here the end
// of the step is no submission's: plain text lay ready, or the last record was one of many. A NOP
// then stands for the end, so that there is a completion that the fault can hit.
uring::task<completion> tls_stream::expose_to_faults(completion came, bool ends_step,
                                                     io_limits limits) {
  const auto* record = static_cast<const step_recorder*>(limits.tag);
  const fault_plan* armed = record != nullptr ? record->still_armed() : nullptr;
  if (armed == nullptr || !record->last_submission) co_return came;
  if (!armed->completion()->before && !ends_step) co_return came;
  uring::operation end = loop_.nop();
  end.tag(limits.tag);
  const completion result = co_await end;
  co_return result.res < 0 ? result : came;
}

// ---- The handshake and its counterpart
// -----------------------------------------------------------

uring::task<completion> tls_stream::handshake(io_limits limits) {
  completion last;
  {
    const partial_submissions parts(limits);
    for (;;) {
      const tls_progress now = session_.handshake();
      collect();
      if (now == tls_progress::failed) co_return co_await failed(limits);
      last = co_await flush(limits);
      if (!went_on(last)) co_return last.res < 0 ? last : stopped_by(last);
      if (now == tls_progress::done) break;
      last = co_await pull(limits);
      if (last.res == 0) co_return co_await failed(limits);
      if (last.res < 0) co_return last;
    }
    last.res = 0;
  }
  co_return co_await expose_to_faults(last, true, limits);
}

uring::task<completion> tls_stream::finish(io_limits limits) {
  const completion sent = co_await half_close(limits);
  if (!went_on(sent)) co_return sent.res < 0 ? sent : stopped_by(sent);
  std::byte one[1];
  completion last = co_await receive(one, false, limits);
  if (last.res > 0) {
    session_.fail("data before close_notify",
                  "the peer still sent data: receive it before TLS is taken off");
    last = {-EPROTO, 0, outcome::error};
  }
  co_return last;
}

uring::task<completion> tls_stream::half_close(io_limits limits) {
  session_.send_close_notify();
  collect();
  completion last;
  {
    const partial_submissions parts(limits);
    last = co_await flush(limits);
    if (last.res > 0) last.res = 0;
  }
  co_return co_await expose_to_faults(last, last.res == 0, limits);
}

uring::task<void> tls_stream::say_goodbye(io_limits limits, uring::duration patience) {
  // In the middle of somebody's record nothing else can be said.
  if (!is_open() || flushing_) co_return;
  session_.send_close_notify();
  collect();
  const uring::time_point latest = uring::clock::now() + patience;
  limits.deadline = limits.deadline ? std::min(*limits.deadline, latest) : latest;
  const partial_submissions parts(limits);
  co_await flush_if_idle(limits);
}

uring::task<completion> tls_stream::close(io_limits limits) {
  co_await say_goodbye(limits, goodbye_patience);
  co_return co_await below_->close(limits);
}

uring::task<completion> tls_stream::close_without_notify(io_limits limits) {
  co_return co_await below_->close(limits);
}

uring::task<completion> tls_stream::reset(io_limits limits) {
  co_return co_await below_->reset(limits);
}

// ---- Plain text --------------------------------------------------------------------------------

uring::task<completion> tls_stream::read_some(std::span<std::byte> buffer, io_limits limits) {
  if (has_held()) co_return completion{static_cast<int>(take_held(buffer, true)), 0, outcome::ok};
  const completion came = co_await receive(buffer, true, limits);
  const bool filled = came.res == 0 || static_cast<std::size_t>(came.res) == buffer.size();
  co_return co_await expose_to_faults(came, came.res >= 0 && filled, limits);
}

uring::task<completion> tls_stream::peek_some(std::span<std::byte> buffer, io_limits limits) {
  if (has_held()) co_return completion{static_cast<int>(take_held(buffer, false)), 0, outcome::ok};
  co_return co_await receive(buffer, false, limits);
}

uring::task<completion> tls_stream::receive(std::span<std::byte> buffer, bool consume,
                                            io_limits limits) {
  const partial_submissions parts(limits);
  completion last;
  for (;;) {
    std::size_t count = 0;
    const tls_progress now = session_.read(buffer, consume, count);
    collect();
    if (now == tls_progress::done) co_return completion{static_cast<int>(count), 0, last.why};
    if (now == tls_progress::clean_end) co_return completion{0, 0, last.why};
    if (now == tls_progress::failed) co_return co_await failed(limits);
    // The timer fired, and the record that came all the same was none of ours (a session ticket).
    if (last.why != outcome::ok) co_return stopped_by(last);
    last = co_await flush_if_idle(limits);
    if (!went_on(last)) co_return last.res < 0 ? last : stopped_by(last);
    last = co_await pull(limits);
    if (last.res == 0) co_return co_await failed(limits);
    if (last.res < 0) co_return last;
  }
}

uring::task<transfer_result> tls_stream::write_all(std::span<const std::byte> data,
                                                   io_limits limits) {
  transfer_result sent;
  {
    const partial_submissions parts(limits);
    sent = co_await send_records(data, limits);
  }
  const bool all = sent.last.res >= 0 && sent.transferred == data.size();
  const completion end = co_await expose_to_faults(sent.last, all, limits);
  if (end.res < 0) sent.last = end;
  co_return sent;
}

uring::task<transfer_result> tls_stream::send_records(std::span<const std::byte> data,
                                                      io_limits limits) {
  transfer_result result;
  if (!unsent_.empty()) {
    // The records of an interrupted write are numbered already and can't be taken back. When the
    // same bytes are sent again they are those; else they go out before the new ones.
    result.last = co_await flush(limits);
    if (!went_on(result.last)) co_return result;
    if (text_of(data).starts_with(unsent_)) result.transferred = unsent_.size();
    unsent_.clear();
  }
  while (result.transferred < data.size()) {
    const std::size_t size = std::min(write_chunk, data.size() - result.transferred);
    const std::span<const std::byte> chunk = data.subspan(result.transferred, size);
    const tls_progress now = session_.write(chunk);
    collect();
    if (now == tls_progress::failed) {
      result.last = co_await failed(limits);
      co_return result;
    }
    result.last = co_await flush(limits);
    if (now == tls_progress::wants_record && went_on(result.last)) {
      // A handshake within the connection comes first.
      result.last = co_await pull(limits);
      if (result.last.res == 0) result.last = co_await failed(limits);
      if (!went_on(result.last)) co_return result;
      continue;
    }
    // Stopped, perhaps with a part of them out.
    if (result.last.res < 0 || !out_.empty()) {
      unsent_ = text_of(chunk);
      co_return result;
    }
    result.transferred += size;
    if (result.last.why != outcome::ok) co_return result;
  }
  co_return result;
}

}  // namespace scenarios
