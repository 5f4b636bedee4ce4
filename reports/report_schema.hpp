// The JSON Schema (draft-07) of the native report, made of one table of its nodes and fields.
//
// The same table says of each field whether it is stable, what it means, and whether it is always
// there; tests hold real reports against it, and schema/report.schema.json is its output.
#pragma once

#include <string>

namespace reports {

/// As a JSON document, ended by a line break.
std::string report_schema();

}  // namespace reports
