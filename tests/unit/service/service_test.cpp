#include "ingest/service/service.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "catch_portable.h"
#include "engine/core/sha256.h"
#include "ingest/service/config.h"
#include "ingest/service/drop_watch.h"
#include "temporary_folder.h"

using namespace yieldloop;
using namespace yieldloop::ingest::service;

namespace {

void put(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }

constexpr const char* kToken = "a-secret-of-enough-length";

/// Stores what it is given in memory and refuses texts that start with "bad".
struct MemoryBackend {
  std::vector<std::string> stored;
  Backend backend() {
    return {.ingest = [this](const fs::path& file, const std::string& name) -> Result<TakenFile> {
              const std::string text = read_text_file(real_file_system(), file).value();
              if (text.starts_with("full")) return Error{Errc::kNoSpace, "TEST-0001", "Disk full."};
              if (text.starts_with("bad"))
                return TakenFile{.refused = true, .json = "{\"refused\":1}"};
              const bool known = std::ranges::find(stored, text) != stored.end();
              if (!known) stored.push_back(text);
              return TakenFile{
                  .known = known, .rows = 7, .kind = "test", .json = "{\"name\":\"" + name + "\"}"};
            },
            .ready = [] { return Status(Ok{}); },
            .findings = [](const std::string& product) -> Result<std::string> {
              if (product == "none") return Error{Errc::kNotFound, "TEST-0002", "No such product."};
              return std::string("{\"schema\":\"yieldloop.findings/1\"}");
            }};
  }
};

/// Sends raw bytes and returns all that comes back.
std::string talk(std::uint16_t port, const std::string& request, bool half_close = false) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::send(fd, request.data(), request.size(), MSG_NOSIGNAL) >= 0);
  if (half_close) ::shutdown(fd, SHUT_WR);
  std::string reply;
  char buffer[4096];
  for (ssize_t n; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) {
    reply.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(fd);
  return reply;
}

std::string post(const std::string& body, const std::string& extra = {},
                 const std::string& token = kToken) {
  return "POST /v1/files/lot.stdf HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: "
         "Bearer " +
         token + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + extra + "\r\n" +
         body;
}

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
}

struct Running {
  test::TemporaryFolder scratch;
  MemoryBackend memory;
  std::unique_ptr<Service> service;
  explicit Running(Config config = {}) {
    config.port = 0;
    config.token = kToken;
    config.poll_seconds = 0.02;
    service = std::move(
        Service::start(config, memory.backend(), real_file_system(), scratch / "staging").value());
  }
};

}  // namespace

TEST_CASE("service: a file is stored, then known, then refused", "[service]") {
  Running run;
  CHECK_THAT(talk(run.service->port(), post("rows")),
             Contains("201 Created") && Contains("lot.stdf"));
  CHECK_THAT(talk(run.service->port(), post("rows")), Contains("200 OK"));
  CHECK_THAT(talk(run.service->port(), post("bad rows")), Contains("422"));
  CHECK_THAT(talk(run.service->port(), post("full")), Contains("507") && Contains("Disk full."));
  CHECK(run.memory.stored == std::vector<std::string>{"rows"});
  const auto metrics = talk(run.service->port(), get("/metrics"));
  CHECK_THAT(metrics, Contains("yieldloop_files_stored_total 1") &&
                          Contains("yieldloop_files_known_total 1") &&
                          Contains("yieldloop_files_refused_total 1"));
  CHECK(fs::is_empty(run.scratch / "staging"));
}

TEST_CASE("service: reading routes need no token", "[service]") {
  Running run;
  CHECK_THAT(talk(run.service->port(), get("/livez")), Contains("200 OK"));
  CHECK_THAT(talk(run.service->port(), get("/readyz")), Contains("200 OK"));
  CHECK_THAT(talk(run.service->port(), get("/v1/findings")), Contains("yieldloop.findings/1"));
  CHECK_THAT(talk(run.service->port(), get("/v1/findings?product=none")), Contains("404"));
  CHECK_THAT(talk(run.service->port(), get("/etc/passwd")), Contains("404"));
  CHECK_THAT(talk(run.service->port(), get("/v1/files/x")), Contains("405"));
}

TEST_CASE("service: writes without the right token are refused", "[service][error]") {
  Running run;
  CHECK_THAT(talk(run.service->port(), post("rows", "", "wrong")), Contains("401"));
  CHECK_THAT(talk(run.service->port(), post("rows", "", "")), Contains("401"));
  CHECK(run.memory.stored.empty());
}

