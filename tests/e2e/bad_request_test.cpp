// Requests the program must turn down, and stores it must not touch: one sentence, the exit status
// of docs/cli.md, and everything as it was.

#ifdef YIELDLOOP_HAS_PROGRAM  // A build without Qt has no program to run.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

#include "program.h"

using namespace yieldloop;
using namespace yieldloop::test;

namespace {

void write(const fs::path& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  REQUIRE(file);
}

std::vector<std::string> in(const fs::path& store, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--store", store.string()});
  return arguments;
}

/// A port of this machine that somebody listens on, as long as the object lives.
class TakenPort {
 public:
  TakenPort() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(fd_, plain, size) == 0);
    REQUIRE(::listen(fd_, 1) == 0);
    REQUIRE(::getsockname(fd_, plain, &size) == 0);
    number_ = ntohs(address.sin_port);
  }
  TakenPort(const TakenPort&) = delete;
  TakenPort& operator=(const TakenPort&) = delete;
  ~TakenPort() { ::close(fd_); }
  std::string number() const { return std::to_string(number_); }

 private:
  int fd_;
  int number_ = 0;
};

/// Sends one request to a port of this machine and returns the whole reply.
std::string exchange(std::uint16_t port, const std::string& request) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  REQUIRE(::send(fd, request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size()));
  std::string reply(65536, '\0');
  std::size_t size = 0;
  for (ssize_t n = 1; n > 0 && size < reply.size(); size += static_cast<std::size_t>(n)) {
    n = std::max<ssize_t>(0, ::recv(fd, reply.data() + size, reply.size() - size, 0));
  }
  ::close(fd);
  reply.resize(size);
  return reply;
}

std::string post(const std::string& authorization, const std::string& body) {
  return "POST /v1/files/lots.csv HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
         authorization + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// `yieldloop serve` on a free port of this machine, with its store in `scratch`.
class Service {
 public:
  static constexpr const char* kToken = "a secret of more than sixteen characters";

  explicit Service(const TemporaryFolder& scratch) {
    write(scratch / "token", std::string(kToken) + "\n");
    fs::permissions(scratch / "token", fs::perms::owner_read | fs::perms::owner_write);
    write(scratch / "service.toml",
          "[service]\nlisten = \"127.0.0.1:0\"\ntoken_file = \"token\"\n");
    child_.emplace(YIELDLOOP_BIN_DIR "/yieldloop",
                   std::vector<std::string>{"--store", (scratch / "s").string(), "serve",
                                            "--config", (scratch / "service.toml").string()});
    const std::string sign = "on port ";
    std::size_t at = std::string::npos;
    for (int i = 0; i < 3000 && at == std::string::npos; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      const std::string printed = child_->printed_errors();
      at = printed.find(sign);
      if (at == std::string::npos || printed.find('\n', at) == std::string::npos) continue;
      port_ = static_cast<std::uint16_t>(std::stoi(printed.substr(at + sign.size())));
    }
    REQUIRE(port_ != 0);
  }
  std::uint16_t port() const { return port_; }
  /// Its exit status after the signal that asks it to stop.
  int stop() {
    child_->send(SIGTERM);
    return child_->wait().status;
  }

 private:
  std::optional<Child> child_;
  std::uint16_t port_ = 0;
};

}  // namespace

