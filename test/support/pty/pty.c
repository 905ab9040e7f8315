/*
 * A pseudo terminal whose other side is a program: `pty PROGRAM ARGUMENTS` prints the
 * terminal's path on stderr and becomes the program, which reads and writes the
 * terminal's far end. Without a program it carries its own stdin and stdout there.
 * When it ends, whoever has the terminal open sees it end, as when a cable is pulled.
 * After `-r` it is started again instead, as a board is behind a chip that makes USB of
 * its serial line: there the terminal stays.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { NOT_STARTED = 127 };

static void copy(int from, int to) {
  char bytes[4096];
  ssize_t length = read(from, bytes, sizeof bytes);
  if (length <= 0) exit(0);
  for (ssize_t at = 0; at < length;) {
    ssize_t written = write(to, bytes + at, (size_t)(length - at));
    if (written <= 0) exit(0);
    at += written;
  }
}

static int restart(char **program) {
  int status;
  do {
    if (fork() == 0) {
      /* It would spin on a terminal whose other side is gone. */
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      execvp(program[0], program);
      _exit(NOT_STARTED);
    }
    if (wait(&status) < 0) return 1;
  } while (!WIFEXITED(status) || WEXITSTATUS(status) != NOT_STARTED);
  return 1;
}

int main(int count, char **arguments) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) return 1;
  /* Held open, so that the far end does not end between two users of this one. */
  int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  struct termios raw;
  if (slave < 0 || tcgetattr(slave, &raw) != 0) return 1;
  cfmakeraw(&raw);
  tcsetattr(slave, TCSANOW, &raw);
  fprintf(stderr, "%s\n", ptsname(master));
  fflush(stderr);
  if (count > 1) {
    dup2(master, 0);
    dup2(master, 1);
    if (count > 2 && strcmp(arguments[1], "-r") == 0) return restart(arguments + 2);
    execvp(arguments[1], arguments + 1);
    return 1;
  }
  struct pollfd sides[] = {{0, POLLIN, 0}, {master, POLLIN, 0}};
  while (poll(sides, 2, -1) > 0) {
    if (sides[0].revents) copy(0, master);
    if (sides[1].revents) copy(master, 1);
  }
  return 0;
}
