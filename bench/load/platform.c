// A simulated platform for the benchmark: HTTP/1.1 on one epoll thread, loopback only. It costs so little that what is measured is the proxy before it.
//
//   platform PORT
//
// Answers POST …/chat/completions in OpenAI's form and POST …/messages in Anthropic's: 1.6 kB of JSON, or a stream where the body says "stream":true.
// The request's model may end in "sim-TTFT_US-CHUNKS-GAP_US": time to the first event, number of events, time between two. Default: 0, 100, 0.
#define _GNU_SOURCE
#include "common.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 30000
#define REQUEST_BYTES_MAX (4 << 20)
#define BURST_BYTES (96 * 1024)
#define EVENT_BYTES_MAX 2048

typedef enum { FORM_OPENAI, FORM_ANTHROPIC } form;

typedef struct {
    int fd;
    int heap_index; // -1: no timer runs
    form form;
    bool is_stream, is_begun;
    int chunks, left;
    uint64_t gap_ns, due;
    char *input;
    size_t input_length, input_capacity;
    char *output; // what the socket did not take at once
    size_t output_length, output_sent, output_capacity;
} connection;

static int epoll_fd, connection_count;
static connection *heap[CONNECTIONS_MAX]; // by due time, the soonest first
static int heap_size;
static char whole[2][8192];
static size_t whole_length[2];

static void heap_place(int index, connection *c)
{
    heap[index] = c;
    c->heap_index = index;
}

static void heap_up(int index)
{
    connection *c = heap[index];
    while (index > 0 && heap[(index - 1) / 2]->due > c->due) {
        heap_place(index, heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    heap_place(index, c);
}

static void heap_down(int index)
{
    connection *c = heap[index];
    for (int child; (child = 2 * index + 1) < heap_size; index = child) {
        if (child + 1 < heap_size && heap[child + 1]->due < heap[child]->due)
            child++;
        if (heap[child]->due >= c->due)
            break;
        heap_place(index, heap[child]);
    }
    heap_place(index, c);
}

static void timer_start(connection *c)
{
    heap_place(heap_size++, c);
    heap_up(c->heap_index);
}

static void timer_stop(connection *c)
{
    int index = c->heap_index;
    if (index < 0)
        return;
    c->heap_index = -1;
    if (index == --heap_size)
        return;
    heap_place(index, heap[heap_size]);
    heap_up(index);
    heap_down(heap[index]->heap_index);
}

static void drop(connection *c)
{
    timer_stop(c);
    close(c->fd);
    free(c->input);
    free(c->output);
    free(c);
    connection_count--;
}

static void watch(connection *c, int operation, bool also_output)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | (also_output ? EPOLLOUT : 0), .data.ptr = c };
    epoll_ctl(epoll_fd, operation, c->fd, &event);
}

// What the socket does not take is kept and sent when it can; false where the peer is gone.
static bool send_bytes(connection *c, const char *bytes, size_t length)
{
    if (c->output_length == c->output_sent) {
        ssize_t sent = send(c->fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent > 0) {
            bytes += sent;
            length -= (size_t)sent;
        }
        if (length == 0)
            return true;
        c->output_length = c->output_sent = 0;
        watch(c, EPOLL_CTL_MOD, true);
    }
    if (c->output_length + length > c->output_capacity) {
        c->output_capacity = (c->output_length + length) * 2;
        c->output = must(realloc(c->output, c->output_capacity));
    }
    memcpy(c->output + c->output_length, bytes, length);
    c->output_length += length;
    return true;
}

static int openai_event(char *text, int number, bool is_last)
{
    static const char head[] = "data: {\"id\":\"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG\",\"object\":\"chat.completion.chunk\",\"created\":1741570283,"
                               "\"model\":\"gpt-4o-mini-2024-07-18\",\"system_fingerprint\":\"fp_44709d6fcb\",";
    static const char delta[] = "%s\"choices\":[{\"index\":0,\"delta\":{%s\"content\":\"%c%llu \"},\"logprobs\":null,\"finish_reason\":null}]}\n\n";
    int length = sprintf(text, delta, head, number == 1 ? "\"role\":\"assistant\"," : "", STAMP_MARK, (unsigned long long)now_ns());
    if (is_last)
        length += sprintf(text + length,
            "%s\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n"
            "%s\"choices\":[],\"usage\":{\"prompt_tokens\":19,\"completion_tokens\":%d,\"total_tokens\":%d}}\n\ndata: [DONE]\n\n",
            head, head, number, number + 19);
    return length;
}