TEST_CASE("bad request: usage", "[e2e][bad]") {
  const TemporaryFolder scratch;
  const ChildOptions here{.folder = scratch.path()};
  check_refused({}, 2, "CLIC-0022", here);
  CHECK_THAT(check_refused({"ingset"}, 2, "CLIC-0021", here), Contains("\"ingset\""));
  CHECK_THAT(check_refused({"--frob"}, 2, "CLIC-0021", here), Contains("--frob"));
  CHECK_THAT(check_refused({"findings", "--frob"}, 2, "CLIC-0016", here),
             Contains("findings --help"));
  check_refused({"findings", "--q", "3"}, 2, "CLIC-0016", here);
  check_refused({"ingest"}, 2, "CLIC-0016", here);
  check_refused({"store", "explode"}, 2, "CLIC-0016", here);
  check_refused({"--threads", "0", "findings"}, 2, "CLIC-0016", here);
  check_refused({"findings", "evil\n\x1b[31m"}, 2, "CLIC-0016", here);
  check_refused({"findings", "--from", "yesterday"}, 2, "CLIC-0001", here);
  check_refused({"findings", "--from", "2026-02-01", "--to", "2026-01-01"}, 2, "CLIC-0024", here);
  check_refused({"report", "--night", "tonight"}, 2, "CLIC-0017", here);
  check_refused({"store", "backup"}, 2, "CLIC-0015", here);
  check_refused({"simulate"}, 2, "CLIC-0003", here);
  check_refused({"simulate", "nonsense", "-o", "new"}, 2, "SIMU-0001", here);
  CHECK(fs::is_empty(scratch.path()));  // Nothing was made on the way.
}

TEST_CASE("bad request: there is no store", "[e2e][bad]") {
  const TemporaryFolder scratch;
  write(scratch / "file", "not a folder");
  fs::create_directory(scratch / "other");
  write(scratch / "other" / "letter.txt", "mine");
  for (const std::string folder : {"nowhere", "file", "other"}) {
    check_refused(in(scratch / folder, {"findings"}), 3, "STOR-0001");
  }
  check_refused(in(scratch / "nowhere", {"query", "SELECT 1"}), 3, "STOR-0001");
  CHECK_FALSE(fs::exists(scratch / "nowhere"));
  // Somebody else's folder is not made a store.
  check_refused(in(scratch / "other", {"ingest", SharedFab::get().file("lots.csv").string()}), 2,
                "STOR-0014");
  CHECK(std::distance(fs::directory_iterator(scratch / "other"), fs::directory_iterator{}) == 1);
}

TEST_CASE("bad request: scopes that hold nothing", "[e2e][bad]") {
  const fs::path store = SharedFab::get().store();
  const StoreState before = state_of(store);
  CHECK_THAT(check_refused(in(store, {"findings", "--product", "DEMO99"}), 3, "SESS-0001"),
             Contains("DEMO28"));
  check_refused(in(store, {"findings", "--lots", "NONE*"}), 3, "SESS-0003");
  check_refused(in(store, {"commonality", "--from", "2099-01-01"}), 3, "SESS-0003");
  check_refused(in(store, {"commonality", "--response", "taste"}), 2, "CLIC-0005");
  check_refused(in(store, {"commonality", "--response", "defects:NO_STEP"}), 3, "CLIC-0007");
  check_refused(in(store, {"trace", "--step", "NO_STEP"}), 3, "FIND-0005");
  check_refused(in(store, {"trace", "--layer", "M9"}), 3, "FIND-0005");
  check_refused(in(store, {"predict"}), 3, "MREG-0003");
  check_refused(in(store, {"models", "quality", "abc"}), 3, "MREG-0001");
  CHECK(state_of(store) == before);
}

TEST_CASE("bad request: several products and none named", "[e2e][bad]") {
  const TemporaryFolder scratch;
  const std::string store = (scratch / "s").string();
  write(scratch / "lots.csv", "lot_id,product\nA,P1\nB,P2\n");
  check_answer({"--store", store, "ingest", (scratch / "lots.csv").string()}, 0,
               "yieldloop.ingest/1");
  CHECK_THAT(check_refused({"--store", store, "findings"}, 3, "SESS-0002"),
             Contains("P1, P2") && Contains("--product"));
}

TEST_CASE("bad request: a layer that the layout does not have, a layout that is none",
          "[e2e][bad]") {
  const SharedFab& fab = SharedFab::get();
  CHECK_THAT(check_refused(in(fab.store(), {"critical-area", "--layer", "999/0"}), 3, "LAYO-0005"),
             Contains("31/0"));
  check_refused(in(fab.store(), {"critical-area", "--layer", "metal one"}), 2, "CLIC-0008");
  const std::string gds = fab.file("demo28.gds").string();
  check_refused({"critical-area", gds, "--layer", "999/0"}, 3, "LAYO-0005");
  check_refused({"critical-area", gds}, 2, "CLIC-0009");
  CHECK_THAT(check_refused({"critical-area", fab.file("lots.csv").string(), "--layer", "31/0"}, 3,
                           "INGE-0020"),
             Contains("lots.csv"));
}

