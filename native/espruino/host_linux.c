/* Espruino on Linux: the store is a directory beside its flash image, espruino.flash. */

#include "host.h"

#include <stdint.h>
#include <stdlib.h>

#include "port_posix.h"

#define STORE_DIRECTORY "espruino.devcrypto"

int host_open(struct dc_port *port, const char **reason) {
  static struct dc_posix store;
  int status = dc_posix_open(&store, STORE_DIRECTORY, reason);
  if (status == 0) *port = dc_posix_port(&store);
  return status;
}

/* Where Espruino's main put the beginning of its stack. */
extern void *STACK_BASE;
size_t __real_jsuGetFreeStack(void);

/*
 * Espruino for Linux believes in a megabyte of stack. ESPRUINO_STACK, in bytes, makes it as
 * short as a board's, so that what is too deep for one fails here too. The linker puts this in
 * place of jsuGetFreeStack (COSEFLOW_LINUX.py). Frames of 64 bits are larger: by GCC's figures
 * a call from JavaScript takes 704 bytes here and 496 on RV32IMC.
 */
size_t __wrap_jsuGetFreeStack(void) {
  const char *limit = getenv("ESPRUINO_STACK");
  char here;
  if (limit == NULL) return __real_jsuGetFreeStack();
  size_t size = strtoul(limit, NULL, 10);
  size_t used = (size_t)((uintptr_t)STACK_BASE - (uintptr_t)&here);
  return used < size ? size - used : 0;
}
