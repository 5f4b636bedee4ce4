// Steps on files. Opening, reading and writing a file block in a kernel worker, so that their
// deadline is a timer of the loop and a cancel, not a linked timeout.

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "scenarios/counted.hpp"
#include "scenarios/services/temp_dir.hpp"
#include "scenarios/step_runner.hpp"

namespace scenarios {
namespace {

constexpr std::size_t chunk = 64U << 10U;
constexpr std::size_t sent_kept = 4096;  // of what was written, for reports

}  // namespace

std::optional<std::string> step_runner::path_of(const expression& path, step_end& failed) {
  const evaluation found = path.eval(strand_);
  if (!found) {
    failed = broken(found.message(), path.at());
    return std::nullopt;
  }
  const std::string& text = found->data();
  if (text.empty() || text.find('\0') != std::string::npos) {
    failed = broken("this is no path", path.at());
    return std::nullopt;
  }
  return text.starts_with('/') ? text : run_.directory->path() + "/" + text;
}

uring::task<uring::completion> step_runner::open_file(const std::string& path, int flags,
                                                      unsigned mode) {
  uring::opening_operation op = run_.loop.openat(AT_FDCWD, path.c_str(), flags | O_CLOEXEC, mode);
  apply(op, limits());
  co_return co_await op;
}

uring::task<step_end> step_runner::on(const write_file_step& body) {
  step_end failed;
  const auto path = path_of(body.path, failed);
  if (!path) co_return failed;
  evaluation made = body.data.eval(strand_);
  if (!made) co_return broken(made.message(), body.data.at());
  const std::string data = (*std::move(made)).take_data();
  context_.recorder.last_submission = data.empty();
  const int how = O_WRONLY | O_CREAT | (body.append ? O_APPEND : O_TRUNC);
  uring::completion last = co_await open_file(*path, how, body.mode);
  const std::string own = run_.directory != nullptr ? run_.directory->path() + "/" : std::string();
  for (std::size_t slash = own.size(); last.res == -ENOENT && !own.empty();) {
    // Directories below our own are made.
    slash = path->starts_with(own) ? path->find('/', slash) : std::string::npos;
    if (slash == std::string::npos) break;
    const std::string parent = path->substr(0, slash++);
    uring::operation make = run_.loop.mkdirat(AT_FDCWD, parent.c_str(), 0755);
    apply(make, limits());
    co_await make;
    if (path->find('/', slash) == std::string::npos)
      last = co_await open_file(*path, how, body.mode);
  }
  if (last.res < 0) co_return step_end::from(last);
  const int fd = last.res;
  std::size_t written = 0;
  last = uring::completion{};
  context_.recorder.last_submission = true;  // a file takes all at once
  while (written < data.size()) {
    const std::string_view rest = std::string_view(data).substr(written);
    uring::operation op =
        run_.loop.write(fd, {reinterpret_cast<const std::byte*>(rest.data()), rest.size()});
    apply(op, limits());
    last = co_await op;
    if (last.res > 0) written += static_cast<std::size_t>(last.res);
    if (last.res <= 0 || last.why != uring::outcome::ok) break;
  }
  co_await run_.loop.close_only(fd);
  step_end end = step_end::from(last);
  if (end.res >= 0) end.res = static_cast<std::int64_t>(written);
  end.res_is = res_kind::bytes;
  end.natural = end.natural && written == data.size();
  end.sent_bytes = written;
  end.sent = data.substr(0, std::min(written, sent_kept));
  co_return end;
}

uring::task<step_end> step_runner::on(const read_file_step& body) {
  step_end failed;
  const auto path = path_of(body.path, failed);
  if (!path) co_return failed;
  context_.recorder.last_submission = false;
  uring::completion last = co_await open_file(*path, O_RDONLY, 0);
  if (last.res < 0) co_return step_end::from(last);
  const int fd = last.res;
  std::string data;
  for (;;) {
    const std::size_t have = data.size();
    data.resize(have + chunk);
    // Mostly the first read brings all, and the second the end.
    context_.recorder.last_submission = have != 0;
    uring::operation op =
        run_.loop.read(fd, {reinterpret_cast<std::byte*>(data.data()) + have, chunk});
    apply(op, limits());
    last = co_await op;
    data.resize(have + (last.res > 0 ? static_cast<std::size_t>(last.res) : 0));
    if (last.res <= 0 || last.why != uring::outcome::ok || data.size() > body.max) break;
  }
  co_await run_.loop.close_only(fd);
  step_end end = step_end::from(last);
  if (end.res >= 0) end.res = static_cast<std::int64_t>(data.size());
  end.res_is = res_kind::bytes;
  if (data.size() > body.max) {
    end.natural = false;
    end.outcome = step_outcome::error;
    end.res = -EMSGSIZE;
    end.detail = fmt::format("the file has more than {} (`max`)", counted(body.max, "byte"));
    data.resize(body.max);
  }
  end.data = std::move(data);
  co_return end;
}

}  // namespace scenarios
