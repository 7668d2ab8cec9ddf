// The program `yieldloop-worker`: reads files for yieldloop in a process without rights.

#include "ingest/pipeline/builtin_readers.h"
#include "ingest/pipeline/worker.h"

int main(int argc, char** argv) {
  return yieldloop::ingest::run_worker(yieldloop::ingest::builtin_readers(), argc, argv);
}
