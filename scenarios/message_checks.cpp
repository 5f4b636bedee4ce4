// What only all layouts of a file together can tell: whether they end, and what follows from what.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "scenarios/diagnostic.hpp"
#include "scenarios/message_layout.hpp"
#include "scenarios/message_names.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

enum class mark : std::uint8_t { fresh, open, done };

/// A layout that always contains itself has no end. A `when`, a `len` or a list may end it.
class recursion_check {
 public:
  explicit recursion_check(diagnostics& out) : out_(out) {}

  bool visit(const message_layout& layout) {
    mark& state = marks_[&layout];
    if (state != mark::fresh) return state == mark::done;
    state = mark::open;
    for (const message_field& field : layout.fields) {
      const bool always = field.is.kind == message_kind::message && !field.when && !field.length;
      if (!always || field.is.layout == nullptr || visit(*field.is.layout)) continue;
      out_.error(code::message_endless, field.at,
                 fmt::format("{} always contains itself", field.is.layout->name))
          .help = "give the field a `when` or a `len`";
      break;
    }
    marks_[&layout] = mark::done;
    return true;
  }

 private:
  diagnostics& out_;
  std::map<const message_layout*, mark> marks_;
};

/// Values that follow from each other can't be computed.
bool follows_from(const message_layout& layout, std::uint32_t from, std::uint32_t goal,
                  std::vector<bool>& seen) {
  if (seen[from]) return false;
  seen[from] = true;
  const message_field& field = layout.fields[from];
  if (!field.value) return false;
  for (const slot_ref slot : field.value->reads()) {
    if (slot.index >= layout.slots.size()) continue;
    const std::uint32_t next = layout.slots[slot.index].field;
    if (next == goal || follows_from(layout, next, goal, seen)) return true;
  }
  return false;
}

void check_cycles(const message_layout& layout, diagnostics& out) {
  for (std::uint32_t i = 0; i < layout.fields.size(); ++i) {
    std::vector<bool> seen(layout.fields.size());
    if (!follows_from(layout, i, i, seen)) continue;
    out.error(code::expression_type, layout.fields[i].at,
              fmt::format("the value of {} follows from itself", in_quotes(layout.fields[i].name)))
        .help = "break the circle: one of the fields must be given";
    return;
  }
}

bool says_its_end(const message_layout* layout) {
  return layout == nullptr || layout->says_its_end;
}

bool ends_by_itself(const message_field& field) {
  switch (field.is.kind) {
    case message_kind::bytes:
    case message_kind::text:
      return field.length || field.until;
    case message_kind::list:
      return field.length || field.count;
    case message_kind::message:
      return field.length || says_its_end(field.is.layout);
    default:
      return true;
  }
}

/// Whether a reader of a stream knows where each part ends. Repeated until nothing changes, since
/// layouts contain each other.
void find_ends(std::vector<message_layout*>& all, diagnostics& out) {
  for (bool changed = true; changed;) {
    changed = false;
    for (message_layout* layout : all) {
      const bool ends = std::ranges::all_of(layout->fields, [](const message_field& field) {
        return ends_by_itself(field) && says_its_end(field.item.layout);
      });
      changed = changed || layout->says_its_end != ends;
      layout->says_its_end = ends;
    }
  }
  for (message_layout* layout : all) {
    const std::size_t errors = out.error_count();
    for (const message_field& field : layout->fields) {
      const bool last = &field == &layout->fields.back();
      if (!ends_by_itself(field) && !last)
        out.error(code::missing_key, field.at,
                  fmt::format("nothing says where {} ends", in_quotes(field.name)))
            .help = field.is.kind == message_kind::list
                        ? "give it a `count` or a `len`; only the last field may take the rest"
                    : field.is.kind == message_kind::message
                        ? "give it a `len`: the last field of its layout takes the rest"
                        : "give it a `len` or an `until`; only the last field may take the rest";
      if (!says_its_end(field.item.layout))
        out.error(code::missing_key, field.at,
                  fmt::format("nothing says where an item of {} ends", in_quotes(field.name)))
            .help = fmt::format("the last field of {} takes the rest", field.item.layout->name);
    }
    layout->broken |= out.error_count() != errors;
  }
}

bool contains_broken(const message_layout& layout) {
  const auto is_broken = [](const message_element& element) {
    return element.layout != nullptr && element.layout->broken;
  };
  return std::ranges::any_of(layout.fields, [&](const message_field& field) {
    return is_broken(field.is) || is_broken(field.item);
  });
}

/// What contains a broken layout is broken. Repeated until nothing changes, too.
void spread_breaks(std::vector<message_layout*>& all) {
  for (bool changed = true; changed;) {
    changed = false;
    for (message_layout* layout : all) {
      if (layout->broken || !contains_broken(*layout)) continue;
      layout->broken = changed = true;
    }
  }
}

}  // namespace

void check_layouts(std::vector<message_layout*>& all, diagnostics& out) {
  recursion_check recursion(out);
  for (message_layout* each : all) {
    const std::size_t errors = out.error_count();
    recursion.visit(*each);
    check_cycles(*each, out);
    each->broken |= out.error_count() != errors;
  }
  find_ends(all, out);
  spread_breaks(all);
}

}  // namespace scenarios
