#ifndef DC_ESPRUINO_HOST_H
#define DC_ESPRUINO_HOST_H

#include "dc.h"

/**
 * The port of the machine this Espruino runs on, its store opened. DC_ERR_STORE, and
 * in `reason` what was expected, when there is none; it may be called again then.
 */
int host_open(struct dc_port *port, const char **reason);

#endif
