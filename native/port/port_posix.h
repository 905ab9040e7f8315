#ifndef DC_PORT_POSIX_H
#define DC_PORT_POSIX_H

#include "dc.h"

/** The ring's flash is a file of this name, made when the ring is first used. */
#define DC_POSIX_FLASH "queue"
/** 64 KiB: about 600 readings of 80 bytes. */
#define DC_POSIX_SECTORS 16u

/** The store of a host with files: one directory, one file for each id. */
struct dc_posix {
  int directory; /* file descriptor; -1 when closed */
  int flash;     /* the same; -1 while the ring is not used */
};

/**
 * Opens the store directory, made (mode 0700, with its parents) if it is missing.
 * DC_ERR_STORE, and in `reason` what was expected, when it is a symbolic link, is not
 * ours, is open to group or others, or is in use by another module: two modules on
 * one store would hand out one counter twice.
 */
int dc_posix_open(struct dc_posix *posix, const char *path, const char **reason);

/** Gives the directory up. Closing twice is no error. */
void dc_posix_close(struct dc_posix *posix);

/**
 * The port over getrandom(2) and the directory. It has flash and erase_all; no clock,
 * as a host's is set over the network; no hardware key. `posix` must outlive it.
 */
struct dc_port dc_posix_port(struct dc_posix *posix);

#endif