TEST_CASE("bad request: one lot, no layout and no defects", "[e2e][bad]") {
  const fs::path store = SharedFab::get().bare_store();
  check_refused(in(store, {"trace"}), 3, "CLIC-0004");
  check_refused(in(store, {"critical-area"}), 3, "CLIC-0010");
  const TemporaryFolder scratch;
  check_refused(in(store, {"export", "findings", "-o", (scratch / "x.lyrdb").string()}), 3,
                "CLIC-0012");
  CHECK(fs::is_empty(scratch.path()));
  // What there is, is analysed; what is missing, is said.
  const fs::path own = scratch / "s";
  fs::copy(store, own, fs::copy_options::recursive);
  const auto found = check_answer(in(own, {"findings", "--lots", SharedFab::get().lot(0)}), 0,
                                  "yieldloop.findings/1");
  CHECK(found.at("findings").empty());
  const std::string caveats = found.at("caveats").dump();
  CHECK_THAT(caveats, Contains("layout demo28.gds") && Contains("not ingested"));
  CHECK(state_of(own).whole);
  // No predictor can be judged on one lot.
  const Finished trained = run_program(in(own, {"--json", "train"}));
  CAPTURE(trained.err);
  CHECK(trained.status == 3);
  CHECK(trained.out.empty());
  CHECK(std::ranges::count(trained.err, '\n') == 1);
}

TEST_CASE("bad request: a store of a newer version", "[e2e][bad]") {
  const TemporaryFolder scratch;
  const fs::path store = SharedFab::get().copy(scratch);
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open((store / "catalog.sqlite").c_str(), &handle) == SQLITE_OK);
  REQUIRE(sqlite3_exec(handle, "UPDATE meta SET value='999' WHERE key='schema_version'", nullptr,
                       nullptr, nullptr) == SQLITE_OK);
  const std::string catalog = content_of(store / "catalog.sqlite");
  sqlite3_close(handle);
  check_refused(in(store, {"findings"}), 4, "STOR-0002");
  check_refused(in(store, {"ingest", SharedFab::get().stdf(2).string()}), 4, "STOR-0002");
  check_refused(in(store, {"store", "verify"}), 4, "STOR-0002");
  check_refused(in(store, {"store", "compact"}), 4, "STOR-0002");
}

TEST_CASE("bad request: a store that somebody else writes", "[e2e][bad]") {
  const TemporaryFolder scratch;
  const fs::path folder = SharedFab::get().copy(scratch);
  const StoreState before = state_of(folder);
  {
    const auto writer = store::Store::open(real_file_system(), folder, store::Store::Mode::kWrite);
    REQUIRE(writer);
    const std::string sentence =
        check_refused(in(folder, {"ingest", SharedFab::get().stdf(2).string()}), 4, "STOR-0003");
    CHECK_THAT(sentence, Contains(std::to_string(::getpid())));
    check_refused(in(folder, {"train"}), 4, "STOR-0003");
    check_refused(in(folder, {"store", "compact"}), 4, "STOR-0003");
    // Reading goes on.
    check_answer(in(folder, {"query", "SELECT count(*) AS n FROM lots"}), 0, "yieldloop.table/1");
  }
  CHECK(state_of(folder) == before);
}

