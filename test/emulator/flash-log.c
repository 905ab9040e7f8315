/*
 * Preloaded into Espruino for Linux: notes each write to its flash image in the file that
 * FLASH_LOG names, as offset, length (32 bits each, of this machine) and bytes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char IMAGE[] = "espruino.flash";

static int is_image(FILE *file)
{
    char link[64];
    char path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fileno(file));
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < (ssize_t)strlen(IMAGE))
        return 0;
    path[length] = 0;
    return strcmp(path + length - strlen(IMAGE), IMAGE) == 0;
}

size_t fwrite(const void *data, size_t size, size_t count, FILE *file)
{
    size_t (*write)(const void *, size_t, size_t, FILE *);
    *(void **)&write = dlsym(RTLD_NEXT, "fwrite");
    const char *name = getenv("FLASH_LOG");
    if (name != NULL && is_image(file)) {
        uint32_t head[2] = {(uint32_t)ftell(file), (uint32_t)(size * count)};
        FILE *log = fopen(name, "ab");
        if (log != NULL) {
            write(head, sizeof head, 1, log);
            write(data, size, count, log);
            fclose(log);
        }
    }
    return write(data, size, count, file);
}
