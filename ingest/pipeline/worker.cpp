#include "ingest/pipeline/worker.h"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "engine/core/sha256.h"
#include "ingest/pipeline/sandbox.h"
#include "ingest/pipeline/wire.h"
#include "ingest/readers/logs/mapping.h"

namespace yieldloop::ingest {
namespace {

constexpr int kLostProgram = 3;  // Exit status when the other end has gone.
constexpr std::size_t kSmallBatch = 48 << 10;

/// The descriptor's content as memory. A file that shrinks meanwhile ends this process only.
class DescriptorFile final : public MappedFile {
 public:
  explicit DescriptorFile(int fd) : fd_(fd) {
    struct stat s {};
    if (::fstat(fd, &s) == 0 && s.st_size > 0) {
      size_ = static_cast<std::size_t>(s.st_size);
      data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
      if (data_ == MAP_FAILED) {
        failed_ = true;
        size_ = 0;
      }
    }
  }
  DescriptorFile(const DescriptorFile&) = delete;
  DescriptorFile& operator=(const DescriptorFile&) = delete;
  ~DescriptorFile() override {
    if (size_ > 0) ::munmap(data_, size_);
    ::close(fd_);
  }
  std::span<const std::byte> bytes() const override {
    return {static_cast<const std::byte*>(data_), size_};
  }
  void copy(std::size_t from, std::span<std::byte> out) const override {
    while (!out.empty()) {
      const ssize_t n = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(from));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;  // It shrank: the mapping says so in its own way.
      from += static_cast<std::size_t>(n);
      out = out.subspan(static_cast<std::size_t>(n));
    }
    if (!out.empty()) MappedFile::copy(from, out);
  }
  bool failed() const { return failed_; }

 private:
  int fd_;
  void* data_ = nullptr;
  std::size_t size_ = 0;
  bool failed_ = false;
};

struct Frame {
  wire::Type type{};
  std::string payload;
  int descriptor = -1;
};

/// This process's end of the line.
class Line {
 public:
  explicit Line(std::byte* shared) : shared_(shared) {}

  wire::State& state() { return *reinterpret_cast<wire::State*>(shared_); }
  std::byte* slot(std::size_t i) { return shared_ + wire::kStateBytes + i * wire::kSlotBytes; }

  /// Waits for a frame. Ends the process when the program has gone.
  Frame receive() {
    Frame frame;
    wire::Header header;
    take(reinterpret_cast<char*>(&header), sizeof header, frame.descriptor);
    if (header.size > wire::kLargestFrame) ::_exit(kLostProgram);
    frame.type = static_cast<wire::Type>(header.type);
    frame.payload.resize(header.size);
    take(frame.payload.data(), frame.payload.size(), frame.descriptor);
    return frame;
  }

  /// Kept back until `flush`, so that a small file costs one call.
  void send(wire::Type type, std::string_view payload) {
    const wire::Header header{static_cast<std::uint32_t>(type),
                              static_cast<std::uint32_t>(payload.size())};
    out_.append(reinterpret_cast<const char*>(&header), sizeof header);
    out_.append(payload);
    if (out_.size() > 4 * kSmallBatch) flush();
  }

  void flush() {
    std::string_view rest = out_;
    while (!rest.empty()) {
      const ssize_t n = ::write(kWorkerSocket, rest.data(), rest.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) ::_exit(kLostProgram);
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
    out_.clear();
  }

  /// A slot that the program has done with.
  std::size_t free_slot() {
    const std::size_t slot = next_slot_++ % wire::kSlots;
    while (busy_[slot]) note(receive());
    return slot;
  }
  void send_slot(wire::Type type, std::size_t slot, std::size_t bytes) {
    std::string payload;
    wire::Writer(payload).number<std::uint64_t>(slot).number<std::uint64_t>(bytes);
    busy_[slot] = true;
    send(type, payload);
    flush();
  }
  Receiver::Answer answer() {
    flush();
    for (;;) {
      const Frame frame = receive();
      if (frame.type == wire::Type::kAnswer && frame.payload.size() == 1) {
        return static_cast<Receiver::Answer>(frame.payload[0]);
      }
      note(frame);
    }
  }
  void note(const Frame& frame) {
    if (frame.type != wire::Type::kFree || frame.payload.size() != 1) ::_exit(kLostProgram);
    busy_[static_cast<std::size_t>(frame.payload[0]) % wire::kSlots] = false;
  }

 private:
  void take(char* to, std::size_t size, int& descriptor) {
    while (size > 0) {
      iovec piece{to, size};
      alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
      msghdr message{};
      message.msg_iov = &piece;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      const ssize_t n = ::recvmsg(kWorkerSocket, &message, MSG_CMSG_CLOEXEC);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) ::_exit(n == 0 ? 0 : kLostProgram);
      const cmsghdr* attached = CMSG_FIRSTHDR(&message);
      if (attached != nullptr && attached->cmsg_type == SCM_RIGHTS) {
        std::memcpy(&descriptor, CMSG_DATA(attached), sizeof descriptor);
      }
      to += n;
      size -= static_cast<std::size_t>(n);
    }
  }

  std::byte* shared_;
  std::string out_;
  std::array<bool, wire::kSlots> busy_{};
  std::size_t next_slot_ = 0;
};

/// Sends what readers find over the line.
class LineReceiver final : public Receiver {
 public:
  explicit LineReceiver(Line& line) : line_(line) {}

  void at_member(std::uint64_t ordinal) override { line_.state().member = ordinal; }

