// The benchmark's load client: HTTP/1.1 on one epoll thread, loopback only, closed loop. Prints one line of JSON.
//
//   load PORT PATH BODYFILE [-c connections] [-d seconds] [-w seconds of warming up] [-p PID of the measured process] [-H 'Name: value']…
//        [-s: a stream; times its stamps] [-r: the connections begin one after the other while warming up, not all at once]
//
// CPU time is the measured process's own, user and system, read from the kernel. A stamp's delay is the time from the platform's send to our receive.
#define _GNU_SOURCE
#include "common.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_BYTES_MAX (1 << 20)
#define HEAD_BYTES_MAX 8192
#define CONNECTIONS_MAX 20000
#define SECONDS_MAX 600

// Log-linear: 1,024 steps for each power of two, so a value is off by at most 0.1 %: what a proxy adds to the platform's 2 ms is a few hundredths of them.
#define STEP_BITS 10
#define STEPS (1 << STEP_BITS)
typedef struct {
    uint64_t count;
    uint64_t buckets[STEPS * 64];
} histogram;

typedef enum { IN_HEAD, IN_LENGTH, IN_CHUNK_SIZE, IN_CHUNK, IN_CHUNK_END, IN_TRAILER } place;

typedef struct {
    int fd;
    bool is_busy, has_content;
    place place;
    uint64_t started;
    int status;
    long left; // bytes of the body or of the chunk
    size_t head_length;
    char head[HEAD_BYTES_MAX];
} connection;

static struct {
    const char *path, *body_file;
    int port, connections;
    double seconds, warm_seconds;
    pid_t pid;
    bool is_stream, ramps_up;
    char headers[4096];
} options = { .connections = 64, .seconds = 2, .warm_seconds = 0.5 };

static histogram latency, first_byte, delay;
static uint64_t requests, errors, stamps;
static bool is_measuring;
static int epoll_fd;
static char *request;
static size_t request_length;
static connection *connections;

static int bucket_of(uint64_t value)
{
    if (value < STEPS)
        return (int)value;
    int exponent = 63 - __builtin_clzll(value);
    return (exponent - STEP_BITS + 1) * STEPS + (int)((value >> (exponent - STEP_BITS)) & (STEPS - 1));
}

static uint64_t value_of(int bucket) { return bucket < STEPS ? (uint64_t)bucket : (uint64_t)(STEPS + (bucket & (STEPS - 1))) << (bucket / STEPS - 1); }

static void record(histogram *h, uint64_t nanoseconds)
{
    if (!is_measuring)
        return;
    h->count++;
    h->buckets[bucket_of(nanoseconds)]++;
}

static double percentile_us(const histogram *h, double share)
{
    uint64_t wanted = (uint64_t)ceil(share * (double)h->count), seen = 0;
    for (int i = 0; i < STEPS * 64 && h->count > 0; i++)
        if ((seen += h->buckets[i]) >= wanted)
            return (double)value_of(i) / 1000.0;
    return 0;
}

static void reconnect(connection *c)
{
    struct sockaddr_in address = loopback(options.port);
    if (c->fd > 0)
        close(c->fd);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("load: cannot connect");
        exit(2);
    }
    no_delay(c->fd);
    c->is_busy = false;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event);
}

