#define _GNU_SOURCE /* O_DIRECTORY, O_NOFOLLOW, flock, getrandom under -std=c99 */

#include "port_posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Zeros over the content first: what can be done from here to take it off the medium. */
static int overwrite(int directory, const char *name) {
  static const uint8_t zeros[512];
  struct stat status;
  int file = openat(directory, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return errno == ENOENT || errno == ELOOP ? 0 : FAILED;
  int result = fstat(file, &status);
  off_t left = result == 0 && S_ISREG(status.st_mode) ? status.st_size : 0;
  while (result == 0 && left > 0) {
    size_t size = left < (off_t)sizeof zeros ? (size_t)left : sizeof zeros;
    result = write_all(file, zeros, size);
    left -= (off_t)size;
  }
  if (result == 0) result = fsync(file);
  return close(file) == 0 ? result : FAILED;
}

static int erase_file(int directory, const char *name) {
  if (overwrite(directory, name) != 0) return FAILED;
  return unlinkat(directory, name, 0) == 0 || errno == ENOENT ? 0 : FAILED;
}

static int store_erase(void *context, const char *id) {
  const struct dc_posix *posix = context;
  if (erase_file(posix->directory, id) != 0) return FAILED;
  return fsync(posix->directory) == 0 ? 0 : FAILED;
}

static void close_flash(struct dc_posix *posix) {
  if (posix->flash >= 0) close(posix->flash);
  posix->flash = -1;
}

/* A symbolic link to nowhere: its target names the process that has the directory open.
 * The module that stands in for this one takes it as well (simulator/devcrypto/lock.ts);
 * flock, which it has no way to see, ends with the process and needs no such name. */
#define LOCK "module.lock"
/* Two numbers and a full stop. */
#define OWNER_SIZE 48u
/* Of /proc/<pid>/stat, counted after the name of the process: its start (proc(5)). */
#define START_FIELD 20

/* Clock ticks from the start of the system; empty where there is no /proc. */
static void start_of(const char *pid, char out[OWNER_SIZE]) {
  char path[OWNER_SIZE + sizeof "/proc//stat"], text[1024];
  out[0] = '\0';
  snprintf(path, sizeof path, "/proc/%s/stat", pid);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  text[length > 0 ? length : 0] = '\0';
  const char *field = strrchr(text, ')'); /* the name may hold blanks and brackets */
  for (int i = 0; field != NULL && i < START_FIELD; i++) {
    field = strchr(field, ' ');
    if (field != NULL) field++;
  }
  size_t size = field == NULL ? 0 : strspn(field, "0123456789");
  if (size < OWNER_SIZE / 2) snprintf(out, OWNER_SIZE, "%.*s", (int)size, field == NULL ? "" : field);
}

/* The start tells the owner from a later process that was given its number. */
static int is_alive(char owner[OWNER_SIZE]) {
  char now[OWNER_SIZE], *end;
  long pid = strtol(owner, &end, 10);
  if (pid <= 0 || pid > INT_MAX || (*end != '.' && *end != '\0')) return 0;
  if (kill((pid_t)pid, 0) != 0 && errno != EPERM) return 0;
  const char *start = *end == '.' ? end + 1 : end;
  *end = '\0';
  start_of(owner, now);
  return start[0] == '\0' || now[0] == '\0' || strcmp(start, now) == 0;
}

/* 0 when the directory is ours now. */
static int take_lock(int directory) {
  char own[2 * OWNER_SIZE], start[OWNER_SIZE], owner[OWNER_SIZE];
  start_of("self", start);
  snprintf(own, sizeof own, "%ld.%s", (long)getpid(), start);
  if (symlinkat(own, directory, LOCK) == 0) return 0;
  if (errno != EEXIST) return FAILED;
  ssize_t length = readlinkat(directory, LOCK, owner, sizeof owner - 1);
  if (length < 0) return FAILED; /* no lock of ours, or given back just now */
  owner[length] = '\0';
  /* A process that was killed leaves its lock behind. */
  if (is_alive(owner) || unlinkat(directory, LOCK, 0) != 0) return FAILED;
  return symlinkat(own, directory, LOCK) == 0 ? 0 : FAILED;
}

/* Directories, and files of other users, are none of ours and stay; pipes and links go. */
static int erase_entry(int directory, const char *name) {
  struct stat status;
  if (strcmp(name, LOCK) == 0) return 0; /* the directory is open still */
  if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT ? 0 : FAILED;
  if (S_ISDIR(status.st_mode)) return 0;
  if (!S_ISREG(status.st_mode)) return unlinkat(directory, name, 0) == 0 ? 0 : FAILED;
  return status.st_uid == geteuid() ? erase_file(directory, name) : 0;
}

/* Every file of the directory: it is the module's own. */
static int erase_all(void *context) {
  struct dc_posix *posix = context;
  int result = 0;
  close_flash(posix);
  int listed = openat(posix->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *files = listed < 0 ? NULL : fdopendir(listed);
  if (files == NULL) {
    if (listed >= 0) close(listed);
    return FAILED;
  }
  for (const struct dirent *file = readdir(files); file != NULL; file = readdir(files))
    result |= erase_entry(posix->directory, file->d_name);
  closedir(files);
  return result == 0 && fsync(posix->directory) == 0 ? 0 : FAILED;
}

/* A file where there is none: all bits set. */
static int make_flash(const struct dc_posix *posix) {
  uint8_t blank[DC_FLASH_SECTOR];
  memset(blank, 0xff, sizeof blank);
  if (unlinkat(posix->directory, DC_POSIX_FLASH ".new", 0) != 0 && errno != ENOENT) return FAILED;
  int file = openat(posix->directory, DC_POSIX_FLASH ".new",
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return FAILED;
  int result = 0;
  for (unsigned i = 0; result == 0 && i < DC_POSIX_SECTORS; i++)
    result = write_all(file, blank, sizeof blank);
  if (result == 0) result = fsync(file);
  if (close(file) != 0 || result != 0) return FAILED;
  if (renameat(posix->directory, DC_POSIX_FLASH ".new", posix->directory, DC_POSIX_FLASH) != 0)
    return FAILED;
  return fsync(posix->directory) == 0 ? 0 : FAILED;
}

/* The flash of another size is not ours: refused, not cut or grown. */
static int open_flash(struct dc_posix *posix) {
  struct stat status;
  if (posix->flash >= 0) return 0;
  const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  int file = openat(posix->directory, DC_POSIX_FLASH, flags);
  if (file < 0 && errno == ENOENT && make_flash(posix) == 0)
    file = openat(posix->directory, DC_POSIX_FLASH, flags);
  if (file < 0) return FAILED;
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
      (status.st_mode & MORE_THAN_0600) == 0 &&
      status.st_size == (off_t)(DC_POSIX_SECTORS * DC_FLASH_SECTOR)) {
    posix->flash = file;
    return 0;
  }
  close(file);
  return FAILED;
}

static int flash_read(void *context, uint32_t offset, uint8_t *out, size_t length) {
  struct dc_posix *posix = context;
  if (open_flash(posix) != 0) return FAILED;
  return pread(posix->flash, out, length, (off_t)offset) == (ssize_t)length ? 0 : FAILED;
}

static int put_flash(const struct dc_posix *posix, uint32_t offset, const uint8_t *data,
                     size_t length) {
  if (pwrite(posix->flash, data, length, (off_t)offset) != (ssize_t)length) return FAILED;
  return fdatasync(posix->flash) == 0 ? 0 : FAILED;
}

/* As NOR does it: a bit that is clear stays clear. */
static int flash_write(void *context, uint32_t offset, const uint8_t *data, size_t length) {
  uint8_t bytes[DC_FLASH_SECTOR];
  if (length > sizeof bytes || flash_read(context, offset, bytes, length) != 0) return FAILED;
  for (size_t i = 0; i < length; i++) bytes[i] &= data[i];
  return put_flash(context, offset, bytes, length);
}

static int flash_erase(void *context, uint32_t offset) {
  struct dc_posix *posix = context;
  uint8_t bytes[DC_FLASH_SECTOR];
  memset(bytes, 0xff, sizeof bytes);
  if (open_flash(posix) != 0) return FAILED;
  return put_flash(posix, offset, bytes, sizeof bytes);
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
  if (flock(directory, LOCK_EX | LOCK_NB) != 0 || take_lock(directory) != 0)
    return "expected no other module on it, got one that is open";
  return NULL;
}

int dc_posix_open(struct dc_posix *posix, const char *path, const char **reason) {
  char copy[PATH_MAX];
  size_t length = strlen(path);
  posix->directory = -1;
  posix->flash = -1;
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
  close_flash(posix);
  if (posix->directory >= 0) {
    unlinkat(posix->directory, LOCK, 0);
    close(posix->directory); /* ends flock as well */
  }
  posix->directory = -1;
}

struct dc_port dc_posix_port(struct dc_posix *posix) {
  struct dc_port port = {.context = posix,
                         .random = fill_random,
                         .store_read = store_read,
                         .store_write = store_write,
                         .store_erase = store_erase,
                         .erase_all = erase_all,
                         .flash_read = flash_read,
                         .flash_write = flash_write,
                         .flash_erase = flash_erase,
                         .flash_sectors = DC_POSIX_SECTORS};
  return port;
}