static int anthropic_event(char *text, int number, bool is_last)
{
    int length = 0;
    if (number == 1)
        length = sprintf(text,
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_01XFDUDYJgAACzvnptvVoYEL\",\"type\":\"message\",\"role\":\"assistant\","
            "\"model\":\"claude-sonnet-4-5-20250929\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,"
            "\"usage\":{\"input_tokens\":19,\"output_tokens\":1}}}\n\n"
            "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n");
    length += sprintf(text + length,
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"%c%llu \"}}\n\n",
        STAMP_MARK, (unsigned long long)now_ns());
    if (is_last)
        length += sprintf(text + length,
            "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},"
            "\"usage\":{\"output_tokens\":%d}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
            number);
    return length;
}

// One event as one chunk of HTTP; the last brings the end of the body along.
static size_t append_event(connection *c, char *bytes, int number, bool is_last)
{
    char text[EVENT_BYTES_MAX];
    int length = c->form == FORM_OPENAI ? openai_event(text, number, is_last) : anthropic_event(text, number, is_last);
    return (size_t)sprintf(bytes, "%x\r\n%s\r\n%s", (unsigned)length, text, is_last ? "0\r\n\r\n" : "");
}

// Sends the events that are due and sets the timer for the next.
static bool play(connection *c, uint64_t now)
{
    static char burst[BURST_BYTES + 2 * EVENT_BYTES_MAX];
    size_t length = 0;
    if (!c->is_begun) {
        c->is_begun = true;
        length = (size_t)sprintf(burst, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"
                                        "x-request-id: req_9f8a7b6c5d4e3f\r\nopenai-processing-ms: 12\r\n\r\n");
    }
    while (c->left > 0 && length < BURST_BYTES && (c->gap_ns == 0 || c->due <= now)) {
        c->left--;
        length += append_event(c, burst + length, c->chunks - c->left, c->left == 0);
        c->due += c->gap_ns;
        if (c->gap_ns > 0)
            break;
    }
    if (length > 0 && !send_bytes(c, burst, length))
        return false;
    if (c->left > 0) {
        c->due = c->due < now ? now : c->due;
        timer_start(c);
    }
    return true;
}

static char *find(char *bytes, size_t length, const char *text) { return memmem(bytes, length, text, strlen(text)); }

// The length of the first whole request in the input, 0 where more is needed. Chunked bodies end at their last chunk.
static size_t request_length(connection *c, size_t *head_length)
{
    char *end = find(c->input, c->input_length, "\r\n\r\n");
    if (!end)
        return 0;
    *head_length = (size_t)(end - c->input) + 4;
    *end = 0;
    char *announced = strcasestr(c->input, "\r\ncontent-length:");
    bool is_chunked = !announced && strcasestr(c->input, "\r\ntransfer-encoding: chunked");
    *end = '\r';
    if (is_chunked) {
        char *last = find(c->input + *head_length, c->input_length - *head_length, "\r\n0\r\n\r\n");
        return last ? (size_t)(last - c->input) + 7 : 0;
    }
    size_t length = *head_length + (announced ? strtoul(announced + 17, NULL, 10) : 0);
    return length <= c->input_length ? length : 0;
}

static bool answer(connection *c, uint64_t now, char *body, size_t body_length)
{
    uint64_t ttft_us = 0, gap_us = 0;
    c->chunks = 100;
    char *model = find(body, body_length, "sim-");
    if (model) { // the numbers end at the quote that follows them
        ttft_us = strtoull(model + 4, &model, 10);
        c->chunks = *model == '-' ? (int)strtol(model + 1, &model, 10) : c->chunks;
        gap_us = *model == '-' ? strtoull(model + 1, &model, 10) : 0;
    }
    c->is_stream = find(body, body_length, "\"stream\":true") != NULL;
    c->is_begun = false;
    c->left = c->is_stream ? c->chunks : 1;
    c->gap_ns = gap_us * 1000;
    c->due = now + ttft_us * 1000;
    if (ttft_us > 0) {
        timer_start(c);
        return true;
    }
    return c->is_stream ? play(c, now) : send_bytes(c, whole[c->form], whole_length[c->form]);
}

// Answers the requests that are here; the next waits until the one before it is answered.
static bool handle(connection *c)
{
    size_t length, head_length;
    while (c->heap_index < 0 && c->input_length > 0 && (length = request_length(c, &head_length)) > 0) {
        char *line_end = find(c->input, head_length, "\r\n");
        c->form = find(c->input, (size_t)(line_end - c->input), "/messages ") ? FORM_ANTHROPIC : FORM_OPENAI;
        bool is_answered = answer(c, now_ns(), c->input + head_length, length - head_length);
        memmove(c->input, c->input + length, c->input_length - length);
        c->input_length -= length;
        if (!is_answered)
            return false;
    }
    return c->input_length <= REQUEST_BYTES_MAX;
}

