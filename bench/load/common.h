// What the simulated platform and the load client share: the clock and a few limits.
#ifndef BALLAST_BENCH_COMMON_H
#define BALLAST_BENCH_COMMON_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

// A piece of streamed text is "@" and the nanosecond at which the platform sent it. A text survives translation between protocols, a field of its own would not.
#define STAMP_MARK '@'

// Neither program outlives its caller by more than this.
#define LIFETIME_SECONDS_MAX 1800

static inline uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

static inline struct timespec wait_until(uint64_t due, uint64_t now)
{
    uint64_t wait = due > now ? due - now : 0;
    return (struct timespec) { .tv_sec = (time_t)(wait / 1000000000ull), .tv_nsec = (long)(wait % 1000000000ull) };
}

static inline void *must(void *memory)
{
    if (!memory) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

static inline struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static inline void no_delay(int socket_fd)
{
    int one = 1;
    setsockopt(socket_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

#endif