static void begin(connection *c, uint64_t now)
{
    c->is_busy = true;
    c->has_content = false;
    c->place = IN_HEAD;
    c->head_length = 0;
    c->started = now;
    if (send(c->fd, request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length) {
        errors++;
        reconnect(c);
    }
}

static void end(connection *c, uint64_t now)
{
    errors += c->status / 100 != 2;
    requests += is_measuring;
    record(&latency, now - c->started);
    begin(c, now);
}

static void count_stamps(const char *bytes, size_t length, uint64_t now)
{
    const char *end_of_bytes = bytes + length;
    while ((bytes = memchr(bytes, STAMP_MARK, (size_t)(end_of_bytes - bytes)))) {
        uint64_t stamp = 0;
        const char *digit = ++bytes;
        for (; digit < end_of_bytes && *digit >= '0' && *digit <= '9'; digit++)
            stamp = stamp * 10 + (uint64_t)(*digit - '0');
        if (digit - bytes > 8 && is_measuring) {
            stamps++;
            record(&delay, now > stamp ? now - stamp : 0);
        }
        bytes = digit;
    }
}

// Follows the body to its end; true when the answer is complete.
static bool follow(connection *c, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length;) {
        long step;
        switch (c->place) {
            case IN_CHUNK_SIZE:
                if (bytes[i] == '\n')
                    c->place = c->left == 0 ? IN_TRAILER : IN_CHUNK;
                else if (bytes[i] != '\r')
                    c->left = c->left * 16 + (bytes[i] <= '9' ? bytes[i] - '0' : (bytes[i] | 32) - 'a' + 10);
                i++;
                break;
            case IN_CHUNK_END:
                if (bytes[i++] == '\n')
                    c->place = IN_CHUNK_SIZE;
                break;
            case IN_TRAILER:
                if (bytes[i++] == '\n')
                    return true;
                break;
            default: // IN_LENGTH, IN_CHUNK
                step = (long)(length - i) < c->left ? (long)(length - i) : c->left;
                c->left -= step;
                i += (size_t)step;
                if (c->left == 0 && c->place == IN_LENGTH)
                    return true;
                if (c->left == 0)
                    c->place = IN_CHUNK_END;
                break;
        }
    }
    return c->place == IN_LENGTH && c->left == 0;
}

// Gathers the head; gives how many of the bytes belong to it, or -1 where it is not complete.
static long take_head(connection *c, const char *bytes, size_t length)
{
    size_t before = c->head_length, room = sizeof c->head - 1 - before, taken = length < room ? length : room;
    memcpy(c->head + before, bytes, taken);
    c->head_length += taken;
    c->head[c->head_length] = 0;
    char *blank = strstr(c->head, "\r\n\r\n");
    if (!blank)
        return -1;
    blank[2] = 0;
    c->status = atoi(c->head + 9);
    char *announced = strcasestr(c->head, "\r\ncontent-length:");
    c->place = announced ? IN_LENGTH : IN_CHUNK_SIZE;
    c->left = announced ? atol(announced + 17) : 0;
    return blank + 4 - c->head - (long)before;
}

static void receive(connection *c)
{
    static char buffer[1 << 17];
    ssize_t received = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    uint64_t now = now_ns();
    if (received <= 0) {
        if (received < 0 && errno == EAGAIN)
            return;
        bool was_busy = c->is_busy;
        errors += was_busy;
        reconnect(c);
        if (was_busy)
            begin(c, now);
        return;
    }
    if (!c->is_busy)
        return;
    char *bytes = buffer;
    size_t length = (size_t)received;
    if (c->place == IN_HEAD) {
        long taken = take_head(c, bytes, length);
        if (taken < 0)
            return;
        bytes += taken;
        length -= (size_t)taken;
    }
    if (!c->has_content && length > 0) {
        c->has_content = true;
        record(&first_byte, now - c->started);
    }
    if (options.is_stream)
        count_stamps(bytes, length, now);
    if (follow(c, bytes, length))
        end(c, now);
}

