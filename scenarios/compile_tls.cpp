// start_tls, stop_tls, and the `tls` key of addresses.

#include "scenarios/compile_tls.hpp"

#include <fmt/format.h>

#include "scenarios/compile_strand.hpp"
#include "scenarios/suggest.hpp"
#include "scenarios/visible.hpp"

namespace scenarios {
namespace {

constexpr std::size_t protocol_bytes_max = 255;
constexpr std::int64_t tickets_max = 100;
constexpr std::string_view pem_mark = "-----BEGIN ";

struct role_word {
  std::string_view name;
  tls_role role;
};
constexpr role_word roles[] = {{"client", tls_role::client}, {"server", tls_role::server}};

/// Reads the settings of one object: `Keys` is a checked_object, or the arguments of a step.
template <class Keys>
class settings_reader {
 public:
  settings_reader(compile_scope& scope, const Keys& keys, const node& whole, tls_role role)
      : scope_(scope), out_(scope.out()), keys_(keys), whole_(whole) {
    made_ = usual_tls_settings(role);
  }

  std::shared_ptr<const tls_context> read() {
    const std::size_t errors = out_.error_count();
    if (const node* name = keys_.find("server_name"))
      made_.server_name = scope_.read_text(*name, "a server's name").value_or("");
    read_certificate();
    read_trust();
    read_versions();
    if (const node* alpn = keys_.find("alpn")) read_alpn(*alpn);
    if (const node* tickets = keys_.find("tickets")) read_tickets(*tickets);
    if (out_.error_count() != errors) return nullptr;
    tls_problem problem;
    auto made = tls_context::make(std::move(made_), problem);
    if (made == nullptr) tell(problem);
    return made;
  }

 private:
  bool is_server() const { return made_.role == tls_role::server; }

  void tell(const tls_problem& problem) {
    const node* where = keys_.find(problem.key);
    out_.error(code::bad_certificate, where != nullptr ? where->at() : whole_.at(),
               fmt::format("\"{}\": {}", problem.key, problem.message))
        .help = problem.key == "cert" ? "\"auto\" makes a certificate and its key" : "";
  }

  /// PEM text, or what a file beside the scenario holds.
  std::string read_pem(const node& from, std::string_view what) {
    const std::optional<std::string> text = scope_.read_text(from, what);
    if (!text || text->find(pem_mark) != std::string::npos) return text.value_or("");
    node name(from.at(), *text);
    // Read as data is, so that the limits of the sandbox hold here, too.
    node::object_type members;
    members.push_back({"file", from.at(), std::move(name)});
    const payload read = scope_.read_data(node(from.at(), std::move(members)));
    return std::string(read.constant());
  }

  void read_certificate() {
    const node* cert = keys_.find("cert");
    const node* key = keys_.find("key");
    if (cert == nullptr && key == nullptr) return;
    if (cert == nullptr) {
      out_.error(code::missing_key, key->at(), "\"key\" goes with \"cert\"");
      return;
    }
    const auto word = scope_.read_text(*cert, "a certificate");
    if (!word) return;
    made_.automatic_cert = *word == "auto";
    if (made_.automatic_cert) {
      if (key == nullptr) return;
      out_.error(code::conflicting_keys, key->at(), "an automatic certificate has its own key");
      return;
    }
    made_.cert = read_pem(*cert, "a certificate");
    if (key != nullptr) made_.key = read_pem(*key, "a key");
  }

  void read_trust() {
    const node* ca = keys_.find("ca");
    if (ca != nullptr) {
      made_.verify = true;
      const auto word = scope_.read_text(*ca, "what is trusted");
      if (!word) return;
      made_.trust = *word == "auto"     ? tls_trust::automatic
                    : *word == "system" ? tls_trust::system
                                        : tls_trust::given;
      if (made_.trust == tls_trust::given) made_.ca = read_pem(*ca, "what is trusted");
    }
    const node* verify = keys_.find("verify");
    if (verify == nullptr) return;
    made_.verify = verify->boolean();
    if (made_.verify || ca == nullptr) return;
    out_.error(code::conflicting_keys, verify->at(),
               "\"ca\" says what to verify, and \"verify\" that nothing is");
  }

