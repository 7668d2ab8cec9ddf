// A reading process for tests: the format of tiny_reader.h, and one whose files say what to do.
//
//   EVIL
//   crash | abort | overflow | loop | sleep | allocate | exit | connect | write PATH | remove PATH
//   read PATH | run | fork | kill | miscount | garbage | thread | slot

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <thread>

#include "../../unit/pipeline/tiny_reader.h"
#include "ingest/pipeline/wire.h"
#include "ingest/pipeline/worker.h"

namespace {

using namespace yieldloop;

volatile int sink_of_all = 0;
int* volatile nowhere = nullptr;

int deeper(int level) {
  volatile char room[4096];
  room[0] = static_cast<char>(level);
  return level == -1 ? 0 : deeper(level + 1) + room[0];
}

Error said(std::string what) { return {Errc::kFormat, "EVIL-0001", std::move(what)}; }

Result<ingest::ReadSummary> rows(store::RowSink& sink, std::uint64_t counted) {
  store::Table batch = store::Table::of("lots");
  batch["lot_id"].add_text("L");
  batch["product"].add_text("P");
  batch["source_row"].add_int(1);
  batch.finish_row();
  sink.put(std::move(batch));
  return ingest::ReadSummary{.version = "1", .rows = counted};
}

void crash_by(const std::string& deed) {
  if (deed == "crash") *nowhere = 1;
  if (deed == "abort") std::abort();
  if (deed == "overflow") sink_of_all = deeper(0);
  if (deed == "loop") {
    for (;;) sink_of_all = sink_of_all + 1;
  }
  if (deed == "sleep") ::pause(), ::sleep(1000);
  if (deed == "exit") std::_Exit(0);
  if (deed == "kill") ::kill(::getppid(), SIGKILL);
  if (deed == "fork") (void)::fork();
  if (deed == "run") {
    char* none[] = {nullptr};
    ::execve("/bin/true", none, none);
  }
}

std::string try_out(const std::string& deed, const std::string& path) {
  if (deed == "connect") {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? "no socket" : "a socket";
  }
  if (deed == "write") return ::open(path.c_str(), O_WRONLY | O_CREAT, 0600) < 0 ? "no" : "written";
  if (deed == "remove") return ::unlink(path.c_str()) != 0 ? "no" : "removed";
  if (deed == "read") return ::open(path.c_str(), O_RDONLY) < 0 ? "not opened" : "opened";
  return "unknown deed";
}

Result<ingest::ReadSummary> read_evil(ingest::Input& input, const ingest::ReadOptions&,
                                      store::RowSink& sink, ingest::Rejects&) {
  YL_ASSIGN(const auto bytes, input.bytes());
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto lines = split(text, '\n');
  const auto words = split(lines.size() > 1 ? lines[1] : "", ' ');
  const std::string deed(words[0]);
  crash_by(deed);
  if (deed == "miscount") return rows(sink, 2);
  if (deed == "thread") {
    std::uint64_t n = 0;
    std::thread([&n] { n = 1; }).join();
    return rows(sink, n);
  }
  if (deed == "allocate") {
    std::vector<std::string> all;
    for (;;) all.emplace_back(std::size_t{64} << 20, 'x');
  }
  if (deed == "garbage") {
    const std::string noise(100'000, '\x7F');
    (void)!::write(ingest::kWorkerSocket, noise.data(), noise.size());
    ::sleep(1000);
  }
  if (deed == "slot") {
    std::string frame;
    ingest::wire::Writer out(frame);
    out.number(ingest::wire::Header{static_cast<std::uint32_t>(ingest::wire::Type::kSlotRows), 16});
    out.number<std::uint64_t>(1'000'000).number<std::uint64_t>(UINT64_MAX);
    (void)!::write(ingest::kWorkerSocket, frame.data(), frame.size());
    ::sleep(1000);
  }
  return said(try_out(deed, words.size() > 1 ? std::string(words[1]) : ""));
}

}  // namespace

int main(int argc, char** argv) {
  auto readers = test::tiny_registry();
  (void)readers.add({.id = "evil",
                     .title = "Evil",
                     .patterns = "*.evil",
                     .sniff =
                         [](std::string_view, ingest::Bytes head) {
                           return head.size() >= 4 && std::memcmp(head.data(), "EVIL", 4) == 0
                                      ? ingest::Confidence::kCertain
                                      : ingest::Confidence::kNo;
                         },
                     .read = read_evil});
  return ingest::run_worker(readers, argc, argv);
}
