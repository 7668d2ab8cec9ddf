/* Plugins that go wrong on purpose, one for each definition. */
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "plugins/sdk/yieldloop_plugin.h"

#if defined(ABORTS)
__attribute__((constructor)) static void start(void) { abort(); }
#elif defined(EXITS)
__attribute__((constructor)) static void start(void) { _exit(0); }
#elif defined(HANGS)
__attribute__((constructor)) static void start(void) {
  for (;;) pause();
}
#endif

#if !defined(NO_SNIFF)
static int sniff(const char* name, const unsigned char* head, size_t size) {
  (void)name, (void)head;
#if defined(SNIFF_CRASHES)
  if (size == 0) abort();
#endif
  return size > 0 ? 1 : 0;
}
#endif

static int read_file(const unsigned char* bytes, size_t size, const yieldloop_sink_v1* sink,
                     char* error, size_t error_size) {
  (void)bytes, (void)size, (void)sink, (void)error, (void)error_size;
  return 0;
}

static const yieldloop_reader_v1 reader = {
#if defined(SHORT_TABLE)
    8,
#else
    sizeof(yieldloop_reader_v1),
#endif
#if defined(BAD_ID)
    "Bad Id",
#elif defined(TAKES_ID)
    "ylmap",
#else
    "bad",
#endif
    "A plugin that goes wrong",
    "*.bad",
#if defined(NO_SNIFF)
    NULL,
#else
    sniff,
#endif
    read_file};

#if defined(NO_ENTRY)
YIELDLOOP_PLUGIN_EXPORT const void* some_other_symbol(void);
const void* some_other_symbol(void) { return &reader; }
#else
const yieldloop_reader_v1* yieldloop_plugin_reader(uint32_t host_abi) {
#if defined(OTHER_ABI)
  (void)reader;
  (void)sniff;
  (void)read_file;
  (void)host_abi;
  return NULL;
#else
  (void)host_abi;
  return &reader;
#endif
}
#endif
