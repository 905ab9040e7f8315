#define _GNU_SOURCE /* O_DIRECTORY, O_NOFOLLOW, flock, getrandom under -std=c99 */

#include "port_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAILED (-1)
#define GROUP_AND_OTHERS 077u
#define MORE_THAN_0600 0177u

static int fill_random(void *context, uint8_t *out, size_t length) {
  (void)context;
  while (length > 0) {
    ssize_t got = getrandom(out, length, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return FAILED;
    out += got;
    length -= (size_t)got;
  }
  return 0;
}

/* One pass of the caller: the descriptor, or DC_STORE_ABSENT, or FAILED. */
static int open_private(int directory, const char *id, int *file, size_t *length) {
  struct stat status;
  /* O_NONBLOCK: a FIFO in the file's place must not make us wait for its writer. */
  *file = openat(directory, id, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (*file < 0) return errno == ENOENT ? DC_STORE_ABSENT : FAILED;
  if (fstat(*file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
      (status.st_mode & MORE_THAN_0600) == 0) {
    *length = (size_t)status.st_size;
    return 0;
  }
  close(*file);
  return FAILED;
}

static int read_all(int file, uint8_t *out, size_t length) {
  while (length > 0) {
    ssize_t got = read(file, out, length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return FAILED;
    out += got;
    length -= (size_t)got;
  }
  return 0;
}

static int write_all(int file, const uint8_t *data, size_t length) {
  while (length > 0) {
    ssize_t written = write(file, data, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return FAILED;
    data += written;
    length -= (size_t)written;
  }
  return 0;
}

static int store_read(void *context, const char *id, uint8_t *out, size_t capacity,
                      size_t *length) {
  const struct dc_posix *posix = context;
  int file;
  int result = open_private(posix->directory, id, &file, length);
  if (result != 0) return result;
  result = read_all(file, out, *length < capacity ? *length : capacity);
  close(file);
  return result;
}

static int write_synced(int directory, const char *name, const uint8_t *data, size_t length) {
  int file = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return FAILED;
  int result = write_all(file, data, length);
  if (result == 0) result = fsync(file);
  return close(file) == 0 ? result : FAILED;
}

static int store_write(void *context, const char *id, const uint8_t *data, size_t length) {
  const struct dc_posix *posix = context;
  char temporary[DC_STORE_ID_MAX + sizeof ".new"];
  int size = snprintf(temporary, sizeof temporary, "%s.new", id);
  if (size < 0 || (size_t)size >= sizeof temporary) return FAILED;
  /* A temporary file of an earlier, interrupted write. */
  if (unlinkat(posix->directory, temporary, 0) != 0 && errno != ENOENT) return FAILED;
  int result = write_synced(posix->directory, temporary, data, length);
  if (result == 0) result = renameat(posix->directory, temporary, posix->directory, id);
  if (result == 0) return fsync(posix->directory) == 0 ? 0 : FAILED;
  unlinkat(posix->directory, temporary, 0);
  return FAILED;
}

static int store_erase(void *context, const char *id) {
  const struct dc_posix *posix = context;
  if (unlinkat(posix->directory, id, 0) != 0 && errno != ENOENT) return FAILED;
  return fsync(posix->directory) == 0 ? 0 : FAILED;
}

/* `path` comes back as given; each '/' ends it for a moment. */
static int make_directories(char *path) {
  for (char *end = path + 1; *end != '\0'; end++) {
    if (*end != '/') continue;
    *end = '\0';
    int failed = mkdir(path, 0777) != 0 && errno != EEXIST;
    *end = '/';
    if (failed) return FAILED;
  }
  return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : FAILED;
}

/* NULL when the directory may hold keys. */
static const char *objection(int directory) {
  struct stat status;
  if (fstat(directory, &status) != 0) return "expected a readable directory";
  if (status.st_uid != geteuid()) return "expected a directory of this user";
  if ((status.st_mode & GROUP_AND_OTHERS) != 0) return "expected mode 700, got more";
  if (flock(directory, LOCK_EX | LOCK_NB) != 0)
    return "expected no other module on it, got one that is open";
  return NULL;
}

int dc_posix_open(struct dc_posix *posix, const char *path, const char **reason) {
  char copy[PATH_MAX];
  size_t length = strlen(path);
  posix->directory = -1;
  *reason = "expected a path";
  if (length == 0 || length >= sizeof copy) return DC_ERR_STORE;
  memcpy(copy, path, length + 1);
  /* With a slash at its end, a symbolic link would be followed after all. */
  while (length > 1 && copy[length - 1] == '/') copy[--length] = '\0';
  *reason = "expected to make the directory";
  if (make_directories(copy) != 0) return DC_ERR_STORE;
  *reason = "expected a directory, not a symbolic link or a file";
  int directory = open(copy, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory < 0) return DC_ERR_STORE;
  *reason = objection(directory);
  if (*reason == NULL) {
    posix->directory = directory;
    return 0;
  }
  close(directory);
  return DC_ERR_STORE;
}

void dc_posix_close(struct dc_posix *posix) {
  if (posix->directory >= 0) close(posix->directory); /* ends the lock as well */
  posix->directory = -1;
}

struct dc_port dc_posix_port(struct dc_posix *posix) {
  struct dc_port port = {.context = posix,
                         .random = fill_random,
                         .store_read = store_read,
                         .store_write = store_write,
                         .store_erase = store_erase};
  return port;
}