TEST_CASE("service: a body that is cut short is never acknowledged", "[service][error]") {
  Running run;
  const std::string whole = post("0123456789");
  for (std::size_t missing = 1; missing <= 10; ++missing) {
    CAPTURE(missing);
    const auto reply = talk(run.service->port(), whole.substr(0, whole.size() - missing), true);
    CHECK_THAT(reply, !Contains("201") && !Contains("200 OK"));
  }
  CHECK(run.memory.stored.empty());
}

TEST_CASE("service: a wrong checksum, no length and a body too large are refused",
          "[service][error]") {
  Config config;
  config.max_body_bytes = 100;
  Running run(config);
  const std::string wrong = "X-Content-SHA256: " + Sha256::of("other").hex() + "\r\n";
  const std::string right = "X-Content-SHA256: " + Sha256::of("rows").hex() + "\r\n";
  CHECK_THAT(talk(run.service->port(), post("rows", wrong)),
             Contains("400") && Contains("SERV-0011"));
  CHECK_THAT(talk(run.service->port(), post(std::string(101, 'x'))), Contains("413"));
  CHECK_THAT(
      talk(run.service->port(),
           "POST /v1/files/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " +
               std::string(kToken) + "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      Contains("411"));
  CHECK_THAT(talk(run.service->port(), post("rows", right)), Contains("201"));
}

TEST_CASE("service: a port in use is said so", "[service][error]") {
  Running first;
  Config config;
  config.port = first.service->port();
  config.token = kToken;
  MemoryBackend memory;
  const auto second =
      Service::start(config, memory.backend(), real_file_system(), first.scratch / "other");
  REQUIRE_FALSE(second);
  CHECK(second.error().id == "SERV-0003");
}

TEST_CASE("service: a drop folder is emptied into taken and refused", "[service]") {
  test::TemporaryFolder scratch;
  Config config;
  config.drops = {{scratch / "drop", 0.0}};
  fs::create_directories(scratch / "drop");
  put(scratch / "drop" / "good.csv", "rows");
  put(scratch / "drop" / "wrong.csv", "bad rows");
  Running run(config);
  const fs::path taken = scratch / "drop" / "taken" / "good.csv";
  const fs::path refused = scratch / "drop" / "refused" / "wrong.csv";
  for (int i = 0; i < 500 && !(fs::exists(taken) && fs::exists(refused)); ++i) ::usleep(10'000);
  CHECK(fs::exists(taken));
  CHECK(fs::exists(refused));
  run.service->stop();
  CHECK(run.memory.stored == std::vector<std::string>{"rows"});
}

TEST_CASE("drop watch: a file is taken when it stopped changing or is marked done", "[service]") {
  const test::TemporaryFolder scratch;
  DropWatch watch(real_file_system(), {scratch.path(), 5.0});
  constexpr std::int64_t kSecond = 1'000'000'000;
  put(scratch / "a.csv", "1");
  put(scratch / "b.csv", "1");
  put(scratch / "b.csv.done", "");
  put(scratch / ".hidden", "1");
  put(scratch / "c.part", "1");
  fs::create_symlink("/etc/passwd", scratch / "link");
  REQUIRE(::mkfifo((scratch / "pipe").c_str(), 0600) == 0);

  CHECK(watch.complete_files(0).value() == std::vector{scratch / "b.csv"});
  CHECK(watch.complete_files(4 * kSecond)->size() == 1);
  put(scratch / "a.csv", "longer");
  CHECK(watch.complete_files(6 * kSecond)->size() == 1);
  CHECK(watch.complete_files(11 * kSecond).value() ==
        std::vector{scratch / "a.csv", scratch / "b.csv"});
}

TEST_CASE("drop watch: a file renamed into place is whole at once", "[service]") {
  const test::TemporaryFolder scratch;
  DropWatch watch(real_file_system(), {scratch.path(), 5.0});
  const std::string temporary = GENERATE(as<std::string>{}, ".a.csv", "a.csv.tmp", "a.csv.part");
  CAPTURE(temporary);
  put(scratch / temporary, "rows");
  CHECK(watch.complete_files(0)->empty());
  CHECK(watch.complete_files(60'000'000'000)->empty());
  fs::rename(scratch / temporary, scratch / "a.csv");
  put(scratch / "b.csv", "somebody writes this one in place");
  CHECK(watch.complete_files(60'100'000'000).value() == std::vector{scratch / "a.csv"});
  // Written to after all: it has to keep still first.
  put(scratch / "a.csv", "more rows");
  CHECK(watch.complete_files(60'200'000'000)->empty());
  CHECK(watch.complete_files(66'000'000'000)->size() == 2);
}

TEST_CASE("drop watch: a folder may insist on one sign", "[service]") {
  const test::TemporaryFolder scratch;
  put(scratch / "plain.csv", "1");
  put(scratch / "marked.csv", "1");
  put(scratch / "marked.csv.done", "");
  put(scratch / "c.csv.part", "1");
  const auto found = [&](CompleteWhen when, std::int64_t later) {
    DropWatch watch(real_file_system(), {scratch.path(), 5.0, when});
    (void)watch.complete_files(0);
    std::string names;
    const auto files = watch.complete_files(later).value();
    for (const fs::path& file : files) names += file.filename().string() + " ";
    return names;
  };
  constexpr std::int64_t kMinute = 60'000'000'000;
  CHECK(found(CompleteWhen::kAny, 0) == "marked.csv ");
  CHECK(found(CompleteWhen::kAny, kMinute) == "marked.csv plain.csv ");
  CHECK(found(CompleteWhen::kStable, 0).empty());
  CHECK(found(CompleteWhen::kStable, kMinute) == "marked.csv plain.csv ");
  CHECK(found(CompleteWhen::kDone, kMinute) == "marked.csv ");
  CHECK(found(CompleteWhen::kRenamed, 0) == "marked.csv plain.csv ");
}

TEST_CASE("drop watch: a writer that pauses is never read in part", "[service]") {
  const test::TemporaryFolder scratch;
  DropWatch watch(real_file_system(), {scratch.path(), 2.0});
  std::int64_t now = 0;
  for (int piece = 0; piece < 20; ++piece) {
    std::ofstream(scratch / "slow.csv", std::ios::app) << "a piece\n";
    for (int look = 0; look < 3; ++look) {
      CHECK(watch.complete_files(now)->empty());
      now += 500'000'000;
    }
  }
  now += 2'000'000'000;
  CHECK(watch.complete_files(now)->size() == 1);
}

TEST_CASE("service config: nested without end it is refused, not followed", "[service][hostile]") {
  const test::TemporaryFolder scratch;
  std::string text = "a";
  for (int i = 0; i < 200'000; ++i) text += ".a";
  put(scratch / "dots.toml", text + " = 1\n");
  put(scratch / "brackets.toml", "a = " + std::string(200'000, '['));
  for (const char* name : {"dots.toml", "brackets.toml"}) {
    CHECK(load_config(real_file_system(), scratch / name).error().id == "SERV-0001");
  }
}

TEST_CASE("service config: what it takes and refuses", "[service]") {
  const test::TemporaryFolder scratch;
  FileSystem& files = real_file_system();
  put(scratch / "token", std::string(kToken) + "\n");
  ::chmod((scratch / "token").c_str(), 0600);
  put(scratch / "good.toml",
      "[service]\nlisten = \"127.0.0.1:9000\"\ntoken_file = \"token\"\n[[drop]]\nfolder = "
      "\"in\"\n");
  const auto config = load_config(files, scratch / "good.toml");
  REQUIRE(config);
  CHECK(config->port == 9000);
  CHECK(config->token == kToken);
  CHECK(config->drops.at(0).folder == scratch / "in");

  put(scratch / "syntax.toml", "[service\n");
  CHECK(load_config(files, scratch / "syntax.toml").error().id == "SERV-0001");
  put(scratch / "listen.toml", "[service]\nlisten = \"here\"\ntoken_file = \"token\"\n");
  CHECK(load_config(files, scratch / "listen.toml").error().id == "SERV-0001");
  put(scratch / "none.toml", "[service]\n");
  CHECK(load_config(files, scratch / "none.toml").error().id == "SERV-0001");
  CHECK(load_config(files, scratch / "absent.toml").error().id == "FILE-0001");
  ::chmod((scratch / "token").c_str(), 0644);
  CHECK(load_config(files, scratch / "good.toml").error().id == "SERV-0002");
}