  Answer begin(const Document& document) override {
    std::string payload;
    wire::Writer out(payload);
    wire::put(out, document);
    line_.send(wire::Type::kBegin, payload);
    return document.is_member ? line_.answer() : Answer::kRead;
  }

  bool put(store::Table batch) override {
    send_rows(batch, 0, batch.rows());
    return true;
  }

  bool keep(Bytes content) override {
    while (!content.empty()) {
      const std::size_t slot = line_.free_slot();
      const Bytes piece = content.first(std::min(content.size(), wire::kSlotBytes));
      std::memcpy(line_.slot(slot), piece.data(), piece.size());
      line_.send_slot(wire::Type::kSlotKeep, slot, piece.size());
      content = content.subspan(piece.size());
    }
    return true;
  }

  bool end(CheckReport report) override {
    std::string payload;
    wire::Writer out(payload);
    wire::put(out, report);
    line_.send(wire::Type::kEnd, payload);
    return true;
  }

 private:
  void send_rows(const store::Table& batch, std::size_t from, std::size_t to) {
    if (from == to) return;
    if (const std::size_t bound = wire::encoded_bound(batch, from, to); bound <= kSmallBatch) {
      small_.resize(bound);
      const std::size_t n = wire::encode_rows(batch, from, to, small_);
      return line_.send(wire::Type::kRows, {reinterpret_cast<const char*>(small_.data()), n});
    }
    const std::size_t slot = line_.free_slot();
    const std::size_t n = wire::encode_rows(batch, from, to, {line_.slot(slot), wire::kSlotBytes});
    if (n > 0) return line_.send_slot(wire::Type::kSlotRows, slot, n);
    if (to - from == 1) throw std::runtime_error("one row is larger than 16 MB");
    const std::size_t middle = from + (to - from) / 2;
    send_rows(batch, from, middle);
    send_rows(batch, middle, to);
  }

  Line& line_;
  std::vector<std::byte> small_;
};

/// Notes in the shared state which reader is at work.
ReaderRegistry noting(const ReaderRegistry& readers, Line& line) {
  ReaderRegistry noted;
  for (ReaderDeclaration reader : readers.all()) {
    reader.read = [&line, id = reader.id, read = reader.read](
                      Input& input, const ReadOptions& options, store::RowSink& sink,
                      Rejects& rejects) {
      std::strncpy(line.state().kind, id.c_str(), sizeof line.state().kind - 1);
      return read(input, options, sink, rejects);
    };
    (void)noted.add(std::move(reader));
  }
  return noted;
}

void serve(const ReaderRegistry& readers, const Mapping* mapping, Line& line,
           const wire::ReadRequest& request, int descriptor) {
  auto file = std::make_unique<DescriptorFile>(descriptor);
  const std::size_t bytes = file->bytes().size();
  LineReceiver receiver(line);
  const DocumentOptions options{
      .read = {.mapping = mapping}, .unpack = request.unpack, .first_member = request.first_member};
  auto input =
      file->failed()
          ? Result<std::unique_ptr<SentInput>>(Error{
                Errc::kFormat, "PIPE-0002",
                fmt::format("{} needs more memory than there is; it was not read.", request.name)})
          : input_from_mapped(request.name, std::move(file), request.unpack, &request.whole.digest);
  read_documents(readers, request.whole, std::move(input), options, receiver);
  line.send(wire::Type::kDone, {});
  line.flush();
  // What a large file took goes back, so that the next one has all of its share.
  constexpr std::size_t kLarge = 8 << 20;
  if (bytes > kLarge) ::malloc_trim(0);
}

}  // namespace

std::uint64_t worker_fingerprint() {
  std::string text = "yieldloop-worker 1";
  for (const store::TableSchema& table : store::all_tables()) {
    text += fmt::format("\n{}", table.name);
    for (const store::ColumnSchema& column : table.columns) {
      text += fmt::format(" {}:{}", column.name, static_cast<int>(column.type));
    }
  }
  return static_cast<std::uint64_t>(Sha256::of(text).short_id());
}

int run_worker(const ReaderRegistry& readers, int argc, const char* const* argv) {
  if (argc != 2 || std::string_view(argv[1]) != kWorkerArgument) {
    std::fputs("yieldloop-worker reads files for yieldloop, which starts it by itself.\n", stderr);
    return 2;
  }
  void* shared =
      ::mmap(nullptr, wire::kSharedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, kWorkerShared, 0);
  if (shared == MAP_FAILED) return kLostProgram;
  Line line(static_cast<std::byte*>(shared));
  const Frame start = line.receive();
  std::optional<Mapping> mapping;
  if (!start.payload.empty()) {
    auto parsed = parse_mapping(real_file_system(), start.payload);
    if (parsed) mapping = std::move(*parsed);
  }
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  std::string ready;
  // All memory comes from one arena: limits then mean what they say.
  ::mallopt(M_ARENA_MAX, 2);
  const bool closed = close_sandbox(line.state().system_call);
  wire::Writer(ready).number(worker_fingerprint()).number<std::uint8_t>(closed);
  line.send(wire::Type::kReady, ready);
  line.flush();
  const ReaderRegistry noted = noting(readers, line);
  for (;;) {
    const Frame frame = line.receive();
    if (frame.type == wire::Type::kFree) {
      line.note(frame);
      continue;
    }
    const auto request = wire::request_in(frame.payload);
    if (frame.type != wire::Type::kRead || !request || frame.descriptor < 0) return kLostProgram;
    serve(noted, mapping ? &*mapping : nullptr, line, *request, frame.descriptor);
  }
}

}  // namespace yieldloop::ingest
