// What the compiler reads about TLS: the `tls` key of addresses, and start_tls.
#pragma once

#include <memory>

#include "scenarios/checked_object.hpp"
#include "scenarios/compile_scope.hpp"
#include "scenarios/tls_context.hpp"

namespace scenarios {

/// The settings under a `tls` key. Tells what is wrong, and then returns nothing.
std::shared_ptr<const tls_context> compile_tls(compile_scope& scope, const node& from,
                                               tls_role role);

/// A server's step 0: the handshake of each of its connections.
start_tls_step handshake_of_server(std::shared_ptr<const tls_context> context);

}  // namespace scenarios