static double cpu_us(pid_t pid)
{
    clockid_t clock;
    struct timespec time;
    if (pid == 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
        return 0;
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static long resident_kb(pid_t pid)
{
    char name[64], line[256];
    long kb = 0;
    snprintf(name, sizeof name, "/proc/%d/status", pid);
    FILE *status = pid > 0 ? fopen(name, "r") : NULL;
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kb = atol(line + 6);
    if (status)
        fclose(status);
    return kb;
}

static void prepare_request(void)
{
    char *body = must(malloc(BODY_BYTES_MAX));
    FILE *file = fopen(options.body_file, "r");
    if (!file) {
        perror(options.body_file);
        exit(2);
    }
    size_t body_length = fread(body, 1, BODY_BYTES_MAX, file);
    fclose(file);
    request = must(malloc(body_length + sizeof options.headers + 1024));
    // The headers of a vendor's SDK.
    request_length = (size_t)sprintf(request,
        "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nUser-Agent: OpenAI/Python 2.8.0\r\nAccept: application/json\r\n"
        "x-stainless-lang: python\r\nx-stainless-package-version: 2.8.0\r\n%sContent-Length: %zu\r\n\r\n",
        options.path, options.port, options.headers, body_length);
    memcpy(request + request_length, body, body_length);
    request_length += body_length;
    free(body);
}

static bool read_options(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "c:d:w:p:H:sr")) != -1) {
        size_t used = strlen(options.headers);
        switch (option) {
            case 'c': options.connections = atoi(optarg); break;
            case 'd': options.seconds = atof(optarg); break;
            case 'w': options.warm_seconds = atof(optarg); break;
            case 'p': options.pid = atoi(optarg); break;
            case 's': options.is_stream = true; break;
            case 'r': options.ramps_up = true; break;
            case 'H': snprintf(options.headers + used, sizeof options.headers - used, "%s\r\n", optarg); break;
            default: return false;
        }
    }
    if (argc - optind != 3)
        return false;
    options.port = atoi(argv[optind]);
    options.path = argv[optind + 1];
    options.body_file = argv[optind + 2];
    return options.connections > 0 && options.connections <= CONNECTIONS_MAX && options.seconds > 0 && options.seconds + options.warm_seconds <= SECONDS_MAX;
}

// Runs until the deadline; while ramping up a further connection begins its request every gap.
static void run_until(uint64_t deadline, int *begun, uint64_t gap)
{
    struct epoll_event events[512];
    uint64_t next = now_ns();
    for (uint64_t now; (now = now_ns()) < deadline;) {
        for (; *begun < options.connections && next <= now; next += gap)
            begin(&connections[(*begun)++], now);
        struct timespec wait = wait_until(*begun < options.connections && next < deadline ? next : deadline, now_ns());
        int count = epoll_pwait2(epoll_fd, events, 512, &wait, NULL);
        for (int i = 0; i < count; i++)
            receive(events[i].data.ptr);
    }
}

int main(int argc, char **argv)
{
    if (!read_options(argc, argv)) {
        fputs("usage: load PORT PATH BODYFILE [-c connections] [-d seconds] [-w seconds] [-p PID] [-H 'Name: value'] [-s] [-r]\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    alarm(LIFETIME_SECONDS_MAX);
    prepare_request();
    epoll_fd = epoll_create1(0);
    connections = must(calloc((size_t)options.connections, sizeof *connections));
    for (int i = 0; i < options.connections; i++)
        reconnect(&connections[i]);

    int begun = 0;
    uint64_t start = now_ns(), warm = (uint64_t)(options.warm_seconds * 1e9);
    run_until(start + warm, &begun, options.ramps_up ? warm * 4 / 5 / (uint64_t)options.connections : 0);
    is_measuring = true;
    uint64_t from = now_ns();
    double cpu_before = cpu_us(options.pid);
    run_until(from + (uint64_t)(options.seconds * 1e9), &begun, 0);
    double cpu = cpu_us(options.pid) - cpu_before, seconds = (double)(now_ns() - from) / 1e9;

    printf("{\"requests\":%llu,\"errors\":%llu,\"seconds\":%.3f,\"cpu_us\":%.0f,\"rss_kb\":%ld,\"latency_p50_us\":%.1f,\"latency_p99_us\":%.1f,"
           "\"ttft_p50_us\":%.1f,\"chunks\":%llu,\"delay_p50_us\":%.1f,\"delay_p99_us\":%.1f}\n",
        (unsigned long long)requests, (unsigned long long)errors, seconds, cpu, resident_kb(options.pid), percentile_us(&latency, .5),
        percentile_us(&latency, .99), percentile_us(&first_byte, .5), (unsigned long long)stamps, percentile_us(&delay, .5), percentile_us(&delay, .99));
    return 0;
}
