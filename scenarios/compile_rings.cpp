// `rings`: the private rings of a scenario, and finding them, their groups and descriptors by name.

#include <fmt/format.h>

#include <algorithm>

#include "engine/flag_sets.hpp"
#include "engine/kernel_compat.hpp"
#include "scenarios/checked_object.hpp"
#include "scenarios/compile_strand.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::int64_t entries_max = 32'768;
constexpr std::int64_t cq_entries_max = 65'536;
constexpr std::int64_t files_max = 65'536;
constexpr std::int64_t buffer_bytes_max = std::int64_t{16} << 20;
constexpr std::int64_t group_buffers_max = 32'768;
constexpr std::size_t rings_max = 16;
constexpr std::size_t buffers_max = 1024;
constexpr std::size_t groups_max = 64;
// Numbers of named groups, out of the way of those that a scenario writes itself.
constexpr std::uint16_t first_group_id = 1000;
// The program maps the rings' memory itself, and needs their descriptor.
constexpr std::uint32_t impossible =
    uring::compat::setup_no_mmap | uring::compat::setup_registered_fd_only |
    uring::compat::setup_no_sqarray | uring::compat::setup_sq_rewind | IORING_SETUP_ATTACH_WQ;

class ring_compiler {
 public:
  ring_compiler(case_context& in, const member& from)
      : out_(in.out),
        scope_(name_scope(in.names, name_stage::constants), in.files, in.out),
        from_(from),
        keys_(from.value, keys::ring, in.out) {}

  ring_plan compile() {
    made_.name = from_.key;
    made_.at = from_.key_at;
    made_.sq_entries = count("sq_entries", {1, entries_max}, made_.sq_entries);
    made_.cq_entries = count("cq_entries", {1, cq_entries_max}, 0);
    made_.files = count("files", {1, files_max}, 0);
    if (const node* flags = keys_.find("flags")) compile_flags(*flags);
    if (made_.cq_entries != 0 && made_.cq_entries < made_.sq_entries)
      out_.error(code::value_out_of_range, keys_.find("cq_entries")->at(),
                 fmt::format("no kernel makes a ring of {} completions for {} submissions",
                             made_.cq_entries, made_.sq_entries))
          .help = "leave out \"cq_entries\": it is twice \"sq_entries\" then";
    if (const node* buffers = keys_.find("buffers")) compile_buffers(*buffers);
    if (const node* groups = keys_.find("buffer_rings")) compile_groups(*groups);
    return std::move(made_);
  }

 private:
  std::uint32_t count(std::string_view key, integer_range range, std::uint32_t otherwise) {
    const node* given = keys_.find(key);
    return given == nullptr ? otherwise : read(*given, range, key, otherwise);
  }
  std::uint32_t read(const node& given, integer_range range, std::string_view what,
                     std::uint32_t otherwise) {
    const expression made = scope_.read_count(given, range, in_quotes(what));
    const bool known =
        made.is_valid() && made.is_constant() && made.constant().is(value_type::integer) &&
        made.constant().integer() >= range.min && made.constant().integer() <= range.max;
    return known ? static_cast<std::uint32_t>(made.constant().integer()) : otherwise;
  }

  void compile_flags(const node& flags) {
    const auto bits = scope_.read_flags(flags, uring::flags::setup_flags, "\"flags\"");
    if (!bits) return;
    if ((*bits & impossible) != 0) {
      out_.error(code::value_out_of_range, flags.at(),
                 fmt::format("a ring of a scenario can't be {}",
                             uring::flags_text(uring::flags::setup_flags, *bits & impossible)));
    }
    made_.flags = static_cast<std::uint32_t>(*bits);
    check_together(flags);
  }

  // What every kernel refuses with EINVAL.
  void check_together(const node& flags) {
    constexpr std::uint32_t ran_by_us =
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_DEFER_TASKRUN;
    const auto has = [&](std::uint32_t bits) { return (*made_.flags & bits) != 0; };
    std::string why;
    if (has(IORING_SETUP_DEFER_TASKRUN) && !has(IORING_SETUP_SINGLE_ISSUER))
      why = "defer_taskrun needs single_issuer";
    if (has(IORING_SETUP_TASKRUN_FLAG) &&
        !has(IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN))
      why = "taskrun_flag needs coop_taskrun or defer_taskrun";
    if (has(IORING_SETUP_SQPOLL) && has(ran_by_us))
      why = "sqpoll does not go with coop_taskrun, taskrun_flag or defer_taskrun";
    if (!why.empty())
      out_.error(code::value_out_of_range, flags.at(), "no kernel makes such a ring: " + why);
  }

  void compile_buffers(const node& buffers) {
    if (buffers.items().size() > buffers_max) {
      out_.error(code::value_out_of_range, buffers.at(),
                 fmt::format("a ring has at most {} buffers here", buffers_max));
      return;
    }
    for (const node& each : buffers.items())
      made_.buffers.push_back(read(each, {1, buffer_bytes_max}, "buffers", 1));
  }

