// `cases`: rows of values, of which each makes a case of its own; inline, or from a CSV file.
//
// A row is a record: `${case.column}`. Rows multiply with the matrix as an axis named `case` would.
// CSV is RFC 4180: a header with the names of the columns, fields in double quotes where they hold
// commas, quotes or line breaks. Fields are text unless the header says otherwise: `size:int`,
// `ok:bool`, `body:hex`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenarios/diagnostic.hpp"
#include "scenarios/matrix.hpp"
#include "scenarios/node.hpp"

namespace scenarios {

/// An axis named `case`; without values after an error, which is told. A row's label is what stands
/// in its column `label`, or else its number, from 1.
matrix_axis read_cases(const node& from, diagnostics& out);

/// Where the file is that `csv` names: beside the one that says so.
std::string path_of_csv(const node& csv);

/// The records of a CSV text, the header first. On failure `why` tells what is wrong, and `line`
/// where.
bool split_csv(std::string_view text, std::vector<std::vector<std::string>>& records,
               std::string& why, std::size_t& line);

}  // namespace scenarios
