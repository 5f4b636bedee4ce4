// The ops on files: write_file, read_file.

#include <fmt/format.h>

#include "scenarios/compile_strand.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::int64_t file_bytes_max = std::int64_t{64} << 20;

/// A relative path needs the directory that it is below.
expression compile_path(strand_context& in, const node& path, step_plan& into) {
  expression made = in.scope().read(path, value_type::text, "a path");
  if (!made.is_valid()) return made;
  if (into.note.empty()) into.note = shown(made, path);
  const bool absolute = made.is_constant() && made.constant().data().starts_with('/');
  if (!absolute) in.in().names.tmp_slot();
  if (made.is_constant() && made.constant().data().empty())
    in.out().error(code::empty_value, path.at(), "this path is empty");
  return made;
}

std::uint32_t compile_mode(strand_context& in, const node& mode) {
  std::int64_t bits = mode.is(node_kind::integer) ? mode.integer() : 0;
  bool octal = mode.is(node_kind::integer) || (!mode.text().empty() && mode.text().size() <= 5);
  if (mode.is(node_kind::string)) {
    for (const char digit : mode.text()) {
      octal = octal && digit >= '0' && digit <= '7';
      bits = bits * 8 + (digit - '0');
    }
  }
  if (octal && bits >= 0 && bits <= 07777) return static_cast<std::uint32_t>(bits);
  in.out().error(code::value_out_of_range, mode.at(), "a mode is octal: \"0644\"");
  return 0644;
}

}  // namespace

void compile_write_file(strand_context& in, const step_arguments& given, step_plan& into) {
  write_file_step made;
  if (const node* path = given.find("path")) made.path = compile_path(in, *path, into);
  if (const node* data = given.find("data")) made.data = in.scope().read_data(*data);
  if (const node* mode = given.find("mode")) made.mode = compile_mode(in, *mode);
  if (const node* append = given.find("append")) made.append = append->boolean();
  into.body = std::move(made);
}

void compile_read_file(strand_context& in, const step_arguments& given, step_plan& into) {
  read_file_step made;
  if (const node* path = given.find("path")) made.path = compile_path(in, *path, into);
  if (const node* max = given.find("max")) {
    const auto bytes = in.scope().read_count(*max, {0, file_bytes_max}, "`max`");
    if (bytes.is_valid() && !bytes.is_constant()) {
      in.out().error(code::not_yet_available, max->at(),
                     "`max` must be known when the file is loaded");
    } else if (bytes.is_valid() && bytes.constant().is(value_type::integer)) {
      made.max = static_cast<std::uint64_t>(bytes.constant().integer());
    }
  }
  into.body = std::move(made);
}

}  // namespace scenarios
