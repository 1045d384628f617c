/* The wall clock of a process as somebody set it: preloaded, it is as many seconds off as
 * the file $WALL_CLOCK_OFF says.  The file is read anew at each look, and replaced as a
 * whole by who writes it; nothing is shared between threads.  All other clocks are true.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    long failed = syscall(SYS_clock_gettime, clock, now);
    const char *name = getenv("WALL_CLOCK_OFF");
    char seconds[32] = {0};
    if (failed || clock != CLOCK_REALTIME || !name)
        return failed;
    int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0 || read(file, seconds, sizeof seconds - 1) < 1)
        abort(); /* a true time would be a wrong answer */
    close(file);
    now->tv_sec += atol(seconds);
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now)
{
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now)
        *now = precise.tv_sec;
    return precise.tv_sec;
}
