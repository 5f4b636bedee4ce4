// TLS as one more byte_stream, on top of another one.
//
// It owns the stream below and a tls_session, and carries records between them: never more than the
// record that is needed, so that what follows a close_notify is still in the socket when TLS is
// taken off. Results are completions as of any stream; what TLS itself refuses is -EPROTO with a
// tls_failure. Like every stream it takes one reader and one writer at a time, and each of them may
// have to do the other's work (a reader answers a key update), so they wait for one another here.
#pragma once

#include <memory>
#include <string>

#include "engine/byte_stream.hpp"
#include "engine/event.hpp"
#include "scenarios/tls_session.hpp"

namespace scenarios {

class tls_stream final : public uring::byte_stream {
 public:
  /// `host`: see tls_session.
  tls_stream(uring::loop& on, std::unique_ptr<uring::byte_stream> below,
             std::shared_ptr<const tls_context> context, const std::string& host);

  /// Goes on where an earlier one was interrupted.
  uring::task<uring::completion> handshake(uring::io_limits limits);
  /// Sends a close_notify and waits for the peer's; then nothing of TLS is left on the stream.
  uring::task<uring::completion> finish(uring::io_limits limits);
  /// The stream below, after finish(). This one is of no further use.
  std::unique_ptr<uring::byte_stream> take_below() { return std::move(below_); }
  /// Tries to send a close_notify, for a moment: what a close does first.
  uring::task<void> say_goodbye(uring::io_limits limits, uring::duration patience);
  uring::task<uring::completion> close_without_notify(uring::io_limits limits);

  const tls_session& session() const { return session_; }
  /// Nobody is in the middle of a read or a write.
  bool is_idle() const { return !pulling_ && !flushing_; }

  uring::task<uring::completion> read_some(std::span<std::byte> buffer,
                                           uring::io_limits limits) override;
  uring::task<uring::completion> peek_some(std::span<std::byte> buffer,
                                           uring::io_limits limits) override;
  uring::task<uring::transfer_result> write_all(std::span<const std::byte> data,
                                                uring::io_limits limits) override;
  /// A close_notify; the socket's own direction stays open.
  uring::task<uring::completion> half_close(uring::io_limits limits) override;
  uring::task<uring::completion> reset(uring::io_limits limits) override;
  uring::task<uring::completion> close(uring::io_limits limits) override;
  [[nodiscard]] int descriptor() const override { return below_ ? below_->descriptor() : -1; }
  void disown() noexcept override { below_->disown(); }
  [[nodiscard]] std::size_t held_back() const override;

 private:
  uring::task<uring::completion> receive(std::span<std::byte> buffer, bool consume,
                                         uring::io_limits limits);
  uring::task<uring::transfer_result> send_records(std::span<const std::byte> data,
                                                   uring::io_limits limits);
  /// One record from below into the session; res > 0 when it is there.
  uring::task<uring::completion> pull(uring::io_limits limits);
  uring::task<uring::completion> pull_record(uring::io_limits limits);
  std::size_t missing() const;
  /// Sends what the session has to say, all of it.
  uring::task<uring::completion> flush(uring::io_limits limits);
  /// The same, unless another one is sending already: that one takes it along.
  uring::task<uring::completion> flush_if_idle(uring::io_limits limits);
  void collect() { out_ += session_.take_output(); }
  uring::task<uring::completion> wait_for(uring::event& event, uring::io_limits limits);
  uring::task<uring::completion> expose_to_faults(uring::completion came, bool ends_step,
                                                  uring::io_limits limits);
  uring::task<uring::completion> failed(uring::io_limits limits);

  uring::loop& loop_;
  std::unique_ptr<uring::byte_stream> below_;
  tls_session session_;
  std::string record_;  // the part that has come of the record that comes
  std::string out_;     // records that are to be sent, in order
  std::string unsent_;  // plain text of the records that an interrupted write left in `out_`
  bool pulling_ = false;
  bool flushing_ = false;
  uring::event pulled_;
  uring::event flushed_;
};

}  // namespace scenarios