static bool receive(connection *c)
{
    if (c->input_capacity - c->input_length < 2048) {
        c->input_capacity *= 2;
        c->input = must(realloc(c->input, c->input_capacity));
    }
    ssize_t received = recv(c->fd, c->input + c->input_length, c->input_capacity - c->input_length, 0);
    if (received <= 0)
        return received < 0 && errno == EAGAIN;
    c->input_length += (size_t)received;
    return handle(c);
}

static void send_rest(connection *c)
{
    ssize_t sent = send(c->fd, c->output + c->output_sent, c->output_length - c->output_sent, MSG_NOSIGNAL);
    c->output_sent += sent > 0 ? (size_t)sent : 0;
    if (c->output_sent == c->output_length) {
        c->output_sent = c->output_length = 0;
        watch(c, EPOLL_CTL_MOD, false);
    }
}

static void accept_all(int listener)
{
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        if (connection_count == CONNECTIONS_MAX) {
            close(fd);
            continue;
        }
        no_delay(fd);
        connection *c = must(calloc(1, sizeof *c));
        c->fd = fd;
        c->heap_index = -1;
        c->input_capacity = 4096;
        c->input = must(malloc(c->input_capacity));
        connection_count++;
        watch(c, EPOLL_CTL_ADD, false);
    }
}

static void run_timers(void)
{
    uint64_t now = now_ns();
    for (int budget = 2000; heap_size > 0 && heap[0]->due <= now && budget > 0; budget--) {
        connection *c = heap[0];
        timer_stop(c);
        bool is_alive = c->is_stream ? play(c, now) : send_bytes(c, whole[c->form], whole_length[c->form]);
        if (!is_alive || (c->heap_index < 0 && !handle(c)))
            drop(c);
    }
}

static void prepare_whole(void)
{
    char text[1400] = "", body[4096];
    for (int i = 0, length = 0; i < 19; i++)
        length += sprintf(text + length, "The quick brown fox jumps over the lazy dog, sentence %d. ", i);
    const char *bodies[2] = {
        "{\"id\":\"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT\",\"object\":\"chat.completion\",\"created\":1741569952,\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":"
        "[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
        "\"usage\":{\"prompt_tokens\":19,\"completion_tokens\":210,\"total_tokens\":229,\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"
        "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0}},\"service_tier\":\"default\",\"system_fingerprint\":\"fp_44709d6fcb\"}",
        "{\"id\":\"msg_01XFDUDYJgAACzvnptvVoYEL\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5-20250929\",\"content\":"
        "[{\"type\":\"text\",\"text\":\"%s\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":{\"input_tokens\":19,\"output_tokens\":210}}",
    };
    for (int i = 0; i < 2; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        int length = snprintf(body, sizeof body, bodies[i], text);
#pragma GCC diagnostic pop
        whole_length[i] = (size_t)sprintf(whole[i],
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nx-request-id: req_9f8a7b6c5d4e3f\r\nopenai-processing-ms: 12\r\n"
            "x-ratelimit-remaining-requests: 9999\r\n\r\n%s",
            length, body);
    }
}

static int listen_on(int port)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in address = loopback(port);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0) {
        perror("platform: cannot listen");
        exit(1);
    }
    return listener;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: platform PORT\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    alarm(LIFETIME_SECONDS_MAX);
    prepare_whole();
    int listener = listen_on(atoi(argv[1]));
    epoll_fd = epoll_create1(0);
    struct epoll_event listening = { .events = EPOLLIN, .data.ptr = NULL }, events[512];
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &listening);
    for (;;) {
        struct timespec wait = heap_size > 0 ? wait_until(heap[0]->due, now_ns()) : (struct timespec) { 0, 0 };
        int count = epoll_pwait2(epoll_fd, events, 512, heap_size > 0 ? &wait : NULL, NULL);
        for (int i = 0; i < count; i++) {
            connection *c = events[i].data.ptr;
            if (!c) {
                accept_all(listener);
                continue;
            }
            if ((events[i].events & EPOLLOUT) && c->output_length > c->output_sent)
                send_rest(c);
            if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) && !receive(c))
                drop(c);
        }
        run_timers();
    }
}
