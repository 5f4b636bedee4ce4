// The ops that send in pieces, and the one that does not read: trickle, split, stall_reads.

#include <fmt/format.h>

#include "scenarios/compile_strand.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::int64_t piece_bytes_max = std::int64_t{64} << 20;
constexpr std::size_t pieces_max = 10'000;

expression nanoseconds(std::int64_t time) {
  return expression(value(time));
}

void note(step_plan& into, const node* data) {
  if (into.note.empty() && data != nullptr) into.note = compact_text(*data, 40);
}

}  // namespace

void compile_trickle(strand_context& in, const step_arguments& given, step_plan& into) {
  trickle_step made;
  made.size = expression(value(std::int64_t{1}));
  made.every = nanoseconds(10'000'000);
  const node* data = given.find("data");
  if (data != nullptr) made.data = in.scope().read_data(*data);
  if (const node* size = given.find("size"))
    made.size = in.scope().read_count(*size, {1, piece_bytes_max}, "`size`");
  if (const node* every = given.find("every"))
    made.every = in.scope().read_duration(*every, "`every`");
  note(into, data);
  into.body = std::move(made);
}

void compile_split(strand_context& in, const step_arguments& given, step_plan& into) {
  split_step made;
  made.pause = nanoseconds(5'000'000);
  const node* data = given.find("data");
  if (data != nullptr) made.data = in.scope().read_data(*data);
  if (const node* pause = given.find("pause"))
    made.pause = in.scope().read_duration(*pause, "`pause`");
  const node* at = given.find("at");
  if (at != nullptr && (at->items().empty() || at->items().size() > pieces_max)) {
    in.out().error(at->items().empty() ? code::empty_value : code::value_out_of_range, at->at(),
                   fmt::format("`at` has from 1 to {} offsets", pieces_max));
  } else if (at != nullptr) {
    std::int64_t before = 0;
    for (const node& item : at->items()) {
      made.at.push_back(in.scope().read_count(item, {1, piece_bytes_max}, "an offset"));
      const expression& read = made.at.back();
      if (!read.is_valid() || !read.is_constant()) continue;
      if (!read.constant().is(value_type::integer)) continue;
      const std::int64_t offset = read.constant().integer();
      if (offset > 0 && offset <= before)
        in.out().error(code::value_out_of_range, item.at(), "the offsets of `at` ascend");
      before = offset;
    }
    const bool known = !made.at.empty() && made.data.is_constant() && data != nullptr;
    if (known && before >= static_cast<std::int64_t>(made.data.constant().size()))
      in.out().error(code::value_out_of_range, at->at(),
                     fmt::format("the data has {} bytes, and no piece begins at {}",
                                 made.data.constant().size(), before));
  }
  note(into, data);
  into.body = std::move(made);
}

void compile_stall_reads(strand_context& in, const step_arguments& given, step_plan& into) {
  stall_reads_step made;
  if (const node* time = given.find("time")) {
    made.time = in.scope().read_duration(*time, "`stall_reads`");
    if (into.note.empty()) into.note = shown_duration(made.time, *time);
  }
  // A reader in the background would make it no stall.
  in.note_reader(into);
  into.body = std::move(made);
}

}  // namespace scenarios