  void compile_groups(const node& groups) {
    for (const member& m : groups.members()) {
      if (m.key.starts_with("x-") || !check_name(m.key, m.key_at, "a buffer group", out_)) continue;
      if (made_.groups.size() == groups_max) {
        out_.error(code::value_out_of_range, m.key_at,
                   fmt::format("a ring has at most {} buffer groups here", groups_max));
        return;
      }
      compile_group(m);
    }
  }

  void compile_group(const member& m) {
    const checked_object keys(m.value, keys::buffer_ring, out_);
    buffer_group_plan& group = made_.groups.emplace_back();
    group.name = m.key;
    group.id = static_cast<std::uint16_t>(first_group_id + made_.groups.size() - 1);
    group.count = 8;
    group.size = 64;
    if (const node* count = keys.find("count"))
      group.count = read(*count, {1, group_buffers_max}, "count", group.count);
    if (const node* size = keys.find("size"))
      group.size = read(*size, {1, buffer_bytes_max}, "size", group.size);
    if (const node* inc = keys.find("inc")) group.incremental = inc->boolean();
    if (const node* recycle = keys.find("recycle")) group.recycle = recycle->boolean();
    if ((group.count & (group.count - 1)) != 0) {
      out_.error(code::value_out_of_range, keys.find("count")->at(),
                 "the kernel wants a power of two");
    }
  }

  diagnostics& out_;
  compile_scope scope_;
  const member& from_;
  checked_object keys_;
  ring_plan made_;
};

}  // namespace

void compile_rings(case_context& in, const node& from) {
  for (const member& m : from.members()) {
    if (m.key.starts_with("x-") || !check_name(m.key, m.key_at, "a ring", in.out)) continue;
    if (in.into.rings.size() == rings_max) {
      in.out.error(code::value_out_of_range, m.key_at,
                   fmt::format("a scenario has at most {} rings", rings_max));
      return;
    }
    in.into.rings.push_back(ring_compiler(in, m).compile());
  }
}

std::uint32_t find_ring(case_context& in, const node& name) {
  const auto& rings = in.into.rings;
  const auto found = std::ranges::find(rings, name.text(), &ring_plan::name);
  if (found != rings.end()) return static_cast<std::uint32_t>(found - rings.begin());
  std::vector<std::string_view> names;
  names.reserve(rings.size());
  for (const ring_plan& each : rings) names.push_back(each.name);
  diagnostic& told = in.out.error(code::unknown_ring, name.at(),
                                  fmt::format("there is no ring {}", in_quotes(name.text())));
  told.help = suggestion(name.text(), names);
  if (names.empty()) told.help = "rings stand at the top level: \"rings\": { \"r\": {} }";
  // Known enough for the checks that follow.
  return rings.empty() ? no_index - 1 : 0;
}

std::uint32_t strand_context::find_ring(const node& name) {
  return scenarios::find_ring(in_, name);
}

std::optional<std::uint64_t> strand_context::find_group(const node& name) {
  const bool known = current_ring_ < in_.into.rings.size();
  if (!known) return 0;  // that it has no ring is told elsewhere
  const ring_plan& ring = in_.into.rings[current_ring_];
  std::vector<std::string_view> names;
  for (const buffer_group_plan& each : ring.groups) {
    if (each.name == name.text()) return each.id;
    names.push_back(each.name);
  }
  diagnostic& told = out().error(
      code::unknown_ring, name.at(),
      fmt::format("the ring {} has no buffer group {}", ring.name, in_quotes(name.text())));
  told.help = suggestion(name.text(), names);
  if (names.empty()) told.help = "groups stand under `buffer_rings` of a ring; others are numbers";
  return std::nullopt;
}

std::optional<std::uint32_t> strand_context::find_descriptor(const node& name) {
  const declared_name* known = names_.find(name.text());
  const bool program = known != nullptr && known->is_process;
  if (known != nullptr && known->kind == name_kind::descriptor && known->ready && !program)
    return known->index;
  const std::vector<std::string> names = names_.ready_descriptors();
  diagnostic& told = out().error(code::unknown_name, name.at(),
                                 fmt::format("there is no descriptor {}", in_quotes(name.text())));
  if (program) {
    told.message = fmt::format("{} is a program, not a descriptor", in_quotes(name.text()));
    return std::nullopt;
  }
  if (known != nullptr && known->kind != name_kind::descriptor) {
    told.message = fmt::format("{} is a value, not a descriptor", in_quotes(name.text()));
  } else if (known != nullptr) {
    told.message = fmt::format("{} is used before it is made", in_quotes(name.text()));
    if (!known->async.empty())
      told.help = fmt::format("it is there after {{ \"join\": \"{}\" }}", known->async);
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  if (told.help.empty()) told.help = suggestion(name.text(), views);
  if (told.help.empty() && names.empty()) told.help = "no step before this one makes a descriptor";
  return std::nullopt;
}

void strand_context::made_so_far(async_step& of) {
  for (declared_name* made : of.makes)
    if (made->kind == name_kind::descriptor) made->ready = true;
}

}  // namespace scenarios