TEST_CASE("bad request: a damaged store is named, and the rest stays readable", "[e2e][bad]") {
  const TemporaryFolder scratch;
  const fs::path store = SharedFab::get().copy(scratch);
  fs::path segment;
  for (const auto& entry : fs::recursive_directory_iterator(store / "segments" / "die_results")) {
    if (entry.is_regular_file()) segment = entry.path();
  }
  REQUIRE_FALSE(segment.empty());
  std::string bytes = content_of(segment);
  bytes[bytes.size() / 2] = static_cast<char>(~bytes[bytes.size() / 2]);
  fs::permissions(segment, fs::perms::owner_write, fs::perm_options::add);
  write(segment, bytes);
  const std::string name = segment.filename().string();
  CHECK_THAT(check_refused(in(store, {"query", "SELECT count(*), max(hard_bin) FROM die_results"}),
                           4, "STOR-0011"),
             Contains(name));
  check_refused(in(store, {"findings"}), 4, "STOR-0011");
  check_answer(in(store, {"query", "SELECT lot_id FROM lots"}), 0, "yieldloop.table/1");
  const auto verified = check_answer(in(store, {"store", "verify"}), 4, "yieldloop.verify/1");
  REQUIRE(verified.at("problems").size() == 1);
  CHECK_THAT(verified.at("problems")[0].get<std::string>(), Contains(name));
  check_refused(in(store, {"store", "backup", (scratch / "copy").string()}), 4, "STOR-0011");

  fs::resize_file(store / "catalog.sqlite", 1000);
  check_refused(in(store, {"query", "SELECT 1"}), 4, "STOR-0005");
}

TEST_CASE("bad request: queries that are not for reading the store", "[e2e][bad]") {
  const TemporaryFolder scratch;
  const fs::path store = SharedFab::get().store();
  const StoreState before = state_of(store);
  const std::string file = (scratch / "x").string();
  write(scratch / "secret.csv", "password\nhunter2\n");
  const std::string secret = (scratch / "secret.csv").string();
  const std::vector<std::pair<std::string, std::string>> hostile = {
      {"COPY lots TO '" + file + "'", "STOR-0009"},
      {"ATTACH '" + file + "'", "STOR-0009"},
      {"INSTALL httpfs", "STOR-0009"},
      {"LOAD httpfs", "STOR-0009"},
      {"PRAGMA database_list", "STOR-0009"},
      {"SELECT 1; DROP VIEW lots", "STOR-0009"},
      {"SET enable_external_access=true", "STOR-0009"},
      {"EXPLAIN ANALYZE COPY lots TO '" + file + "'", "STOR-0009"},
      {"", "STOR-0009"},
      {"SELECT * FROM read_csv('" + secret + "')", "STOR-0010"},
      {"SELECT * FROM '" + secret + "'", "STOR-0010"},
      {"SELECT content FROM read_text('/etc/passwd')", "STOR-0010"},
      {"SELECT * FROM glob('/etc/*')", "STOR-0010"},
      {"SELECT * FROM read_blob('" + (store / "catalog.sqlite").string() + "')", "STOR-0010"},
      {"FROM query('COPY lots TO ''" + file + "''')", "STOR-0010"},
      {"WITH x AS (SELECT 1) INSERT INTO lots SELECT 1", "STOR-0010"},
      {"SELECT getenv('HOME')", "STOR-0010"}};
  for (const auto& [sql, id] : hostile) {
    CHECK_THAT(check_refused(in(store, {"query", sql}), 2, id), !Contains("hunter2"));
  }
  CHECK_FALSE(fs::exists(file));
  CHECK(state_of(store) == before);
}

