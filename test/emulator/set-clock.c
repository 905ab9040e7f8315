/*
 * Preloaded into Espruino for Linux: the system's clock is ahead by as many microseconds as the file
 * that SET_CLOCK names says in decimal digits, each time that it is asked. Chips let programs set
 * the clock; here only root could.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long ahead(void)
{
    char digits[32] = {0};
    const char *name = getenv("SET_CLOCK");
    int file = name == NULL ? -1 : open(name, O_RDONLY);
    if (file < 0)
        return 0;
    ssize_t length = read(file, digits, sizeof digits - 1);
    close(file);
    return length > 0 ? strtoll(digits, NULL, 10) : 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    long long us = (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000 + ahead();
    tv->tv_sec = (time_t)(us / 1000000);
    tv->tv_usec = (suseconds_t)(us % 1000000);
    return 0;
}
