/* Espruino on Linux: the store is a directory beside its flash image, espruino.flash. */

#include "host.h"

#include "port_posix.h"

#define STORE_DIRECTORY "espruino.devcrypto"

int host_open(struct dc_port *port, const char **reason) {
  static struct dc_posix store;
  int status = dc_posix_open(&store, STORE_DIRECTORY, reason);
  if (status == 0) *port = dc_posix_port(&store);
  return status;
}
