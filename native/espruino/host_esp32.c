/* Espruino on an ESP32-C3 or -S3. */

#include "host.h"

#include "port_esp32.h"

int host_open(struct dc_port *port, const char **reason) {
  static struct dc_esp32 esp32;
  int status = dc_esp32_open(&esp32, reason);
  if (status == 0) *port = dc_esp32_port(&esp32);
  return status;
}