TEST_CASE("bad request: outputs that must not be replaced", "[e2e][bad]") {
  const TemporaryFolder scratch;
  const fs::path store = SharedFab::get().store();
  check_refused(in(store, {"export", "nonsense", "-o", (scratch / "x.csv").string()}), 3,
                "CLIC-0013");
  check_refused(in(store, {"export", "lots", "-o", (scratch / "x.zip").string()}), 2, "CLIC-0014");
  check_refused(in(store, {"export", "lots", "-o", (scratch / "x").string()}), 2, "CLIC-0018");
  check_refused(in(store, {"export", "lots", "-o", (scratch / "no/such/folder.csv").string()}), 3,
                "FILE-0001");
  check_refused(in(store, {"export", "lots", "--format", "csv", "-o", "/dev/full"}), 2,
                "CLIC-0020");
  check_refused(in(store, {"export", "lots", "--format", "csv", "-o", scratch.path().string()}), 2,
                "CLIC-0020");
  CHECK(fs::is_character_file("/dev/full"));
  CHECK(fs::is_empty(scratch.path()));
  write(scratch / "mine", "keep me");
  check_refused(in(store, {"report", "-o", (scratch / "mine").string()}), 2, "CLIC-0026");
  check_refused(in(store, {"store", "backup", scratch.path().string()}), 2, "STOR-0018");
  check_refused({"simulate", "null", "-o", scratch.path().string()}, 2, "SIMU-0002");
  CHECK(content_of(scratch / "mine") == "keep me");
}

TEST_CASE("bad request: a service that cannot start", "[e2e][bad]") {
  const TemporaryFolder scratch;
  const fs::path store = scratch / "s", config = scratch / "service.toml";
  const auto serve = in(store, {"serve", "--config", config.string()});
  check_refused(serve, 3, "FILE-0001");
  write(config, "[service\n");
  check_refused(serve, 3, "SERV-0001");
  write(config, "[service]\nlisten = \"everywhere\"\ntoken_file = \"token\"\n");
  check_refused(serve, 3, "SERV-0001");
  write(config, "[service]\nlisten = \"127.0.0.1:0\"\n");
  check_refused(serve, 3, "SERV-0001");
  write(config, "[service]\nlisten = \"127.0.0.1:0\"\ntoken_file = \"token\"\n");
  check_refused(serve, 2, "SERV-0002");
  write(scratch / "token", "short\n");
  check_refused(serve, 2, "SERV-0002");
  CHECK_FALSE(fs::exists(store));

  write(scratch / "token", "a secret of more than sixteen characters\n");
  fs::permissions(scratch / "token", fs::perms::owner_read | fs::perms::owner_write);
  const TakenPort port;
  write(config,
        "[service]\nlisten = \"127.0.0.1:" + port.number() + "\"\ntoken_file = \"token\"\n");
  CHECK_THAT(check_refused(serve, 4, "SERV-0003"), Contains(port.number()));
  write(config, "[service]\nlisten = \"127.0.0.1:0\"\ntoken_file = \"token\"\n");
  const auto writer = store::Store::open_or_create(real_file_system(), store);
  REQUIRE(writer);
  check_refused(serve, 4, "STOR-0003");
}

TEST_CASE("bad request: a service that is told to stop ends with status 0", "[e2e][bad]") {
  const TemporaryFolder scratch;
  Service service(scratch);
  CHECK(service.stop() == 0);
  CHECK(state_of(scratch / "s").whole);
}

TEST_CASE("bad request: a file with no token or a wrong one is not taken", "[e2e][bad]") {
  const TemporaryFolder scratch;
  Service service(scratch);
  const std::string body = "lot_id,product\nL1,P1\n";
  const std::string token = Service::kToken;
  for (const std::string& sent :
       {std::string(), std::string("Authorization: Bearer wrong\r\n"),
        "Authorization: Bearer " + token + "x\r\n", "Authorization: Basic " + token + "\r\n"}) {
    const std::string reply = exchange(service.port(), post(sent, body));
    CAPTURE(sent, reply);
    CHECK(reply.starts_with("HTTP/1.1 401"));
    CHECK_THAT(reply, Contains("\"SERV-"));
  }
  const std::string taken =
      exchange(service.port(), post("Authorization: Bearer " + token + "\r\n", body));
  CHECK(taken.starts_with("HTTP/1.1 201"));
  CHECK(service.stop() == 0);
  const StoreState state = state_of(scratch / "s");
  const auto lots = std::ranges::find(state.rows, "lots", &decltype(state.rows)::value_type::first);
  REQUIRE(lots != state.rows.end());
  CHECK(lots->second == 1);
}

#endif  // YIELDLOOP_HAS_PROGRAM