  int read_version(std::string_view key, int otherwise) {
    const node* from = keys_.find(key);
    if (from == nullptr) return otherwise;
    const auto word = scope_.read_text(*from, fmt::format("\"{}\"", key));
    if (!word) return otherwise;
    if (const int number = tls_version_number(*word); number != 0) return number;
    out_.error(code::unknown_constant, from->at(),
               fmt::format("there is no TLS version {}", in_quotes(*word)))
        .help = fmt::format("there are {}", fmt::join(tls_version_words, ", "));
    return otherwise;
  }

  void read_versions() {
    // One bound alone moves the other one along.
    made_.max = read_version("max", made_.max);
    made_.min = read_version("min", std::min(made_.min, made_.max));
    if (keys_.find("max") == nullptr) made_.max = std::max(made_.min, made_.max);
    if (made_.min <= made_.max) return;
    out_.error(code::value_out_of_range, keys_.find("min")->at(), "\"min\" is above \"max\"");
  }

  void read_alpn(const node& from) {
    const auto names = scope_.read_texts(from, "\"alpn\"");
    if (!names) return;
    std::size_t bytes = 0;
    for (const std::string& each : *names) bytes += each.size() + 1;
    for (std::size_t i = 0; i < names->size(); ++i) {
      if ((*names)[i].size() <= protocol_bytes_max && bytes <= 0xffff) continue;
      out_.error(code::value_out_of_range, from.items()[i].at(),
                 fmt::format("the name of a protocol has at most {} bytes, all of them 64 KiB",
                             protocol_bytes_max));
      return;
    }
    made_.alpn = *names;
  }

  void read_tickets(const node& from) {
    if (!is_server()) {
      out_.error(code::conflicting_keys, from.at(), "session tickets are a server's");
      return;
    }
    made_.tickets = static_cast<std::uint32_t>(
        scope_.read_integer(from, {0, tickets_max}, "\"tickets\"").value_or(0));
  }

  compile_scope& scope_;
  diagnostics& out_;
  const Keys& keys_;
  const node& whole_;
  tls_settings made_;
};

std::optional<tls_role> find_role(strand_context& in, const step_arguments& given) {
  if (const node* role = given.find("role")) {
    const auto word = in.scope().read_text(*role, "a role");
    if (!word) return std::nullopt;
    for (const role_word& each : roles)
      if (each.name == *word) return each.role;
    in.out()
        .error(code::unknown_constant, role->at(),
               fmt::format("there is no role {}", in_quotes(*word)))
        .help = "one is the client or the server";
    return std::nullopt;
  }
  if (in.role() == strand_role::client) return tls_role::client;
  if (in.role() == strand_role::handler) return tls_role::server;
  if (given.sound()) {
    in.out()
        .error(code::missing_key, given.op_at(),
               "`start_tls` needs a \"role\": only clients and servers have one of their own")
        .help = "{ \"start_tls\": { \"role\": \"client\" } }";
  }
  return std::nullopt;
}

bool read_residue(strand_context& in, const node& from) {
  const auto word = in.scope().read_text(from, "\"residue\"");
  if (!word || *word == "allow" || *word == "fail") return word && *word == "allow";
  in.out()
      .error(code::unknown_constant, from.at(),
             fmt::format("\"residue\" has no {}", in_quotes(*word)))
      .help = suggestion(*word, std::vector<std::string_view>{"allow", "fail"});
  return false;
}

}  // namespace

std::shared_ptr<const tls_context> compile_tls(compile_scope& scope, const node& from,
                                               tls_role role) {
  const checked_object keys(from, keys::tls, scope.out());
  if (!keys.sound()) return nullptr;
  return settings_reader(scope, keys, from, role).read();
}

start_tls_step handshake_of_server(std::shared_ptr<const tls_context> context) {
  start_tls_step made;
  made.context = std::move(context);
  // The address said TLS from the first byte on.
  made.residue_allowed = true;
  return made;
}

void compile_start_tls(strand_context& in, const step_arguments& given, step_plan& into) {
  start_tls_step made;
  const std::optional<tls_role> role = find_role(in, given);
  if (const node* residue = given.find("residue"))
    made.residue_allowed = read_residue(in, *residue);
  if (role) {
    made.context = settings_reader(in.scope(), given, given.whole(), *role).read();
    if (into.note.empty()) into.note = roles[static_cast<std::size_t>(*role)].name;
  }
  in.note_reader(into);
  into.body = std::move(made);
}

void compile_stop_tls(strand_context& in, const step_arguments&, step_plan& into) {
  in.note_reader(into);
  into.body = stop_tls_step{};
}

}  // namespace scenarios
