/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A session that is served by a loop of the library's and then, by turns, by loops of the program's own: over
 * fuse_chan_recv() and fuse_session_process(), over fuse_session_receive_buf() and fuse_session_process_buf(). With -s
 * the library's loop has a single thread. What is served: ../two_loops.h.
 *
 *   two_loops2 [threads] MOUNTPOINT [-s] [options]
 */
#include <fuse_lowlevel.h>

#include "../two_loops.h"

/* What a buffer had to have before the first loop. */
static size_t early_size;

static int by_chan_recv(void)
{
    struct fuse_chan *first = fuse_session_next_chan(session, NULL);
    size_t size = early_size;
    char *buf = malloc(size);
    int n = 0;

    while (buf && !fuse_session_exited(session)) {
        struct fuse_chan *ch = first;

        n = fuse_chan_recv(&ch, buf, size);
        if (n == -EINTR)
            continue;
        if (n <= 0)
            break;
        fuse_session_process(session, buf, n, ch);
    }
    free(buf);
    return n < 0 ? n : 0;
}

static int by_receive_buf(void)
{
    struct fuse_chan *first = fuse_session_next_chan(session, NULL);
    size_t size = fuse_chan_bufsize(first);
    char *mem = malloc(size);
    int n = 0;

    while (mem && !fuse_session_exited(session)) {
        struct fuse_chan *ch = first;
        struct fuse_buf buf = { .mem = mem, .size = size };

        n = fuse_session_receive_buf(session, &buf, &ch);
        if (n == -EINTR)
            continue;
        if (n <= 0)
            break;
        fuse_session_process_buf(session, &buf, ch);
    }
    free(mem);
    return n < 0 ? n : 0;
}

static int single(void)
{
    return fuse_session_loop(session);
}

static int workers(void)
{
    return fuse_session_loop_mt(session);
}

int main(int argc, char **argv)
{
    threads = argc > 1 && strcmp(argv[1], "threads") == 0;

    struct fuse_args args = FUSE_ARGS_INIT(argc - threads, argv + threads);
    struct fuse_chan *ch;
    char *mountpoint;
    int mt, foreground, failed = 0;

    if (fuse_parse_cmdline(&args, &mountpoint, &mt, &foreground) != 0 || !mountpoint)
        return 2;
    ch = fuse_mount(mountpoint, &args);
    session = ch ? fuse_lowlevel_new(&args, &ops, sizeof(ops), NULL) : NULL;
    if (!session)
        return 3;
    fuse_session_add_chan(session, ch);
    early_size = fuse_chan_bufsize(ch);
    alarm(50); /* a hang ends here */
    failed |= serve(mountpoint, "library", mt ? workers : single, !mt);
    failed |= serve(mountpoint, "fuse_chan_recv", by_chan_recv, 1);
    failed |= serve(mountpoint, "library", mt ? workers : single, !mt);
    failed |= serve(mountpoint, "fuse_session_receive_buf", by_receive_buf, 1);
    failed |= serve(mountpoint, "fuse_chan_recv", by_chan_recv, 1);
    failed |= serve(mountpoint, "single", single, 1);
    fuse_session_remove_chan(ch);
    fuse_session_destroy(session);
    fuse_unmount(mountpoint, ch);
    free(mountpoint);
    fuse_opt_free_args(&args);
    printf("end\n");
    return failed;
}
