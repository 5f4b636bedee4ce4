// Streams that are slow on purpose: sent in pieces, or not read.

#include <fmt/format.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>

#include "scenarios/counted.hpp"
#include "scenarios/step_runner.hpp"

namespace scenarios {
namespace {

constexpr std::size_t sent_kept = 4096;  // of what went out, for reports

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace

// False when the step's deadline or a cancel came first, which `ended` then says.
uring::task<bool> step_runner::rest(uring::duration time, step_end& ended) {
  const uring::time_point until = uring::clock::now() + time;
  const bool too_long = context_.deadline && *context_.deadline < until;
  const bool stopped = !co_await run_.loop.sleep_until(too_long ? *context_.deadline : until)
                            .cancel_on(context_.stop);
  if (!stopped && !too_long) co_return true;
  ended.natural = false;
  ended.outcome = stopped ? step_outcome::cancelled : step_outcome::timed_out;
  ended.res = -ECANCELED;
  co_return false;
}

// `ends` are the offsets behind each piece, ascending; the last is the end of the data.
uring::task<step_end> step_runner::send_pieces(std::string data, std::vector<std::size_t> ends,
                                               uring::duration pause) {
  if (own().local.is_datagram())
    co_return broken("this is a socket for datagrams, and pieces are of a stream", step_.op_at);
  uring::byte_stream& to = own().stream(run_.loop);
  std::size_t sent = 0;
  step_end end;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (i != 0 && !co_await rest(pause, end)) break;
    context_.recorder.last_submission = i + 1 == ends.size();
    std::optional<blocked_wait> blocked;
    if (const auto kind = hopeless_kind(wait_kind::writing)) {
      blocked.emplace(run_, *kind, strand_.name, step_.op_at, "for room to send", nullptr,
                      to.descriptor());
    }
    const std::string_view piece = std::string_view(data).substr(sent, ends[i] - sent);
    const uring::transfer_result result = co_await to.write_all(bytes_of(piece), limits());
    end = step_end::from(result.last);
    sent += result.transferred;
    if (!end.natural || result.transferred < piece.size()) break;
  }
  end.res_is = res_kind::bytes;
  if (end.res >= 0) end.res = static_cast<std::int64_t>(sent);
  end.natural = end.natural && sent == data.size();
  end.sent_bytes = sent;
  if (sent < data.size())
    end.detail = fmt::format("{} of {} went out", sent, counted(data.size(), "byte"));
  data.resize(std::min(sent, sent_kept));
  end.sent = std::move(data);
  co_return end;
}

uring::task<step_end> step_runner::on(const trickle_step& body) {
  step_end failed;
  evaluation data = body.data.eval(strand_);
  if (!data) co_return broken(data.message(), body.data.at());
  const evaluation size = body.size.eval(strand_);
  if (!size) co_return broken(size.message(), body.size.at());
  const auto every = duration_of(body.every, failed);
  if (!every) co_return failed;
  std::string text = (*std::move(data)).take_data();
  std::vector<std::size_t> ends;
  const auto piece = static_cast<std::size_t>(size->integer());
  for (std::size_t at = 0; at < text.size(); at += std::min(piece, text.size() - at))
    ends.push_back(at + std::min(piece, text.size() - at));
  co_return co_await send_pieces(std::move(text), std::move(ends), *every);
}

uring::task<step_end> step_runner::on(const split_step& body) {
  step_end failed;
  evaluation data = body.data.eval(strand_);
  if (!data) co_return broken(data.message(), body.data.at());
  const auto pause = duration_of(body.pause, failed);
  if (!pause) co_return failed;
  std::string text = (*std::move(data)).take_data();
  std::vector<std::size_t> ends;
  for (const expression& each : body.at) {
    const evaluation offset = each.eval(strand_);
    if (!offset) co_return broken(offset.message(), each.at());
    const std::int64_t least = ends.empty() ? 1 : static_cast<std::int64_t>(ends.back()) + 1;
    if (!offset->is(value_type::integer) || offset->integer() < least ||
        static_cast<std::uint64_t>(offset->integer()) >= text.size()) {
      co_return broken(fmt::format("a piece can't begin at {}: the data has {} bytes, and offsets "
                                   "ascend",
                                   describe(*offset), text.size()),
                       each.at());
    }
    ends.push_back(static_cast<std::size_t>(offset->integer()));
  }
  ends.push_back(text.size());
  co_return co_await send_pieces(std::move(text), std::move(ends), *pause);
}

uring::task<step_end> step_runner::on(const stall_reads_step& body) {
  step_end end;
  const auto time = duration_of(body.time, end);
  if (!time || !co_await rest(*time, end)) co_return end;
  int waiting = 0;
  if (::ioctl(own().fd(), SIOCINQ, &waiting) != 0) {
    end.res = -errno;
    end.natural = false;
    end.outcome = step_outcome::error;
    co_return end;
  }
  end.res = waiting;
  end.res_is = res_kind::bytes;
  // What was looked at or given back waits, too.
  if (const uring::byte_stream* stream = own().existing_stream())
    end.res += static_cast<std::int64_t>(stream->held_back());
  co_return end;
}

}  // namespace scenarios
